"""Who knows whom on a channel, by discovery."""

from __future__ import annotations

import contextlib

from medfab_gateway.errors import MedfabError
from medfab_network._access import Access
from medfab_network._health import wait_until
from medfab_network._runner import Runner
from medfab_network.topology import Chaincode, Channel, Node, Organization, Topology

_TIMEOUT = 90.0


class Members:
    """The peers of a consortium."""

    def __init__(self, topology: Topology, access: Access, processes: Runner) -> None:
        self._topology = topology
        self._access = access
        self._processes = processes

    async def wait_for_peers(self, channel: Channel, peer: Node) -> None:
        """Wait until a peer sees all peers of a channel that run."""
        running = self._processes.running()
        everyone = {
            other.address
            for member in self._topology.members(channel.name)
            for other in member.peers
            if other.name in running
        }
        async with self._access.discovery(peer) as discovery:

            async def sees_everyone() -> bool:
                try:
                    seen = {found.endpoint for found in await discovery.peers(channel.name)}
                except MedfabError:
                    return False
                return seen >= everyone

            await wait_until(
                sees_everyone,
                node=peer.name,
                what=f"seeing all peers of {channel.name}",
                processes=self._processes,
                timeout=_TIMEOUT,
            )

    async def wait_for_endorsers(
        self, chaincode: Chaincode, organization: Organization, sequence: int
    ) -> None:
        """Wait until its peers are known as endorsers of a chaincode, to itself and to another."""
        wanted = (chaincode.name, str(sequence))
        everyone = {peer.address for peer in organization.peers}
        first = self._topology.members(chaincode.channel)[0].peers[0]
        async with contextlib.AsyncExitStack() as stack:
            asked = [
                await stack.enter_async_context(self._access.discovery(peer))
                for peer in (first, organization.peers[0])
            ]

            async def can_endorse() -> bool:
                try:
                    for discovery in asked:
                        peers = await discovery.peers(chaincode.channel)
                        found = {each.endpoint for each in peers if wanted in each.chaincodes}
                        if not everyone <= found:
                            return False
                except MedfabError:
                    return False
                return True

            await wait_until(
                can_endorse,
                node=organization.peers[0].name,
                what=f"being known as an endorser of {chaincode.name}",
                processes=self._processes,
            )
