"""One node more or one less, in a network that runs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field

from medfab_network._layout import Layout
from medfab_network._orderers import Orderers
from medfab_network._replace import Replacement
from medfab_network._resized import with_orderer, with_peer, without_orderer
from medfab_network._runner import Runner
from medfab_network._up import BringUp, UpReport
from medfab_network.errors import TopologyError
from medfab_network.topology import Node, Topology

LED = (
    "It led: what it had taken and not yet put into a block is dropped. Whoever submitted that is "
    "told that the outcome is not known, and may submit again."
)


@dataclass(kw_only=True)
class NodeReport(UpReport):
    """What has become of one node."""

    node: str
    notes: list[str] = field(default_factory=list)
    """What whoever runs the network has to know now, in sentences."""


class NodeChange:
    """Of the network that `topology` describes."""

    def __init__(
        self,
        topology: Topology,
        layout: Layout,
        processes: Runner,
        bring_up: Callable[[Topology], BringUp],
        remember: Callable[[Topology], None],
    ) -> None:
        """bring_up: makes one. remember: notes down what the network has become."""
        self._topology = topology
        self._layout = layout
        self._processes = processes
        self._bring_up = bring_up
        self._remember = remember

    async def add_orderer(self) -> NodeReport:
        """Start one and take it into all channels; goes on where an earlier call was cut off."""
        begun = await self._orderers(self._topology, self._bring_up(self._topology)).unfinished()
        if begun is None:
            larger, name = with_orderer(self._topology)
            # What a call left that was cut off before the newcomer was noted down.
            await self._forget(node_of(larger, name))
        else:
            larger, name = self._topology, begun.name
        bring_up = self._bring_up(larger)
        node, orderers = node_of(larger, name), self._orderers(larger, bring_up)
        await orderers.check_quorum_with(node)
        await bring_up.start_node(node)
        await orderers.follow(node)
        # Before it is counted: from then on the channels may need it.
        self._remember(larger)
        await orderers.count_in(node)
        notes = []
        if len(larger.ordering.orderers) == 2:
            notes.append("Two orderers can lose none: add a third, which lets one be lost.")
        return _report(name, bring_up, notes)

    async def remove_orderer(self, name: str) -> NodeReport:
        """Take one out of all channels, stop it, and delete its folder."""
        smaller = without_orderer(self._topology, name)
        node = node_of(self._topology, name)
        bring_up = self._bring_up(self._topology)
        led = await self._orderers(self._topology, bring_up).take_out(node)
        self._remember(smaller)
        await self._forget(node)
        notes = [LED] if led else []
        if len(smaller.ordering.orderers) == 2:
            notes.append("Two orderers can lose none.")
        return _report(name, bring_up, notes)

    async def add_peer(self, organization_name: str) -> NodeReport:
        """Start one, with its organisation's chaincodes, and let it join their channels."""
        organization = self._topology.organization(organization_name)
        if not organization.peers:
            raise TopologyError(f"{organization.name} orders, and has no peers")
        larger, name = with_peer(self._topology, organization)
        await self._forget(node_of(larger, name))
        bring_up = self._bring_up(larger)
        organization = larger.organization(organization.name)
        await bring_up.start_node(node_of(larger, name))
        self._remember(larger)
        for channel in larger.channels_of(organization.name):
            async with bring_up.stage(f"{name} joins {channel.name}"):
                await bring_up.join(organization, channel)
        return _report(name, bring_up, [])

    async def replace(self, name: str, *, from_snapshot: bool) -> NodeReport:
        """Make one anew that has lost its disk."""
        node = node_of(self._topology, name)
        bring_up = self._bring_up(self._topology)
        replacement = Replacement(self._topology, self._layout, self._processes, bring_up)
        notes = await replacement.run(node, from_snapshot=from_snapshot)
        return _report(name, bring_up, notes)

    async def _forget(self, node: Node) -> None:
        """Stop it, and delete what it has: keys, certificates, ledgers."""
        await self._processes.stop([node.name])
        await self._processes.forget(node)
        folder = self._layout.node(node.organization, node.name)
        if folder.exists():
            await asyncio.to_thread(shutil.rmtree, folder)

    def _orderers(self, topology: Topology, bring_up: BringUp) -> Orderers:
        return Orderers(topology, self._layout, self._processes, bring_up)


def node_of(topology: Topology, name: str) -> Node:
    """`TopologyError` lists those there are."""
    for node in topology.nodes():
        if node.name == name:
            return node
    known = ", ".join(node.name for node in topology.nodes())
    raise TopologyError(f"there is no node {name!r}; there are {known}")


def _report(name: str, bring_up: BringUp, notes: list[str]) -> NodeReport:
    report = bring_up.report
    return NodeReport(node=name, started=report.started, seconds=report.seconds, notes=notes)
