"""Bringing a network up. Every step looks first whether its result is there already."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from medfab_gateway.admin import AsyncLifecycle
from medfab_gateway.errors import GatewayError, MedfabError
from medfab_network._access import Access
from medfab_network._authority import ca_start
from medfab_network._binaries import Binaries
from medfab_network._builder import install_builder
from medfab_network._channel_change import ChannelChanges
from medfab_network._deploy import (
    approve_and_commit,
    chaincode_package_id,
    definition,
    package,
    write_connection,
)
from medfab_network._enrolment import ADMIN, registrar_secret
from medfab_network._genesis import write_genesis_blocks
from medfab_network._health import (
    is_listening,
    leaders,
    tls_context,
    wait_healthy,
    wait_until,
)
from medfab_network._layout import Layout
from medfab_network._members import Members
from medfab_network._nodes import Start, chaincode_start, orderer_start, peer_start
from medfab_network._profiles import write_connection_profile
from medfab_network._progress import Progress
from medfab_network._quorum import quorum
from medfab_network._rotation_pairs import finish_replacements
from medfab_network._runner import Runner
from medfab_network._status import heights_of
from medfab_network._together import together
from medfab_network.errors import LostDisk, LostDiskError, NetworkError, PortInUseError
from medfab_network.topology import BFT, Chaincode, Channel, Node, Organization, Topology


@dataclass(kw_only=True)
class UpReport:
    """What `up` did. `seconds` has the wall-clock time of each stage, in order."""

    started: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """Orderers that have lost their blocks, and do not take part until they are replaced."""


class BringUp:
    """One run of `up`."""

    def __init__(
        self,
        topology: Topology,
        layout: Layout,
        processes: Runner,
        binaries: Binaries,
        progress: Progress,
    ) -> None:
        self._topology = topology
        self._layout = layout
        self._processes = processes
        self._binaries = binaries
        self._progress = progress
        self._access = Access(layout)
        processes.adopt(topology)
        self.members = Members(topology, self._access, processes)
        self._running: dict[str, int] = {}
        self.report = UpReport()

    async def run(self) -> UpReport:
        """All stages. What this run started is for the caller to stop when it raises."""
        topology = self._topology
        self._running = await self._processes.settled()
        await self._check_ports(topology.nodes())
        if not topology.containers:
            install_builder(self._layout)
        async with self.stage("certificate authorities, enrolment, nodes"):
            await together(self._organization(o) for o in topology.all_organizations())
        async with self.stage("channels"):
            await write_genesis_blocks(self._topology, self._layout, self._binaries)
            await together([self._join_orderers(), self._join_peers()])
        async with self.stage("peers see each other"):
            await together(
                self.members.wait_for_peers(channel, peer)
                for channel in topology.channels
                for member in topology.members(channel.name)
                for peer in member.peers
            )
        async with self.stage("chaincode"):
            for chaincode in topology.chaincodes:
                await self._deploy(chaincode)
        return self.report

    @contextlib.asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[None]:
        """A part of the work that is reported, with its seconds."""
        self._progress.step(name)
        began = time.monotonic()
        yield
        self.report.seconds[name] = seconds = time.monotonic() - began
        self._progress.done(name, seconds)

    async def start_organization(self, organization: Organization) -> None:
        """One organisation's authority and nodes alone, its chaincodes installed; no channel."""
        self._running = await self._processes.settled()
        own = [n for n in self._topology.nodes() if n.organization == organization.name]
        await self._check_ports(own)
        async with self.stage(f"certificate authority, enrolment, nodes of {organization.name}"):
            await self._organization(organization)

    async def start_node(self, node: Node, environment: Mapping[str, str] | None = None) -> None:
        """One peer or orderer alone, and its organisation's authority where that does not run.

        environment: more than the node finds there otherwise.
        """
        organization = self._topology.organization(node.organization)
        self._running = await self._processes.settled()
        await self._check_ports([node])
        async with self.stage(f"{node.name} starts"):
            await self._start_ca(organization)
            chaincodes = self._chaincodes_of(organization)

            def start(name: str) -> None:
                if name == node.name:
                    self._start_node(node, environment)

            await self._enrol(organization, chaincodes, start)
            context = tls_context(self._layout.tls_ca_certificate(organization.name))
            await wait_healthy(node, context, self._processes)
            if node.kind == "peer":
                await self._install(node, [chaincode for _, chaincode in chaincodes])

    async def _check_ports(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node.name in self._running:
                continue
            for port in node.ports:
                if not await _becomes_free(port):
                    raise PortInUseError(
                        f"port {port}, which {node.name} needs, is taken by another program. "
                        "End that program (`ss -ltnp` shows it), or choose another base_port in "
                        "the topology"
                    )

    # --- certificate authority, enrolment, node processes ---------------------------------

    async def _organization(self, organization: Organization) -> None:
        await self._start_ca(organization)
        chaincodes = self._chaincodes_of(organization)
        nodes = {node.name: node for node in (*organization.orderers, *organization.peers)}
        deployed = {node.name: (node, chaincode) for node, chaincode in chaincodes}
        everyone = [*nodes.values(), *(node for node, _ in chaincodes)]
        for node in await asyncio.to_thread(
            finish_replacements, self._layout, everyone, self._processes
        ):
            await self._stop(node)
        for node, chaincode in chaincodes:
            await self._stop_older(node, chaincode)

        def start(name: str) -> None:
            if name in nodes:
                self._start_node(nodes[name])
            else:
                self._start_chaincode(*deployed[name])

        await self._enrol(organization, chaincodes, start)
        context = tls_context(self._layout.tls_ca_certificate(organization.name))
        for node in (*organization.orderers, *organization.peers):
            await wait_healthy(node, context, self._processes)
        for peer in organization.peers:
            await self._install(peer, [chaincode for _, chaincode in chaincodes])
        for node, _ in chaincodes:
            await wait_healthy(node, context, self._processes)

    def _chaincodes_of(self, organization: Organization) -> list[tuple[Node, Chaincode]]:
        """Its processes of chaincodes."""
        return [
            (node, chaincode)
            for chaincode in self._topology.chaincodes
            for node in chaincode.nodes
            if node.organization == organization.name
        ]

    async def _enrol(
        self,
        organization: Organization,
        chaincodes: Iterable[tuple[Node, Chaincode]],
        start: Callable[[str], None],
    ) -> None:
        """Everybody and everything of an organisation; `start` is called with who is ready to."""
        async with self._access.enrolment(organization) as enrolment:
            await enrolment.organization(tuple(node.name for node, _ in chaincodes), start)
        write_connection_profile(organization, self._topology, self._layout)

    async def _install(self, peer: Node, chaincodes: Iterable[Chaincode]) -> None:
        async with self._access.peer_admin(peer) as admin:
            for chaincode in chaincodes:
                await admin.install_chaincode(package(chaincode))

    async def _start_ca(self, organization: Organization) -> None:
        node = organization.ca
        secret = registrar_secret(self._layout, organization.name)
        self._start(node, ca_start(node, self._binaries, self._layout, secret))
        roots = (
            self._layout.ca_certificate(organization.name),
            self._layout.tls_ca_certificate(organization.name),
        )

        async def has_roots() -> bool:
            return all(path.exists() and path.stat().st_size > 0 for path in roots)

        await wait_until(
            has_roots, node=node.name, what="its root certificates", processes=self._processes
        )
        server = tls_context(self._layout.ca_server_certificate(organization.name))
        await wait_healthy(node, server, self._processes)

    def _start_node(self, node: Node, environment: Mapping[str, str] | None = None) -> None:
        configure = orderer_start if node.kind == "orderer" else peer_start
        start = configure(node, self._topology, self._binaries, self._layout)
        self._start(node, start, environment)

    async def _stop_older(self, node: Node, chaincode: Chaincode) -> None:
        """A process of another version than the topology's makes way."""
        runs = self._processes.environment(node.name).get("CHAINCODE_ID")
        if runs not in (None, chaincode_package_id(chaincode)):
            await self._stop(node)

    async def _stop(self, node: Node) -> None:
        """For a moment: `_start` is next."""
        await self._processes.stop([node.name])
        self._running.pop(node.name, None)

    def _start_chaincode(self, node: Node, chaincode: Chaincode) -> None:
        write_connection(node, chaincode, self._layout)
        identifier = chaincode_package_id(chaincode)
        self._start(
            node, chaincode_start(node, chaincode, identifier, self._topology, self._layout)
        )

    def _start(self, node: Node, start: Start, extra: Mapping[str, str] | None = None) -> None:
        if node.name in self._running:
            self._processes.hand_over(node.name)
            return
        self._processes.start(
            node.name, start.command, start.environment, start.folder, extra or {}
        )
        self.report.started.append(node.name)

    # --- channels --------------------------------------------------------------------------

    async def _join_orderers(self) -> None:
        ordering = self._topology.ordering
        blocks = {
            channel.name: self._layout.channel_block(channel.name).read_bytes()
            for channel in self._topology.channels
        }

        lost: list[LostDisk] = []

        async def join(orderer: Node) -> None:
            async with self._access.orderer_admin(orderer) as admin:
                joined = await admin.channels()
                for name, block in blocks.items():
                    if name not in joined:
                        if await self._has_gone_on(name, orderer):
                            lost.append(LostDisk(node=orderer.name, channel=name))
                        else:
                            await admin.join(block)

        await together(join(orderer) for orderer in ordering.orderers)
        self.report.lost = sorted({each.node for each in lost})
        left = [each for each in ordering.orderers if each.name not in self.report.lost]
        if len(left) < quorum(self._topology.consensus, len(ordering.orderers)):
            raise LostDiskError(lost)
        # Peers would turn to it, and be told that there is no such channel.
        await self._processes.stop(self.report.lost)
        self.report.started = [n for n in self.report.started if n not in self.report.lost]
        if self.report.lost and self._topology.consensus == BFT:
            return  # one of these may have led: who does now is told with the next block only
        context = tls_context(
            self._layout.tls_ca_certificate(ordering.name), self._layout.tls(ordering.name, ADMIN)
        )

        async def every_channel_has_a_leader() -> bool:
            led: set[str] = set()
            for orderer in left:
                led |= await leaders(orderer, context)
            return led >= set(blocks)

        await wait_until(
            every_channel_has_a_leader,
            node=left[0].name,
            what="a leader for every channel",
            processes=self._processes,
        )

    async def _has_gone_on(self, channel: str, orderer: Node) -> bool:
        """Whether a channel has blocks that this orderer, which has none, once agreed to.

        With the first block it would begin anew, and might agree to others in their place.
        """
        for node in (*self._topology.ordering.orderers, *self._peers()):
            if node.name != orderer.name and node.name in self._processes.running():
                with contextlib.suppress(MedfabError):
                    if (await heights_of(node, self._access)).get(channel, 0) > 1:
                        return True
        return False

    def _peers(self) -> Iterator[Node]:
        for organization in self._topology.organizations:
            yield from organization.peers

    async def _join_peers(self) -> None:
        """One peer after the other: the later one of each pair finds the earlier one ready.

        Peers that join at the same moment refuse each other and back off for seconds.
        """
        async with contextlib.AsyncExitStack() as stack:
            peers = []
            for organization in self._topology.organizations:
                for peer in organization.peers:
                    admin = await stack.enter_async_context(self._access.peer_admin(peer))
                    peers.append((peer, admin, await admin.channels()))
            for channel in self._topology.channels:
                block = self._layout.channel_block(channel.name).read_bytes()
                for peer, admin, joined in peers:
                    member = peer.organization in channel.organizations
                    if member and channel.name not in joined:
                        await admin.join_channel(block)

    async def join(self, organization: Organization, channel: Channel) -> None:
        """Those of its peers join that have not, and everybody finds everybody."""
        block: bytes | None = None
        for peer in organization.peers:
            async with self._access.peer_admin(peer) as admin:
                if channel.name not in await admin.channels():
                    changes = ChannelChanges(self._topology, self._access)
                    block = block or await changes.first_block(channel, organization)
                    await admin.join_channel(block)
        running = self._processes.running()
        for member in self._topology.members(channel.name):
            for peer in member.peers:
                if peer.name in running:
                    await self.members.wait_for_peers(channel, peer)

    # --- chaincode ---------------------------------------------------------------------------

    async def _deploy(self, chaincode: Chaincode) -> None:
        name = chaincode.name
        members = self._topology.members(chaincode.channel)
        async with contextlib.AsyncExitStack() as stack:
            lifecycles = {}
            for member in members:
                gateway = await stack.enter_async_context(self._access.gateway(member))
                lifecycles[member.name] = AsyncLifecycle(gateway.network(chaincode.channel))
            await approve_and_commit(chaincode, self._topology, lifecycles)
            committed = await next(iter(lifecycles.values())).committed(chaincode.name)
            if committed is None:
                raise NetworkError(f"{name} is committed, but {members[0].name} does not know it")
            wanted = definition(chaincode, self._topology, committed.sequence)

            async def wait_for(member: Organization) -> None:
                async def knows() -> bool:
                    try:
                        return await lifecycles[member.name].committed(name) == wanted
                    except GatewayError:
                        return False

                await wait_until(
                    knows,
                    node=member.peers[0].name,
                    what=f"the committed definition of {name}",
                    processes=self._processes,
                )

            await together(wait_for(member) for member in members)


async def _becomes_free(port: int) -> bool:
    """Whether nothing listens on the port, now or within a second: a node may be just ending."""
    deadline = time.monotonic() + 1.0
    while await is_listening(port):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True
