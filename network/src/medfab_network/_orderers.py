"""Orderers that come and go while the channels work: consenters, one at a time.

A newcomer follows first: it has all blocks before it is counted, so that the others never wait for
it. Clients are told of it last, and of one that goes first.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

from medfab_gateway.admin import ConfigEditor, OrdererAdminError, orderer_endpoints
from medfab_network._access import Access
from medfab_network._channel_change import ChannelChanges
from medfab_network._enrolment import ADMIN
from medfab_network._health import leaders, raft_active_nodes, tls_context, wait_until
from medfab_network._layout import Layout
from medfab_network._quorum import quorum
from medfab_network._runner import Runner
from medfab_network._up import BringUp
from medfab_network.errors import QuorumError
from medfab_network.topology import BFT, RAFT, Channel, Node, Topology

_TIMEOUT = 300.0
"""Seconds to fetch all blocks; a follower asks for new ones every ten seconds at the latest."""


class Orderers:
    """The orderers of a running network, with one that comes, or goes, or both."""

    def __init__(
        self, topology: Topology, layout: Layout, processes: Runner, bring_up: BringUp
    ) -> None:
        """topology: with the orderer. bring_up: of that topology."""
        self._topology = topology
        self._layout = layout
        self._processes = processes
        self._bring_up = bring_up
        self._access = Access(layout)
        self._changes = ChannelChanges(topology, self._access)

    # --- one more ------------------------------------------------------------------------------

    async def unfinished(self) -> Node | None:
        """An orderer of the topology that some channel does not know: an `add` was cut off."""
        for channel in self._topology.channels:
            config = await self._changes.config(channel)
            consenters = ConfigEditor(config).consenters
            listed = {endpoint.address for endpoint in orderer_endpoints(config)}
            for node in self._topology.ordering.orderers:
                if (node.host, node.port) not in consenters or node.address not in listed:
                    return node
        return None

    async def check_quorum_with(self, node: Node) -> None:
        """Raises `QuorumError` where a channel could not do with one more now."""
        for channel in self._topology.channels:
            await self._check_quorum(channel, node, adding=True)

    async def renew_listing(self, node: Node) -> None:
        """Let nobody turn to it, and then again: a newest configuration that it has not known.

        By that one it fetches all blocks before it takes part. By the first block it would begin
        anew, and might lead. Both before it starts: of a block that it just misses it hears with
        the next one only.
        """
        ordering = self._topology.ordering
        for channel in self._topology.channels:
            async with self._bring_up.stage(f"{channel.name} goes on without {node.name}"):
                await self._changes.apply(
                    channel, lambda e: e.unlist_orderer(node.host, node.port), [ordering]
                )
                await self._changes.apply(
                    channel,
                    lambda e: e.list_orderer(node.host, node.port, msp_id=ordering.msp_id),
                    [ordering],
                )

    async def check_quorum_without(self, node: Node) -> None:
        """Raises `QuorumError` where the others cannot agree while it is away."""
        for channel in self._topology.channels:
            well = await self._well(channel, node)
            everyone = ConfigEditor(await self._changes.config(channel)).consenters
            needed = quorum(self._topology.consensus, len(everyone))
            if len(well) < needed:
                raise QuorumError(
                    f"{channel.name}: {needed} of {len(everyone)} orderers have to agree, and "
                    f"{len(well)} are well without {node.name}. Nothing has been changed. Start "
                    "the others (`medfab network up`), and try again"
                )

    async def follow(self, node: Node) -> None:
        """Let it join all channels, and fetch their blocks."""
        for channel in self._topology.channels:
            async with self._bring_up.stage(f"{node.name} fetches the blocks of {channel.name}"):
                async with self._access.orderer_admin(node) as admin:
                    if channel.name not in await admin.channels():
                        await admin.join(await self._changes.config_block(channel))
                await self._wait_for_blocks(node, channel)

    async def count_in(self, node: Node) -> None:
        """Make it a consenter of all channels, and list it for peers and clients."""
        ordering = self._topology.ordering
        tls = (self._layout.tls(ordering.name, node.name) / "cert.pem").read_bytes()
        folder = self._layout.node(ordering.name, node.name)
        identity = (folder / "msp" / "signcerts" / "cert.pem").read_bytes()

        def consenter(editor: ConfigEditor) -> None:
            if (node.host, node.port) not in editor.consenters:
                editor.add_consenter(
                    node.host,
                    node.port,
                    msp_id=ordering.msp_id,
                    client_tls_certificate=tls,
                    server_tls_certificate=tls,
                    identity_certificate=identity,
                )

        def listed(editor: ConfigEditor) -> None:
            editor.list_orderer(node.host, node.port, msp_id=ordering.msp_id)

        for channel in self._topology.channels:
            async with self._bring_up.stage(f"{channel.name} counts {node.name} in"):
                await self._check_quorum(channel, node, adding=True)
                await self._changes.apply(channel, consenter, [ordering])
                await self._wait_for_consenter(node, channel)
                await self._changes.apply(channel, listed, [ordering])

    # --- one less ------------------------------------------------------------------------------

    async def take_out(self, node: Node) -> bool:
        """Let no channel count on it, or tell of it, any more.

        Returns whether it led a channel in Raft. What it had taken then, and not yet put into a
        block, is dropped (etcdraft's `becomeFollower`): the same as when a leader is lost.
        """
        led = False
        ordering = self._topology.ordering

        def consenter(editor: ConfigEditor) -> None:
            if (node.host, node.port) in editor.consenters:
                editor.remove_consenter(node.host, node.port)

        for channel in self._topology.channels:  # of all, before the first is changed
            await self._check_quorum(channel, node, adding=False)
        for channel in self._topology.channels:
            async with self._bring_up.stage(f"{channel.name} goes on without {node.name}"):
                await self._check_quorum(channel, node, adding=False)
                await self._changes.apply(
                    channel, lambda e: e.unlist_orderer(node.host, node.port), [ordering]
                )
                led |= channel.name in await leaders(node, self._operations())
                await self._changes.apply(channel, consenter, [ordering])
                await self._wait_for_leader(channel, of=await self._well(channel, node))
        return led and self._topology.consensus == RAFT

    # --- within --------------------------------------------------------------------------------

    async def _check_quorum(self, channel: Channel, node: Node, *, adding: bool) -> None:
        """Raises `QuorumError` where too few consenters are well for the change."""
        consensus = self._topology.consensus
        present = ConfigEditor(await self._changes.config(channel)).consenters
        own = (node.host, node.port)
        if adding == (own in present):
            return  # done before
        others = [each for each in present if each != own]
        well = await self._well(channel, node)
        # To agree on the change, the present ones are needed; after it, the new ones.
        counted = [*well, node.name] if not adding and await self._is_well(node, channel) else well
        before = quorum(consensus, len(present))
        after = quorum(consensus, len(others) + adding)
        # From one consenter to two there is no other way than to count on the second.
        enough = len(well) + (len(others) == 1 if adding else 0) >= after
        if len(counted) >= before and enough:
            await self._wait_for_leader(channel, of=counted)
            return
        ill = [
            each.name
            for each in self._topology.ordering.orderers
            if (each.host, each.port) in others and each.name not in well
        ]
        raise QuorumError(
            f"{channel.name}: {'with' if adding else 'without'} {node.name} there would be "
            f"{len(others) + adding} orderers, of which {after} have to agree; "
            f"{', '.join(ill) or 'none'} is not well, so the channel could stand still. Nothing "
            "has been changed. Start it (`medfab network up`), or replace it (`medfab network "
            "replace`), and try again"
        )

    async def _well(self, channel: Channel, node: Node) -> list[str]:
        """The consenters of the channel that answer so, but for `node`."""
        return [
            each.name
            for each in self._topology.ordering.orderers
            if each.name != node.name and await self._is_well(each, channel)
        ]

    async def _is_well(self, node: Node, channel: Channel) -> bool:
        try:
            async with self._access.orderer_admin(node) as admin:
                state = await admin.channel(channel.name)
        except OrdererAdminError:
            return False
        return state.status == "active" and state.consensus_relation == "consenter"

    async def _height(self, node: Node, channel: Channel) -> int:
        try:
            async with self._access.orderer_admin(node) as admin:
                return (await admin.channel(channel.name)).height
        except OrdererAdminError:
            return 0

    async def _others_height(self, node: Node, channel: Channel) -> int:
        others = [o for o in self._topology.ordering.orderers if o.name != node.name]
        return max([await self._height(each, channel) for each in others], default=0)

    async def _wait_for_blocks(self, node: Node, channel: Channel) -> None:
        goal = await self._others_height(node, channel)

        async def has_them() -> bool:
            return await self._height(node, channel) >= goal

        await self._wait(node, f"the {goal} blocks of {channel.name}", has_them)

    async def _wait_for_consenter(self, node: Node, channel: Channel) -> None:
        """Until it takes part: by its own word, and in Raft by the leader's, too."""
        goal = await self._others_height(node, channel)
        count = len(ConfigEditor(await self._changes.config(channel)).consenters)
        context = self._operations()

        async def takes_part() -> bool:
            if not await self._is_well(node, channel):
                return False
            if await self._height(node, channel) < goal:
                return False
            if self._topology.consensus == BFT:
                return True
            for each in self._topology.ordering.orderers:
                if channel.name in await leaders(each, context):
                    return await raft_active_nodes(each, context, channel.name) == count
            return False

        await self._wait(node, f"being a consenter of {channel.name}", takes_part)

    async def _wait_for_leader(self, channel: Channel, *, of: list[str]) -> None:
        """In Raft, until one leads and hears of all the orderers named: it refuses changes before.

        The removed one may have led, and those that were started just now elect first. With BFT
        who leads is told with the next block only; an orderer keeps a change until one does.
        """
        if self._topology.consensus == BFT:
            return
        context = self._operations()
        nodes = [each for each in self._topology.ordering.orderers if each.name in of]

        async def one_leads() -> bool:
            for each in nodes:
                if channel.name in await leaders(each, context):
                    active = await raft_active_nodes(each, context, channel.name)
                    return (active or 0) >= len(of)
            return False

        await self._wait(nodes[0], f"a leader of {channel.name}", one_leads)

    def _operations(self) -> ssl.SSLContext:
        name = self._topology.ordering.name
        return tls_context(self._layout.tls_ca_certificate(name), self._layout.tls(name, ADMIN))

    async def _wait(self, node: Node, what: str, check: Callable[[], Awaitable[bool]]) -> None:
        await wait_until(
            check, node=node.name, what=what, processes=self._processes, timeout=_TIMEOUT
        )
