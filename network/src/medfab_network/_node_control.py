"""One node of a running network: stopped, started again, and waited for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from medfab_gateway.errors import MedfabError
from medfab_network._access import Access
from medfab_network._authority import ca_start
from medfab_network._binaries import Binaries
from medfab_network._deploy import chaincode_package_id
from medfab_network._enrolment import ADMIN, registrar_secret
from medfab_network._health import leaders, raft_active_nodes, tls_context, wait_healthy, wait_until
from medfab_network._layout import Layout
from medfab_network._nodes import Start, chaincode_start, orderer_start, peer_start
from medfab_network._runner import Runner
from medfab_network.topology import RAFT, Channel, Node, Topology

_CATCH_UP_SECONDS = 300.0
_RETURN_SECONDS = 5.0
"""Longer than our client, and gRPC at first, wait before they try a lost peer again."""

_Check = Callable[[Node, Channel], Awaitable[bool]]


class NodeControl:
    """Stops and starts single nodes."""

    def __init__(
        self, topology: Topology, layout: Layout, processes: Runner, binaries: Binaries
    ) -> None:
        self._topology = topology
        self._layout = layout
        self._processes = processes
        self._binaries = binaries
        self._access = Access(layout)

    async def stop(self, node: Node) -> None:
        """End it; nothing where it does not run."""
        await self._processes.stop([node.name])

    async def start(self, node: Node, environment: Mapping[str, str] | None = None) -> None:
        """Start it, where it does not run, and wait until it answers well.

        environment: settings of this start alone.
        """
        if node.name not in await self._processes.settled():
            start = self._start_of(node)
            self._processes.start(
                node.name,
                start.command,
                start.environment,
                start.folder,
                environment or {},
            )
        is_ca = node.kind == "ca"
        root = (self._layout.ca_server_certificate if is_ca else self._layout.tls_ca_certificate)(
            node.organization
        )
        await wait_healthy(node, tls_context(root), self._processes)

    async def wait_useful(self, node: Node) -> None:
        """Wait until the others may do without another one: it has their blocks, they know it."""
        if node.kind == "peer":
            for channel in self._topology.channels_of(node.organization):
                await self._wait(node, f"the blocks of {channel.name}", self._is_level, channel)
                await self._wait(node, f"the peers of {channel.name}", self._is_seen, channel)
        elif node.kind == "orderer":
            for channel in self._topology.channels:
                await self._wait(node, f"the blocks of {channel.name}", self._is_level, channel)
                if self._topology.consensus == RAFT:
                    await self._wait(
                        node, f"the consensus of {channel.name}", self._is_active, channel
                    )

    async def let_clients_return(self, node: Node) -> None:
        """After a peer: who has put it aside comes back before the next one of them goes."""
        if node in self._topology.organization(node.organization).peers[:-1]:
            await asyncio.sleep(_RETURN_SECONDS)

    async def _wait(self, node: Node, what: str, check: _Check, channel: Channel) -> None:
        async def ready() -> bool:
            with contextlib.suppress(MedfabError):
                return await check(node, channel)
            return False

        await wait_until(
            ready,
            node=node.name,
            what=what,
            processes=self._processes,
            timeout=_CATCH_UP_SECONDS,
        )

    def _start_of(self, node: Node) -> Start:
        topology, layout = self._topology, self._layout
        match node.kind:
            case "ca":
                secret = registrar_secret(layout, node.organization)
                return ca_start(node, self._binaries, layout, secret)
            case "orderer":
                return orderer_start(node, topology, self._binaries, layout)
            case "peer":
                return peer_start(node, topology, self._binaries, layout)
        chaincode = topology.chaincode(node.chaincode or "")
        identifier = chaincode_package_id(chaincode)
        return chaincode_start(node, chaincode, identifier, topology, layout)

    async def height(self, node: Node, channel: str) -> int:
        """Blocks that a peer or an orderer has; 0 where it does not answer or has not joined."""
        with contextlib.suppress(MedfabError):
            if node.kind == "peer":
                async with self._access.peer_admin(node) as peer:
                    return (await peer.chain_info(channel)).height
            async with self._access.orderer_admin(node) as orderer:
                return (await orderer.channel(channel)).height
        return 0

    async def _is_level(self, node: Node, channel: Channel) -> bool:
        """Whether a peer or an orderer has the blocks that the others of its kind have."""
        own = await self.height(node, channel.name)
        if node.kind == "peer":
            everyone = self._peers(channel)
        else:
            everyone = list(self._topology.ordering.orderers)
        others = [each for each in everyone if each != node]
        found = await asyncio.gather(*(self.height(each, channel.name) for each in others))
        # Blocks go on being made: one behind is a block on its way.
        return own > 0 and own + 1 >= max(found, default=0)

    def _peers(self, channel: Channel) -> list[Node]:
        return [peer for member in self._topology.members(channel.name) for peer in member.peers]

    async def _is_seen(self, node: Node, channel: Channel) -> bool:
        """Whether it sees the running peers, and is seen by them."""
        running = self._processes.running()
        peers = [peer for peer in self._peers(channel) if peer.name in running]
        everyone = {peer.address for peer in peers}
        for peer in peers:
            async with self._access.discovery(peer) as discovery:
                seen = {found.endpoint for found in await discovery.peers(channel.name)}
            if not (everyone if peer == node else {node.address}) <= seen:
                return False
        return True

    async def _is_active(self, node: Node, channel: Channel) -> bool:
        """Whether the leader counts every consenter as active."""
        ordering = self._topology.ordering
        context = tls_context(
            self._layout.tls_ca_certificate(ordering.name),
            self._layout.tls(ordering.name, ADMIN),
        )
        wanted = len([n for n in ordering.orderers if n.name in self._processes.running()])
        for orderer in ordering.orderers:
            if channel.name in await leaders(orderer, context):
                return (await raft_active_nodes(orderer, context, channel.name) or 0) >= wanted
        return False
