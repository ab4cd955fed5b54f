"""Three orderers and two peers in one organisation: what the loss of one of them does."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest

from integration.network_help import (
    CHANNEL,
    consortium,
    is_registered,
    mentions,
    processes_of,
    register_patient,
)
from medfab_gateway.errors import MedfabError
from medfab_network import Network

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    directory = tmp_path_factory.mktemp("larger") / "net"
    network = Network(directory, consortium(orderers=3, peers=2))
    try:
        await network.up()
        yield network
    finally:
        await network.clean()
    assert mentions(directory) == []


async def kill(network: Network, node: str) -> None:
    os.kill(network.processes()[node], signal.SIGKILL)
    while node in network.processes():
        await asyncio.sleep(0.02)


async def commits_within(network: Network, seconds: float) -> str:
    """A transaction, tried again as clients do while the raft elects another leader.

    A follower answers that it has a transaction before the leader has it: what it passed on to the
    orderer just killed is lost, and its commit is not worth waiting for.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            async with asyncio.timeout(10):
                return await register_patient(network, "clinic")
        except (MedfabError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


async def heights(network: Network) -> dict[str, int]:
    return {
        status.node.name: status.heights.get(CHANNEL, 0)
        for status in await network.status()
        if status.node.kind in {"orderer", "peer"}
    }


async def same_height_everywhere(network: Network, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while len(set((found := await heights(network)).values())) > 1:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)


async def test_everything_is_up_and_at_one_height(network: Network) -> None:
    await register_patient(network)
    names = sorted(node.name for node in network.topology.nodes())
    assert [process.node for process in processes_of(network.directory)] == names
    assert {f"orderer{i}.orderer" for i in range(3)} <= set(names)
    assert {"peer0.hospital", "peer1.hospital"} <= set(names)
    assert all(status.healthy for status in await network.status())
    await same_height_everywhere(network)


@pytest.mark.parametrize("victim", [f"orderer{i}.orderer" for i in range(3)])
async def test_any_one_orderer_may_be_lost(network: Network, victim: str) -> None:
    """One of the three is the leader."""
    await kill(network, victim)
    user = await commits_within(network, 90)
    assert await is_registered(network, user, "clinic")
    assert (await network.up()).started == [victim]
    await same_height_everywhere(network)


async def test_the_second_peer_serves_when_the_first_is_lost(network: Network) -> None:
    await kill(network, "peer0.hospital")
    user = await commits_within(network, 90)  # both organisations endorse
    assert (await network.up()).started == ["peer0.hospital"]
    assert await is_registered(network, user, "clinic")
    await same_height_everywhere(network)
