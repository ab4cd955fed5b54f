"""A node that has lost its disk, made anew: with its name, its place and its keys where they are.

What it held comes from the others. A peer fetches blocks and private data; an orderer becomes a new
member of the consensus, because what it had promised the others was on the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

from medfab_gateway.admin import AsyncLifecycle, PeerAdminError
from medfab_gateway.errors import EvaluateError, MedfabError
from medfab_network._access import Access
from medfab_network._deploy import approve_and_commit
from medfab_network._health import tls_context, wait_until
from medfab_network._layout import Layout
from medfab_network._orderers import Orderers
from medfab_network._place import place_of
from medfab_network._reconciliation import CATCHING_UP, Reconciled, reconciled
from medfab_network._runner import Runner
from medfab_network._status import heights_of
from medfab_network._up import BringUp
from medfab_network.errors import NetworkError, NodeFailedError, TopologyError
from medfab_network.topology import RAFT, Chaincode, Channel, Node, Topology

_TIMEOUT = 3600.0
"""Seconds to fetch all blocks of a channel."""


class Replacement:
    """Of one node of a running network."""

    def __init__(
        self, topology: Topology, layout: Layout, processes: Runner, bring_up: BringUp
    ) -> None:
        self._topology = topology
        self._layout = layout
        self._processes = processes
        self._bring_up = bring_up
        self._access = Access(layout)
        self._notes: list[str] = []

    async def run(self, node: Node, *, from_snapshot: bool) -> list[str]:
        """Whatever is left of its ledgers goes first. Returns what is to be known, in sentences."""
        if node.kind == "orderer":
            if from_snapshot:
                raise TopologyError(f"{node.name} is an orderer: snapshots are of peers")
            await self._orderer(node)
        elif node.kind == "peer":
            await self._peer(node, from_snapshot=from_snapshot)
        else:
            raise TopologyError(
                f"{node.name}: peers and orderers can be made anew from the others. A chaincode "
                "has no disk; a certificate authority needs a backup of its own"
            )
        return self._notes

    # --- orderers ------------------------------------------------------------------------------

    async def _orderer(self, node: Node) -> None:
        orderers = Orderers(self._topology, self._layout, self._processes, self._bring_up)
        if self._topology.ordering.orderers == (node,):
            raise NetworkError(
                f"{node.name} is the only orderer: no other has its blocks and could order on. "
                "Only a backup of its disk brings it back"
            )
        if self._topology.consensus == RAFT:
            # As the member that it was, it could agree to other blocks than those that it has
            # agreed to: its votes and its log are lost. As a new member it has promised nothing.
            await orderers.take_out(node)
        else:
            # Here that is one of the faults that the others outvote.
            await orderers.check_quorum_without(node)
            await orderers.renew_listing(node)
        await self._wipe(node)
        await self._bring_up.start_node(node)
        await orderers.follow(node)
        await orderers.count_in(node)

    # --- peers ---------------------------------------------------------------------------------

    async def _peer(self, node: Node, *, from_snapshot: bool) -> None:
        organization = self._topology.organization(node.organization)
        channels = self._topology.channels_of(organization.name)
        source = await self._source(node, channels)
        if from_snapshot and source is None:
            raise NetworkError(
                f"{organization.name} has no other peer that runs: peers make snapshots for their "
                "own organisation alone. Without --from-snapshot the blocks come from the orderers"
            )
        await self._wipe(node)
        since = self._processes.log_mark(node.name)
        await self._bring_up.start_node(node, CATCHING_UP)
        for channel in channels:
            if from_snapshot and source is not None:
                async with self._bring_up.stage(f"{node.name} joins {channel.name} by snapshot"):
                    await self._join_by_snapshot(node, channel, source)
            async with self._bring_up.stage(f"{node.name} fetches the blocks of {channel.name}"):
                await self._bring_up.join(organization, channel)
                await self._wait_for_blocks(node, channel)
            async with self._bring_up.stage(f"{node.name} fetches private data of {channel.name}"):
                context = tls_context(
                    self._layout.tls_ca_certificate(organization.name),
                    self._layout.tls(organization.name, node.name),
                )
                private = await reconciled(
                    node,
                    channel,
                    self._processes,
                    context,
                    since=since,
                    by_snapshot=from_snapshot,
                )
            self._tell(channel, private, by_snapshot=from_snapshot)
        await self._processes.stop([node.name])
        await self._bring_up.start_node(node)
        for channel in channels:
            await self._bring_up.join(organization, channel)  # waits until all see it
        for chaincode in self._topology.chaincodes:
            if chaincode.channel in {channel.name for channel in channels}:
                await self._can_endorse(node, chaincode)

    def _tell(self, channel: Channel, private: Reconciled, *, by_snapshot: bool) -> None:
        fetched = f"{channel.name}: {private.fetched} sets of private data came from other peers."
        if not private.missing:
            self._notes.append(fetched)
            return
        number = "Some" if by_snapshot else f"{private.missing}"
        self._notes.append(
            f"{fetched} {number} are with no other peer: the channel has their hashes, and nobody "
            "their content, but for a backup of the lost disk. What an organisation keeps to "
            "itself is with its own peers alone; see private_data_copies."
        )

    async def _can_endorse(self, node: Node, chaincode: Chaincode) -> None:
        """Where its organisation's own approval is lost as well, all approve the next sequence.

        Which package a peer runs for a chaincode is private data of its organisation, and cannot be
        written again for the same sequence.
        """
        organization = self._topology.organization(node.organization)
        async with contextlib.AsyncExitStack() as stack:
            lifecycles = {}
            for member in self._topology.members(chaincode.channel):
                gateway = await stack.enter_async_context(self._access.gateway(member))
                lifecycles[member.name] = AsyncLifecycle(gateway.network(chaincode.channel))
            own = lifecycles[organization.name]
            committed = await own.committed(chaincode.name)
            if committed is None:
                return
            try:
                await own.approved(chaincode.name, committed.sequence, msp_id=organization.msp_id)
            except EvaluateError as error:
                if _IS_LOST not in str(error):
                    raise
                async with self._bring_up.stage(f"all approve {chaincode.name} anew"):
                    await approve_and_commit(chaincode, self._topology, lifecycles, anew=True)
                committed = await own.committed(chaincode.name)
                self._notes.append(
                    f"{chaincode.name}: {organization.name}'s approval was lost too, so all "
                    "members have approved the same definition as the next sequence"
                    f"{f', {committed.sequence}' if committed else ''}."
                )
        if committed is not None:
            await self._bring_up.members.wait_for_endorsers(
                chaincode, organization, committed.sequence
            )

    async def _source(self, node: Node, channels: tuple[Channel, ...]) -> Node | None:
        """Another peer of the organisation that runs, and is on all channels."""
        for peer in self._topology.organization(node.organization).peers:
            if peer.name != node.name:
                with contextlib.suppress(MedfabError):
                    heights = await heights_of(peer, self._access)
                    if {channel.name for channel in channels} <= heights.keys():
                        return peer
        return None

    async def _join_by_snapshot(self, node: Node, channel: Channel, source: Node) -> None:
        own = self._layout.node(node.organization, node.name) / "joined-by"
        try:
            block = await self._take_snapshot(channel, source, own)
            self._processes.hand_over(node.name)
            async with self._access.peer_admin(node) as admin:
                await admin.snapshots.join(place_of(node, self._layout).folder / own.name)
                await admin.snapshots.wait_until_joined(channel.name, timeout=_TIMEOUT)
        finally:
            await asyncio.to_thread(shutil.rmtree, own, ignore_errors=True)
        self._notes.append(
            f"{channel.name}: joined by the snapshot of {source.name} as of block {block}. "
            "It has no blocks before that one: ask another peer for those."
        )

    async def _take_snapshot(self, channel: Channel, source: Node, target: Path) -> int:
        """Let a peer make one, and copy it from there; returns the number of its newest block."""
        refused: PeerAdminError | None = None
        async with self._access.peer_admin(source) as admin:
            first = (await admin.chain_info(channel.name)).height - 1
            try:
                await admin.snapshots.request(channel.name)
            except PeerAdminError as error:  # one of the newest block may be there already
                refused = error

            async def is_made() -> bool:
                return not await admin.snapshots.pending(channel.name)

            await wait_until(
                is_made,
                node=source.name,
                what=f"its snapshot of {channel.name}",
                processes=self._processes,
                timeout=_TIMEOUT,
            )
            last = (await admin.chain_info(channel.name)).height - 1
        # On separate hosts this is what travels, between two machines of one organisation.
        for block in range(last, first - 1, -1):
            made = f"snapshots/completed/{channel.name}/{block}"
            if await asyncio.to_thread(self._copy, source, made, target):
                return block
        raise NodeFailedError(
            source.name,
            f"made no snapshot of {channel.name}",
            self._processes.log_tail(source.name),
        ) from refused

    def _copy(self, source: Node, folder: str, target: Path) -> bool:
        """A folder of a node's data to one of this machine; returns whether anything is there."""
        shutil.rmtree(target, ignore_errors=True)  # of a call that was cut off
        with contextlib.closing(self._processes.data_files(source, folder)) as files:
            for entry, content in files:
                path = target / entry.name
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with path.open("xb") as copy:
                    shutil.copyfileobj(content, copy)
        return target.exists()

    async def _wait_for_blocks(self, node: Node, channel: Channel) -> None:
        peers = [p for member in self._topology.members(channel.name) for p in member.peers]
        others = [*self._topology.ordering.orderers, *(p for p in peers if p.name != node.name)]
        goal = 0
        for each in others:
            with contextlib.suppress(MedfabError):
                goal = max(goal, (await heights_of(each, self._access)).get(channel.name, 0))

        async def has_them() -> bool:
            with contextlib.suppress(MedfabError):
                return (await heights_of(node, self._access)).get(channel.name, 0) >= goal
            return False

        await wait_until(
            has_them,
            node=node.name,
            what=f"the {goal} blocks of {channel.name}",
            processes=self._processes,
            timeout=_TIMEOUT,
        )

    async def _wipe(self, node: Node) -> None:
        """Stop it, and delete what is left of its ledgers. Keys and certificates stay."""
        await self._processes.stop([node.name])
        await self._processes.forget(node)


_IS_LOST = "private data matching public hash version is not available"
