"""The containers of a topology: one service for each node, the same for Compose and for us.

Paths on the machine are relative to the network directory, `${MEDFAB_DIR}` in a compose file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfab_network._binaries import FABRIC_CA_VERSION, FABRIC_VERSION
from medfab_network._deploy import chaincode_package_id
from medfab_network._layout import Layout
from medfab_network._nodes import chaincode_environment, environment_of
from medfab_network._place import (
    CONTAINER_BUILDER,
    CONTAINER_CA,
    CONTAINER_CONNECTIONS,
    CONTAINER_DATA,
    CONTAINER_FOLDER,
)
from medfab_network.topology import HOST, Node, Topology

USER = 10001
"""Whom nodes run as where the network is made by root: nobody else has this number."""
_HEALTH = "/opt/medfab/bin/medfab-health"
_NO_LAYOUT = Layout(Path("/"))  # a container's paths do not depend on it


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image name that the variable in the environment, or in `.env`, replaces."""

    variable: str
    default: str


IMAGES: Mapping[str, Image] = {
    "ca": Image(variable="MEDFAB_CA_IMAGE", default=f"medfab/fabric-ca:{FABRIC_CA_VERSION}"),
    "peer": Image(variable="MEDFAB_PEER_IMAGE", default=f"medfab/fabric-peer:{FABRIC_VERSION}"),
    "orderer": Image(
        variable="MEDFAB_ORDERER_IMAGE", default=f"medfab/fabric-orderer:{FABRIC_VERSION}"
    ),
    "chaincode": Image(variable="MEDFAB_CHAINCODE_IMAGE", default="medfab/chaincode:latest"),
}
"""By kind of node."""


@dataclass(frozen=True, kw_only=True)
class Bind:
    """A folder of the network directory in a container."""

    source: str
    target: str
    read_only: bool = True


@dataclass(frozen=True, kw_only=True)
class Service:
    """One container."""

    node: Node
    image: Image
    command: tuple[str, ...]
    environment: Mapping[str, str]
    binds: tuple[Bind, ...]
    data: str | None
    """Where the container has its volume, if it has one."""
    health: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def volume(self) -> str:
        return volume_of(self.name)

    @property
    def ports(self) -> tuple[int, ...]:
        """Published on the loopback interface, by the same numbers as inside."""
        return self.node.ports


def volume_of(node: str) -> str:
    """The name of its volume, within the project."""
    return f"{node}.data"


def services(topology: Topology) -> tuple[Service, ...]:
    """One for each node of a topology in containers, in the order in which they start."""
    return tuple(_service(node, topology) for node in topology.nodes())


def compose_document(topology: Topology) -> dict[str, Any]:
    """The compose file, for Compose 1.29 and Compose 2 alike."""
    every = services(topology)
    return {
        "services": {service.name: _compose_service(service) for service in every},
        "volumes": {service.volume: {} for service in every if service.data},
    }


def _service(node: Node, topology: Topology) -> Service:
    binds = [Bind(source="bin", target="/opt/medfab/bin")]
    folder = f"organizations/{node.organization}"
    if node.kind == "ca":
        # Not a volume: from this folder the others have the authority's roots.
        binds.append(Bind(source=f"{folder}/ca", target=str(CONTAINER_CA), read_only=False))
    else:
        binds.append(Bind(source=f"{folder}/nodes/{node.name}", target=str(CONTAINER_FOLDER)))
    if node.kind == "peer":
        binds += [
            Bind(source="builder", target=str(CONTAINER_BUILDER)),
            Bind(source=f"{folder}/connections", target=str(CONTAINER_CONNECTIONS)),
        ]
    return Service(
        node=node,
        image=IMAGES[node.kind],
        command=_command(node, topology),
        environment=_environment(node, topology),
        binds=tuple(binds),
        data=str(CONTAINER_DATA) if node.kind in ("peer", "orderer") else None,
        health=_health(node),
    )


def _command(node: Node, topology: Topology) -> tuple[str, ...]:
    if node.kind == "ca":
        return ("fabric-ca-server", "start", "--home", str(CONTAINER_CA))
    if node.kind == "peer":
        return ("peer", "node", "start")
    if node.kind == "orderer":
        return ("orderer",)
    return topology.chaincode(node.chaincode or "").command


def _environment(node: Node, topology: Topology) -> Mapping[str, str]:
    if node.kind == "ca":
        return {}
    if node.kind in ("peer", "orderer"):
        return environment_of(node, _NO_LAYOUT)
    identifier = chaincode_package_id(topology.chaincode(node.chaincode or ""))
    return chaincode_environment(node, identifier, topology, _NO_LAYOUT)


def _health(node: Node) -> tuple[str, ...]:
    if node.kind == "ca":
        return (_HEALTH, f"https://{HOST}:{node.port}/cainfo", f"{CONTAINER_CA}/server/cert.pem")
    root = f"{CONTAINER_FOLDER}/tls/ca.pem"
    if node.kind == "chaincode":
        return (_HEALTH, f"tls://{HOST}:{node.port}", root)
    return (_HEALTH, f"https://{HOST}:{node.operations_port}/healthz", root)


def _compose_service(service: Service) -> dict[str, Any]:
    volumes = [
        f"${{MEDFAB_DIR:-./.medfab}}/{bind.source}:{bind.target}" + (":ro" * bind.read_only)
        for bind in service.binds
    ]
    if service.data:
        volumes.append(f"{service.volume}:{service.data}")
    return {
        "image": f"${{{service.image.variable}:-{service.image.default}}}",
        "hostname": service.name,
        "user": f"${{MEDFAB_USER:-{USER}:{USER}}}",
        "command": list(service.command),
        **({"environment": dict(service.environment)} if service.environment else {}),
        "volumes": volumes,
        "ports": [f"{HOST}:{port}:{port}" for port in service.ports],
        "healthcheck": {
            "test": ["CMD", *service.health],
            "interval": "10s",
            "timeout": "6s",
            "start_period": "5s",
        },
        "init": True,
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - the container's own
        "cap_drop": ["ALL"],
        "restart": "unless-stopped",
    }
