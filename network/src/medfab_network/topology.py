"""The topology: one description of a consortium, from which everything else follows.

```python
topology = load_topology(None)               # the default consortium
topology.organization("hospital").msp_id     # 'HospitalMSP'
[node.name for node in topology.nodes()]     # 'ca.hospital', 'peer0.hospital', …
```

The file format is the YAML shown in `data/consortium.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from medfab_network import _checks as check
from medfab_network import _topology_document as parts
from medfab_network._topology_document import SERVE_CONTRACT
from medfab_network._topology_model import (
    ANY_INTERFACE,
    BFT,
    HOST,
    PORTS_PER_ORGANIZATION,
    RAFT,
    Chaincode,
    Channel,
    Node,
    Organization,
    User,
)
from medfab_network.errors import TopologyError

__all__ = [
    "ANY_INTERFACE",
    "BFT",
    "HOST",
    "PORTS_PER_ORGANIZATION",
    "RAFT",
    "READY_MADE",
    "SERVE_CONTRACT",
    "Chaincode",
    "Channel",
    "Node",
    "Organization",
    "Topology",
    "User",
    "default_in_containers",
    "load_topology",
    "parse_topology",
    "ready_made",
]


READY_MADE = ("consortium", "laptop", "production")
"""Topologies that come with the package; the first is the default."""


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
        text = ready_made(READY_MADE[0])
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


def ready_made(name: str) -> str:
    """The text of a topology file that comes with the package: one of `READY_MADE`."""
    return resources.files("medfab_network").joinpath(f"data/{name}.yaml").read_text()


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
    name = check.text(root.get("name", "medfab"), "name", parts.NAME)
    base_port = check.integer(root.get("base_port", 17000), "base_port", 1024, 60000)
    containers = check.boolean(root.get("containers", False), "containers")

    ordering, consensus = parts.ordering(check.mapping(root.get("ordering"), "ordering"), base_port)
    documents = check.sequence(root.get("organizations"), "organizations")
    if not documents:
        raise TopologyError("organizations: at least one is needed")
    last_port = base_port + PORTS_PER_ORGANIZATION * (1 + len(documents))
    if last_port > 65535:
        raise TopologyError(f"base_port: {base_port} leaves no room below 65536")
    organizations = tuple(
        parts.organization(
            check.mapping(document, f"organizations[{index}]"),
            f"organizations[{index}]",
            base_port + PORTS_PER_ORGANIZATION * (index + 1),
        )
        for index, document in enumerate(documents)
    )
    check.unique([o.name for o in (ordering, *organizations)], "organizations: name")
    check.unique([o.msp_id for o in (ordering, *organizations)], "organizations: msp_id")
    channels = parts.channels(root, {o.name for o in organizations})
    chaincodes = tuple(
        parts.chaincode(
            check.mapping(document, f"chaincodes[{index}]"),
            index,
            channels=channels,
            organizations=organizations,
        )
        for index, document in enumerate(check.sequence(root.get("chaincodes", []), "chaincodes"))
    )
    check.unique([c.name for c in chaincodes], "chaincodes: name")
    topology = Topology(
        name=name,
        base_port=base_port,
        ordering=ordering,
        organizations=organizations,
        channels=channels,
        chaincodes=chaincodes,
        consensus=consensus,
        containers=containers,
        source=root,
    )
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
