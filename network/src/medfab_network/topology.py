"""The topology: one description of a consortium, from which everything else follows.

```python
topology = load_topology(None)               # the default consortium
topology.organization("hospital").msp_id     # 'HospitalMSP'
[node.name for node in topology.nodes()]     # 'ca.hospital', 'peer0.hospital', …
```

The file format is the YAML shown in `data/consortium.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from medfab_network import _checks as check
from medfab_network.errors import TopologyError

HOST = "127.0.0.1"
ANY_INTERFACE = "0.0.0.0"  # noqa: S104 - of a container, whose ports are published on HOST alone
RAFT, BFT = "etcdraft", "BFT"
_FEWEST_FOR_BFT = 4  # three more than lie
PORTS_PER_ORGANIZATION = 40
SERVE_CONTRACT = "medfab-chaincode"
"""The program that serves contracts in Python, from the environment that runs the network."""
_FIRST_NODE_PORT = 2  # 0 and 1 are the CA and its operations endpoint
_PORTS_PER_NODE = 4
_FIRST_CHAINCODE_PORT = 30
_NAME = re.compile(r"^[a-z][a-z0-9]{0,30}$")
_CHANNEL = re.compile(r"^[a-z][a-z0-9.-]{0,248}$")
_MSP_ID = re.compile(r"^[A-Za-z][A-Za-z0-9]{0,62}$")
_CHAINCODE = re.compile(r"^[a-z][a-z0-9_-]{0,62}$")
_VERSION = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$")  # part of the package's label
_COLLECTION = re.compile(r"^[A-Za-z0-9-][A-Za-z0-9_-]{0,62}$")


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


@dataclass(frozen=True, kw_only=True)
class Topology:
    """A whole consortium."""

    name: str
    base_port: int
    ordering: Organization
    organizations: tuple[Organization, ...]
    channels: tuple[Channel, ...]
    chaincodes: tuple[Chaincode, ...]
    consensus: str = RAFT
    """Of the orderers: `etcdraft`, or `BFT`, where up to a third of them may even lie."""
    containers: bool = False
    """Whether the nodes run in Docker, and not as processes of this machine."""
    source: Mapping[str, Any] = field(repr=False, compare=False)
    """The document it was read from."""

    def organization(self, name: str) -> Organization:
        """The organisation called `name`; `TopologyError` lists those there are."""
        for organization in self.all_organizations():
            if organization.name == name:
                return organization
        known = ", ".join(o.name for o in self.all_organizations())
        raise TopologyError(f"there is no organisation {name!r}; there are {known}")

    def channel(self, name: str) -> Channel:
        for channel in self.channels:
            if channel.name == name:
                return channel
        known = ", ".join(c.name for c in self.channels)
        raise TopologyError(f"there is no channel {name!r}; there are {known}")

    def chaincode(self, name: str) -> Chaincode:
        for chaincode in self.chaincodes:
            if chaincode.name == name:
                return chaincode
        known = ", ".join(c.name for c in self.chaincodes)
        raise TopologyError(f"there is no chaincode {name!r}; there are {known or 'none'}")

    def all_organizations(self) -> tuple[Organization, ...]:
        """The ordering organisation first, then the members."""
        return (self.ordering, *self.organizations)

    def members(self, channel: str) -> tuple[Organization, ...]:
        return tuple(self.organization(name) for name in self.channel(channel).organizations)

    def nodes(self) -> Iterator[Node]:
        """Every process, in the order in which they start."""
        for organization in self.all_organizations():
            yield organization.ca
        yield from self.ordering.orderers
        for organization in self.organizations:
            yield from organization.peers
        for chaincode in self.chaincodes:
            yield from chaincode.nodes

    def with_base_port(self, base_port: int) -> Topology:
        """The same consortium on other ports."""
        return parse_topology({**self.source, "base_port": base_port})

    def with_containers(self) -> Topology:
        """The same consortium, its nodes in containers."""
        return parse_topology({**self.source, "containers": True})

    def with_orderers(self, count: int) -> Topology:
        """The same consortium with that many consenters."""
        ordering = {**self.source["ordering"], "orderers": count}
        return parse_topology({**self.source, "ordering": ordering})

    def channels_of(self, organization: str) -> tuple[Channel, ...]:
        return tuple(c for c in self.channels if organization in c.organizations)


def load_topology(path: Path | None) -> Topology:
    """Read a topology file; None is the default consortium that comes with the package."""
    if path is None:
        text = resources.files("medfab_network").joinpath("data/consortium.yaml").read_text()
        where = "the default topology"
    else:
        where = str(path)
        try:
            text = path.read_text()
        except OSError as error:
            raise TopologyError(f"cannot read the topology {where}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise TopologyError(f"{where} is not text in UTF-8") from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TopologyError(f"{where} is not YAML: {error}") from error
    try:
        return parse_topology(document)
    except TopologyError as error:
        raise TopologyError(f"{where}: {error}") from error


def default_in_containers() -> Topology:
    """The default consortium in containers, where any one of its three orderers may be lost."""
    return load_topology(None).with_orderers(3).with_containers()


def parse_topology(document: Any) -> Topology:
    """Check a topology document and compute its nodes and ports."""
    root = check.mapping(document, "the topology")
    check.known_keys(
        root,
        "the topology",
        ["name", "base_port", "containers", "ordering", "organizations", "channels", "chaincodes"],
    )
    name = check.text(root.get("name", "medfab"), "name", _NAME)
    base_port = check.integer(root.get("base_port", 17000), "base_port", 1024, 60000)
    containers = check.boolean(root.get("containers", False), "containers")

    ordering_document = check.mapping(root.get("ordering"), "ordering")
    check.known_keys(ordering_document, "ordering", ["name", "msp_id", "orderers", "consensus"])
    consensus = check.one_of(
        ordering_document.get("consensus", RAFT), "ordering.consensus", RAFT, BFT
    )
    organizations_documents = check.sequence(root.get("organizations"), "organizations")
    if not organizations_documents:
        raise TopologyError("organizations: at least one is needed")
    last_port = base_port + PORTS_PER_ORGANIZATION * (1 + len(organizations_documents))
    if last_port > 65535:
        raise TopologyError(f"base_port: {base_port} leaves no room below 65536")

    chaincode_documents = [
        check.mapping(d, f"chaincodes[{i}]")
        for i, d in enumerate(check.sequence(root.get("chaincodes", []), "chaincodes"))
    ]
    ordering = _ordering(ordering_document, base_port)
    if consensus == BFT and len(ordering.orderers) < _FEWEST_FOR_BFT:
        raise TopologyError(f"ordering.orderers: BFT needs at least {_FEWEST_FOR_BFT}")
    organizations = tuple(
        _organization(
            check.mapping(document, f"organizations[{index}]"),
            f"organizations[{index}]",
            base_port + PORTS_PER_ORGANIZATION * (index + 1),
        )
        for index, document in enumerate(organizations_documents)
    )
    check.unique([o.name for o in (ordering, *organizations)], "organizations: name")
    check.unique([o.msp_id for o in (ordering, *organizations)], "organizations: msp_id")

    topology = Topology(
        name=name,
        base_port=base_port,
        ordering=ordering,
        organizations=organizations,
        channels=_channels(root, {o.name for o in organizations}),
        chaincodes=(),
        consensus=consensus,
        containers=containers,
        source=root,
    )
    chaincodes = tuple(
        _chaincode(document, index, topology) for index, document in enumerate(chaincode_documents)
    )
    check.unique([c.name for c in chaincodes], "chaincodes: name")
    topology = replace(topology, chaincodes=chaincodes)
    if containers:
        topology = _in_containers(topology)
    # A chaincode called `ca` or `peer0` would have its process called like that node.
    check.unique([node.name for node in topology.nodes()], "names of nodes")
    return topology


def _in_containers(topology: Topology) -> Topology:
    """Every node by the name of its container."""

    def named(node: Node) -> Node:
        return replace(node, host=node.name)

    def of(organization: Organization) -> Organization:
        return replace(
            organization,
            ca=named(organization.ca),
            peers=tuple(map(named, organization.peers)),
            orderers=tuple(map(named, organization.orderers)),
        )

    return replace(
        topology,
        ordering=of(topology.ordering),
        organizations=tuple(map(of, topology.organizations)),
        chaincodes=tuple(
            replace(chaincode, nodes=tuple(map(named, chaincode.nodes)))
            for chaincode in topology.chaincodes
        ),
    )


def _ordering(document: Mapping[str, Any], first_port: int) -> Organization:
    name = check.text(document.get("name", "orderer"), "ordering.name", _NAME)
    count = check.integer(document.get("orderers", 1), "ordering.orderers", 1, 9)
    return Organization(
        name=name,
        msp_id=check.text(document.get("msp_id", "OrdererMSP"), "ordering.msp_id", _MSP_ID),
        ca=_ca(name, first_port),
        orderers=tuple(
            Node(
                name=f"orderer{i}.{name}",
                kind="orderer",
                organization=name,
                port=(port := first_port + _FIRST_NODE_PORT + i * _PORTS_PER_NODE),
                operations_port=port + 1,
                admin_port=port + 2,
            )
            for i in range(count)
        ),
    )


def _organization(document: Mapping[str, Any], where: str, first_port: int) -> Organization:
    check.known_keys(document, where, ["name", "msp_id", "peers", "users"])
    name = check.text(document.get("name"), f"{where}.name", _NAME)
    count = check.integer(document.get("peers", 1), f"{where}.peers", 1, 7)
    users = []
    for index, raw in enumerate(check.sequence(document.get("users", []), f"{where}.users")):
        place = f"{where}.users[{index}]"
        user = check.mapping(raw, place)
        check.known_keys(user, place, ["name", "attributes"])
        attributes = check.mapping(user.get("attributes", {}), f"{place}.attributes")
        users.append(
            User(
                name=check.text(user.get("name"), f"{place}.name", _NAME),
                attributes={
                    check.text(k, f"{place}.attributes"): check.text(v, f"{place}.attributes.{k}")
                    for k, v in attributes.items()
                },
            )
        )
    check.unique([u.name for u in users] + ["admin", "registrar"], f"{where}.users: name")
    return Organization(
        name=name,
        msp_id=check.text(document.get("msp_id"), f"{where}.msp_id", _MSP_ID),
        ca=_ca(name, first_port),
        peers=tuple(
            Node(
                name=f"peer{i}.{name}",
                kind="peer",
                organization=name,
                port=(port := first_port + _FIRST_NODE_PORT + i * _PORTS_PER_NODE),
                operations_port=port + 1,
                chaincode_port=port + 2,
            )
            for i in range(count)
        ),
        users=tuple(users),
    )


def _ca(organization: str, first_port: int) -> Node:
    return Node(
        name=f"ca.{organization}",
        kind="ca",
        organization=organization,
        port=first_port,
        operations_port=first_port + 1,
    )


def _channels(root: Mapping[str, Any], organizations: set[str]) -> tuple[Channel, ...]:
    channels = []
    for index, raw in enumerate(check.sequence(root.get("channels"), "channels")):
        where = f"channels[{index}]"
        document = check.mapping(raw, where)
        check.known_keys(document, where, ["name", "organizations"])
        channels.append(
            Channel(
                name=check.text(document.get("name"), f"{where}.name", _CHANNEL),
                organizations=check.names(document, "organizations", where, organizations),
            )
        )
    if not channels:
        raise TopologyError("channels: at least one is needed")
    check.unique([c.name for c in channels], "channels: name")
    return tuple(channels)


def _chaincode(document: Mapping[str, Any], index: int, topology: Topology) -> Chaincode:
    where = f"chaincodes[{index}]"
    check.known_keys(
        document,
        where,
        [
            "name",
            "channel",
            "version",
            "contract",
            "command",
            "custodians",
            "collections",
            "witnesses",
            "pairwise",
        ],
    )
    name = check.text(document.get("name"), f"{where}.name", _CHAINCODE)
    channel = check.text(document.get("channel"), f"{where}.channel")
    if channel not in {c.name for c in topology.channels}:
        raise TopologyError(f"{where}.channel: there is no channel {channel!r}")
    members = topology.channel(channel).organizations
    custodians: tuple[str, ...] = ()
    if "custodians" in document:
        custodians = check.names(document, "custodians", where, set(members))
    collections = tuple(
        check.text(c, f"{where}.collections", _COLLECTION)
        for c in check.sequence(document.get("collections", []), f"{where}.collections")
    )
    check.unique(collections, f"{where}.collections")
    if collections and not custodians:
        raise TopologyError(f"{where}.collections: name the custodians that hold them")
    witnesses: tuple[str, ...] = ()
    if "witnesses" in document:
        if custodians:
            raise TopologyError(f"{where}: either custodians or witnesses, not both")
        witnesses = check.names(document, "witnesses", where, set(members))
        if len(witnesses) == len(members):
            raise TopologyError(f"{where}.witnesses: at least one member must be none")
    if index >= PORTS_PER_ORGANIZATION - _FIRST_CHAINCODE_PORT:
        raise TopologyError("chaincodes: no ports are left for so many")
    return Chaincode(
        name=name,
        channel=channel,
        # Text alone: YAML reads an unquoted 1.10 as the number 1.1.
        version=check.text(document.get("version", "1.0"), f"{where}.version", _VERSION),
        command=_command(document, where),
        custodians=custodians,
        collections=collections,
        witnesses=witnesses,
        pairwise=_pairwise(document, where, set(members)),
        nodes=tuple(
            Node(
                name=f"{name}.{member}",
                kind="chaincode",
                organization=member,
                port=topology.organization(member).ca.port + _FIRST_CHAINCODE_PORT + index,
                chaincode=name,
            )
            for member in members
        ),
    )


def _pairwise(
    document: Mapping[str, Any], where: str, members: set[str]
) -> dict[str, tuple[str, ...]]:
    where = f"{where}.pairwise"
    pairwise = {}
    for prefix in (raw := check.mapping(document.get("pairwise", {}), where)):
        check.text(prefix, where, _COLLECTION)
        pairwise[prefix] = check.names(raw, prefix, where, members)
        if len(pairwise[prefix]) < 2:
            raise TopologyError(f"{where}.{prefix}: two organisations at least")
    return pairwise


def _command(document: Mapping[str, Any], where: str) -> tuple[str, ...]:
    if "command" not in document:
        contract = check.text(document.get("contract"), f"{where}.contract")
        if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", contract):
            raise TopologyError(f"{where}.contract: 'module:Class' is expected, not {contract!r}")
        return (SERVE_CONTRACT, "serve", contract)
    if "contract" in document:
        raise TopologyError(f"{where}: either a contract or a command, not both")
    command = tuple(
        check.text(part, f"{where}.command")
        for part in check.sequence(document["command"], f"{where}.command")
    )
    if not command:
        raise TopologyError(f"{where}.command: a program is expected")
    return command
