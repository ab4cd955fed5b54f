"""A change of a channel's configuration, made and signed by whoever has to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from medfab_gateway import Endpoint
from medfab_gateway.admin import (
    AsyncChannelAdmin,
    AsyncOrderer,
    ChannelConfig,
    ConfigEditor,
    ConfigUpdateError,
    NoChangeError,
    OrdererError,
    PeerAdminError,
    UpdateConflictError,
    orderer_endpoints,
)
from medfab_gateway.errors import GatewayError, MedfabError
from medfab_network._access import Access
from medfab_network._enrolment import ADMIN
from medfab_network.errors import NetworkError
from medfab_network.topology import Channel, Node, Organization, Topology

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.5
_NOT_YET = "nodes are alive"
"""In the refusal of a leader that has just become one, and has not heard of the others yet."""


class ChannelChanges:
    """Through any peer of the channel that answers."""

    def __init__(self, topology: Topology, access: Access) -> None:
        self._topology = topology
        self._access = access

    async def config(self, channel: Channel) -> ChannelConfig:
        """The configuration in force."""
        return (await self._read(channel))[1]

    async def config_block(self, channel: Channel) -> bytes:
        """The newest configuration block."""
        failure: MedfabError | None = None
        for peer in self._peers(channel):
            try:
                async with self._access.peer_admin(peer) as admin:
                    return await admin.config_block(channel.name)
            except MedfabError as error:
                failure = error  # it is down, or has joined with a snapshot
        raise failure or NetworkError(f"{channel.name} has no peers")

    async def first_block(self, channel: Channel, organization: Organization) -> bytes:
        """Block 0 from an orderer, as an organisation gets it that has no peer on the channel."""
        own = self._access.entry(organization.name, ADMIN)
        failure: MedfabError | None = None
        for endpoint in orderer_endpoints(await self.config(channel)):
            async with AsyncOrderer(self._reached(endpoint), own.identity, own.signer()) as orderer:
                try:
                    return await orderer.block(channel.name, 0)
                except MedfabError as error:
                    failure = error  # another orderer may be well
        raise failure or NetworkError(f"{channel.name} names no orderer in its configuration")

    async def apply(
        self,
        channel: Channel,
        edit: Callable[[ConfigEditor], object],
        signers: Sequence[Organization],
        *,
        patience: float = 0.0,
    ) -> bool:
        """As `_apply`; tried again for `patience` seconds where the obstacle may pass by itself.

        That is no leader, one that has just become it, a node that starts.
        """
        deadline = time.monotonic() + patience
        while True:
            try:
                return await self._apply(channel, edit, signers)
            except (GatewayError, OrdererError, PeerAdminError, ConfigUpdateError) as error:
                final = isinstance(error, ConfigUpdateError) and _NOT_YET not in str(error)
                if final or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _apply(
        self,
        channel: Channel,
        edit: Callable[[ConfigEditor], object],
        signers: Sequence[Organization],
    ) -> bool:
        """Let `signers` sign what `edit` makes of the configuration; until it is in force.

        False where it was like that already. An edit is made anew where somebody else's change
        came first.
        """
        for attempt in range(_ATTEMPTS):
            peer, config = await self._read(channel)
            editor = ConfigEditor(config)
            edit(editor)
            try:
                request = editor.update()
            except NoChangeError:
                return False
            for signer in signers:
                admin = self._access.entry(signer.name, ADMIN)
                request = request.sign(admin.identity, admin.signer())
            try:
                async with self._admin(peer) as channels:
                    return await channels.submit(request)
            except UpdateConflictError:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError  # the last attempt returns or raises

    async def _read(self, channel: Channel) -> tuple[Node, ChannelConfig]:
        failure: MedfabError | None = None
        for peer in self._peers(channel):
            try:
                async with self._admin(peer) as channels:
                    return peer, await channels.config(channel.name)
            except MedfabError as error:
                failure = error
        raise failure or NetworkError(f"{channel.name} has no peers")

    def _peers(self, channel: Channel) -> list[Node]:
        return [p for member in self._topology.members(channel.name) for p in member.peers]

    def _admin(self, peer: Node) -> AsyncChannelAdmin:
        entry = self._access.entry(peer.organization, ADMIN)
        return AsyncChannelAdmin(
            self._access.endpoint(peer),
            entry.identity,
            entry.signer(),
            orderers=self._orderers(),
        )

    def _orderers(self) -> dict[str, str]:
        """Where those in containers are for us: under their ports of this machine."""
        return {node.address: node.published for node in self._topology.ordering.orderers}

    def _reached(self, endpoint: Endpoint) -> Endpoint:
        address = self._orderers().get(endpoint.address, endpoint.address)
        host = endpoint.address.rpartition(":")[0]
        return replace(endpoint, address=address, server_name=host)
