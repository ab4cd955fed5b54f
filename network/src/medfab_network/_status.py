"""How one node is: its process, its health, its channels."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medfab_gateway.errors import MedfabError
from medfab_network._access import Access
from medfab_network._disk import DiskSpace, disk_space
from medfab_network._health import is_healthy, tls_context
from medfab_network._layout import Layout
from medfab_network.topology import Node


@dataclass(frozen=True, kw_only=True)
class NodeStatus:
    """How one node is."""

    node: Node
    pid: int | None
    """None: no process."""
    healthy: bool
    heights: Mapping[str, int]
    """Channel → number of blocks; peers and orderers only."""
    disk: DiskSpace | None = None
    """Of the file system with its ledgers or its database. None: it has none, or not where we can
    look."""


async def node_status(node: Node, pid: int | None, layout: Layout, data: Path | None) -> NodeStatus:
    """One look at a node, whose process is `pid`, and whose data is in the folder `data`."""
    healthy = False
    heights: dict[str, int] = {}
    is_ca = node.kind == "ca"
    root = (layout.ca_server_certificate if is_ca else layout.tls_ca_certificate)(node.organization)
    if pid is not None and root.exists():
        healthy = await is_healthy(node, tls_context(root))
    if healthy:
        with contextlib.suppress(MedfabError):  # shown as a node without heights
            heights = await heights_of(node, Access(layout))
    disk = disk_space(data) if data else None
    return NodeStatus(node=node, pid=pid, healthy=healthy, heights=heights, disk=disk)


async def heights_of(node: Node, access: Access) -> dict[str, int]:
    """Channel → number of blocks, of a running peer or orderer."""
    if node.kind == "peer":
        async with access.peer_admin(node) as peer:
            return {c: (await peer.chain_info(c)).height for c in await peer.channels()}
    if node.kind == "orderer":
        async with access.orderer_admin(node) as orderer:
            return {c: (await orderer.channel(c)).height for c in await orderer.channels()}
    return {}
