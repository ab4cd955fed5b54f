"""Taking a running consortium to one more organisation, step by step as organisations would do it.

Each step is done with what one organisation has: its own folder and wallet. What would travel
between real ones is in the arguments here: the new one's definition, and the update with its
signatures. Every step looks first whether its result is there already.
"""

from __future__ import annotations

from medfab_gateway.admin import AsyncLifecycle, OrganizationDefinition
from medfab_network._access import Access
from medfab_network._channel_change import ChannelChanges
from medfab_network._deploy import chaincode_package_id
from medfab_network._layout import Layout
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
        bring_up: BringUp,
    ) -> None:
        """topology: with the organisation. bring_up: of that topology."""
        self._organization = organization
        self._topology = topology
        self._layout = layout
        self._bring_up = bring_up
        self._access = Access(layout)
        self._changes = ChannelChanges(topology, self._access)

    async def run(self) -> None:
        """All steps, from its certificate authority to its first endorsement."""
        await self._bring_up.start_organization(self._organization)
        channels = self._topology.channels_of(self._organization.name)
        for channel in channels:
            async with self._bring_up.stage(f"{channel.name} takes it in"):
                await self._take_in(channel)
        for channel in channels:
            async with self._bring_up.stage(f"its peers join {channel.name}"):
                await self._bring_up.join(self._organization, channel)
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
        await self._changes.apply(channel, lambda e: e.add_organization(definition), members)

    def _definition(self) -> OrganizationDefinition:
        """What the new one sends to the others."""
        first = self._organization.peers[0]
        host, _, port = first.address.rpartition(":")
        return OrganizationDefinition.from_msp(
            self._layout.msp(self._organization.name),
            self._organization.msp_id,
            anchor_peers=[(host, int(port))],
        )

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
        await self._bring_up.members.wait_for_endorsers(chaincode, own, committed.sequence)
