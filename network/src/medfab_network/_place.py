"""Where a node finds its own files: where they are, or where its container has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from medfab_network._layout import Layout
from medfab_network.topology import HOST, Node

# As in Fabric's own images, so that those can take the place of ours.
CONTAINER_FOLDER = PurePosixPath("/etc/hyperledger/fabric")
CONTAINER_DATA = PurePosixPath("/var/hyperledger/production")
CONTAINER_CA = PurePosixPath("/etc/hyperledger/fabric-ca-server")
CONTAINER_BUILDER = PurePosixPath("/opt/medfab/builder")
CONTAINER_CONNECTIONS = PurePosixPath("/opt/medfab/connections")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Paths as the node itself sees them."""

    folder: PurePosixPath
    """Configuration, MSP and TLS files; a CA's: all it has."""
    data: PurePosixPath
    """Ledgers; a volume of its own in a container."""
    builder: PurePosixPath
    connections: PurePosixPath


def place_of(node: Node, layout: Layout) -> Place:
    if node.host != HOST:
        return Place(
            folder=CONTAINER_CA if node.kind == "ca" else CONTAINER_FOLDER,
            data=CONTAINER_DATA,
            builder=CONTAINER_BUILDER,
            connections=CONTAINER_CONNECTIONS,
        )
    folder = (
        layout.ca(node.organization)
        if node.kind == "ca"
        else layout.node(node.organization, node.name)
    )
    return Place(
        folder=_pure(folder),
        data=_pure(folder / "data"),
        builder=_pure(layout.builder),
        connections=_pure(layout.connections(node.organization)),
    )


def _pure(path: Path) -> PurePosixPath:
    return PurePosixPath(path)
