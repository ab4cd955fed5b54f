"""What a consortium is made of: nodes, organisations, channels, chaincodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HOST = "127.0.0.1"
ANY_INTERFACE = "0.0.0.0"  # noqa: S104 - of a container, whose ports are published on HOST alone
RAFT, BFT = "etcdraft", "BFT"
PORTS_PER_ORGANIZATION = 40


@dataclass(frozen=True, kw_only=True)
class User:
    """A user whom `up` enrols: `attributes` become certificate attributes."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Node:
    """One process. `port` is what clients dial; `operations_port` has health and metrics."""

    name: str
    kind: str
    """`ca`, `orderer`, `peer` or `chaincode`."""
    organization: str
    port: int
    operations_port: int | None = None
    admin_port: int | None = None
    """Orderers: the channel participation endpoint."""
    chaincode_port: int | None = None
    """Peers: where chaincode in client mode would register."""
    chaincode: str | None = None
    host: str = HOST
    """By which other nodes reach it: this machine, or the name of its container."""

    @property
    def address(self) -> str:
        """Where other nodes dial it."""
        return f"{self.host}:{self.port}"

    @property
    def published(self) -> str:
        """Where programs on this machine dial it; a container publishes its ports there."""
        return f"{HOST}:{self.port}"

    @property
    def listens_on(self) -> str:
        """The interface: loopback, or all those of its container."""
        return HOST if self.host == HOST else ANY_INTERFACE

    @property
    def ports(self) -> tuple[int, ...]:
        every = (self.port, self.operations_port, self.admin_port, self.chaincode_port)
        return tuple(port for port in every if port is not None)


@dataclass(frozen=True, kw_only=True)
class Organization:
    """A member of the consortium, with its certificate authority and its peers (or orderers)."""

    name: str
    msp_id: str
    ca: Node
    peers: tuple[Node, ...] = ()
    orderers: tuple[Node, ...] = ()
    users: tuple[User, ...] = ()
    private_data_copies: int = 0
    """How many more of its peers must hold private data before one of them endorses."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel and the names of its member organisations."""

    name: str
    organizations: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Chaincode:
    """A chaincode on one channel, one process for each organisation of the channel."""

    name: str
    channel: str
    version: str
    command: tuple[str, ...]
    """What each member runs, in its folder of the node: `medfab-chaincode serve module:Class`, or
    the program of a chaincode in another language."""
    custodians: tuple[str, ...] = ()
    """Organisations that hold the shared collections; a majority of them endorses.
    Empty: the channel's endorsement policy, and no shared collections."""
    collections: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    """Instead of custodians: one of these endorses, and one of the channel's other members."""
    pairwise: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By a collection's prefix: organisations of which every two share a collection
    `<prefix>-<MSP id>-<MSP id>` (sorted), which both of them endorse."""
    nodes: tuple[Node, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.name}_{self.version}"
