"""One real network for the whole test run: CAs, orderer, peers, chaincode processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from medfab_gateway import AsyncContract, AsyncGateway, AsyncNetwork
from medfab_network import Network, Topology, User, load_topology
from medfab_network._binaries import Binaries, ensure_binaries
from medfab_network._progress import Silent
from medfab_network.topology import HOST, PORTS_PER_ORGANIZATION

TOPOLOGY = Path(__file__).parent / "two_providers.yaml"


def pytest_configure() -> None:
    # SIGTERM would end the run without the fixtures' clean-up, and leave their networks running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


class Consortium:
    """A running network, with gateways that are opened once and closed at the end."""

    def __init__(self, network: Network, stack: AsyncExitStack) -> None:
        self.running_network = network
        self._stack = stack
        self._gateways: dict[tuple[str, str], AsyncGateway] = {}

    def msp_id(self, org: str) -> str:
        return self.running_network.topology.organization(org).msp_id

    async def gateway(self, org: str, user: str) -> AsyncGateway:
        if (org, user) not in self._gateways:
            gateway = self.running_network.gateway(org, user)
            self._gateways[org, user] = await self._stack.enter_async_context(gateway)
        return self._gateways[org, user]

    async def network(self, org: str, user: str, channel: str) -> AsyncNetwork:
        return (await self.gateway(org, user)).network(channel)

    async def contract(self, org: str, user: str, channel: str, chaincode: str) -> AsyncContract:
        return (await self.network(org, user, channel)).contract(chaincode)

    async def level(self, channel: str) -> None:
        """Wait until all peers of the channel have the same blocks.

        A commit is waited for at one peer; until the others have it as well, they endorse from an
        older state. Clients try again, and tests that call by hand wait here.
        """
        network = self.running_network
        members = network.topology.members(channel)
        async with asyncio.timeout(30):
            while len({await network.ledger_height(org.name, channel) for org in members}) > 1:
                await asyncio.sleep(0.05)

    async def enrol_user(self, org: str, *, role: str, attributes: Mapping[str, str]) -> str:
        """Enrol a user of that role with more attributes; returns the label in the wallet."""
        name = f"{role}-{abs(hash(tuple(sorted(attributes.items())))):x}"
        user = User(name=name, attributes={"medfab.role": role, **attributes})
        await self.running_network.enrol_user(org, user)
        return name


@pytest.fixture(scope="session")
async def binaries() -> Binaries:
    """Fabric's programs, built first where they are not there."""
    return await ensure_binaries(Silent())


@pytest.fixture(scope="session")
async def consortium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Consortium]:
    """Three organisations, one channel, the contract `ehr`."""
    directory = tmp_path_factory.mktemp("consortium") / "net"
    topology = on_free_ports(load_topology(TOPOLOGY))
    async with Network(directory, topology).running() as network, AsyncExitStack() as stack:
        yield Consortium(network, stack)


def on_free_ports(topology: Topology) -> Topology:
    """The topology on a block of ports that nothing listens on now.

    Where the search begins differs by process, so that two test runs at once do not collide.
    """
    width = PORTS_PER_ORGANIZATION * (len(topology.organizations) + 1)
    blocks = list(range(20000, 32000, width))  # below the range of outgoing connections
    first = os.getpid() % len(blocks)
    for base_port in blocks[first:] + blocks[:first]:
        moved = topology.with_base_port(base_port)
        if all(_is_free(port) for node in moved.nodes() for port in node.ports):
            return moved
    raise RuntimeError("no free block of ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
