"""Taking a running consortium to one more organisation, step by step as organisations would do it.

Each step is done with what one organisation has: its own folder and wallet. What would travel
between real ones is in the arguments here: the new one's definition, and the update with its
signatures. Every step looks first whether its result is there already.
"""

from __future__ import annotations

import contextlib

from medfab_gateway.admin import (
    AsyncChannelAdmin,
    AsyncLifecycle,
    AsyncOrderer,
    ConfigEditor,
    NoChangeError,
    OrganizationDefinition,
    orderer_endpoints,
)
from medfab_gateway.errors import GatewayError, MedfabError
from medfab_network._access import Access
from medfab_network._deploy import chaincode_package_id
from medfab_network._enrolment import ADMIN
from medfab_network._health import wait_until
from medfab_network._layout import Layout
from medfab_network._runner import Runner
from medfab_network._up import BringUp
from medfab_network.errors import NetworkError
from medfab_network.topology import Chaincode, Channel, Organization, Topology


class Joining:
    """An organisation on its way into its channels."""

    def __init__(
        self,
        organization: Organization,
        topology: Topology,
        layout: Layout,
        processes: Runner,
        bring_up: BringUp,
    ) -> None:
        """topology: with the organisation. bring_up: of that topology."""
        self._organization = organization
        self._topology = topology
        self._layout = layout
        self._processes = processes
        self._bring_up = bring_up
        self._access = Access(layout)

    async def run(self) -> None:
        """All steps, from its certificate authority to its first endorsement."""
        await self._bring_up.start_organization(self._organization)
        channels = self._topology.channels_of(self._organization.name)
        for channel in channels:
            async with self._bring_up.stage(f"{channel.name} takes it in"):
                await self._take_in(channel)
        for channel in channels:
            async with self._bring_up.stage(f"its peers join {channel.name}"):
                await self._join(channel)
        for chaincode in self._topology.chaincodes:
            if chaincode.channel in {channel.name for channel in channels}:
                async with self._bring_up.stage(f"it approves {chaincode.name}"):
                    await self._approve(chaincode)

    async def _take_in(self, channel: Channel) -> None:
        """The others take it in: one makes the update, all sign, one hands it in."""
        definition = self._definition()
        members = [
            member
            for member in self._topology.members(channel.name)
            if member.name != self._organization.name
        ]
        async with self._channel_admin(members[0]) as channels:
            config = await channels.config(channel.name)
            try:
                request = ConfigEditor(config).add_organization(definition).update()
            except NoChangeError:
                return
            for member in members:
                admin = self._access.entry(member.name, ADMIN)
                request = request.sign(admin.identity, admin.signer())
            await channels.submit(request)

    def _definition(self) -> OrganizationDefinition:
        """What the new one sends to the others."""
        first = self._organization.peers[0]
        host, _, port = first.address.rpartition(":")
        return OrganizationDefinition.from_msp(
            self._layout.msp(self._organization.name),
            self._organization.msp_id,
            anchor_peers=[(host, int(port))],
        )

    async def _join(self, channel: Channel) -> None:
        """Its peers join, with the first block from an orderer, and everybody finds everybody."""
        block: bytes | None = None
        for peer in self._organization.peers:
            async with self._access.peer_admin(peer) as admin:
                if channel.name not in await admin.channels():
                    block = block or await self._genesis_block(channel)
                    await admin.join_channel(block)
        for member in self._topology.members(channel.name):
            for peer in member.peers:
                await self._bring_up.wait_for_membership(channel, peer)

    async def _genesis_block(self, channel: Channel) -> bytes:
        """As an organisation gets it that has no peer on the channel: from an orderer."""
        member = next(
            each
            for each in self._topology.members(channel.name)
            if each.name != self._organization.name
        )
        async with self._channel_admin(member) as channels:
            endpoints = orderer_endpoints(await channels.config(channel.name))
        own = self._access.entry(self._organization.name, ADMIN)
        failure: MedfabError | None = None
        for endpoint in endpoints:
            async with AsyncOrderer(endpoint, own.identity, own.signer()) as orderer:
                try:
                    return await orderer.block(channel.name, 0)
                except MedfabError as error:
                    failure = error  # another orderer may be well
        raise failure or NetworkError(f"{channel.name} names no orderer in its configuration")

    async def _approve(self, chaincode: Chaincode) -> None:
        """It approves what is in force, with its own package; until its peers endorse."""
        name, own = chaincode.name, self._organization
        async with self._access.gateway(own) as gateway:
            lifecycle = AsyncLifecycle(gateway.network(chaincode.channel))
            committed = await lifecycle.committed(name)
            if committed is None:
                raise NetworkError(
                    f"{chaincode.channel} has no {name}: finish `medfab network up` first"
                )
            identifier = chaincode_package_id(chaincode)
            await lifecycle.approve(committed, identifier, msp_id=own.msp_id)
        wanted = (name, str(committed.sequence))
        everyone = {peer.address for peer in own.peers}
        first = self._topology.members(chaincode.channel)[0].peers[0]
        async with contextlib.AsyncExitStack() as stack:
            asked = [
                await stack.enter_async_context(self._access.discovery(peer))
                for peer in (first, own.peers[0])
            ]

            async def can_endorse() -> bool:
                try:
                    for discovery in asked:
                        peers = await discovery.peers(chaincode.channel)
                        found = {each.endpoint for each in peers if wanted in each.chaincodes}
                        if not everyone <= found:
                            return False
                except (GatewayError, MedfabError):
                    return False
                return True

            await wait_until(
                can_endorse,
                node=own.peers[0].name,
                what=f"being known as an endorser of {name}",
                processes=self._processes,
            )

    def _channel_admin(self, member: Organization) -> AsyncChannelAdmin:
        entry = self._access.entry(member.name, ADMIN)
        endpoint = self._access.endpoint(member.peers[0])
        return AsyncChannelAdmin(endpoint, entry.identity, entry.signer())
