"""Faults that only containers can have, and what comes back by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from containers.test_containers import containers_of
from integration.network_help import is_registered
from integration.test_network_larger import commits_within
from medfab_network import Network
from medfab_network._containers import project_name

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.integration


async def _is_well(network: Network, seconds: float = 120) -> None:
    """Wait until every node is healthy and all peers have the same blocks, without helping."""
    async with asyncio.timeout(seconds):
        while True:
            status = await network.status()
            heights = {s.heights.get("care") for s in status if s.node.kind == "peer"}
            if all(s.healthy for s in status) and len(heights) == 1:
                return
            await asyncio.sleep(0.5)


@pytest.mark.parametrize(
    "node", ["orderer0.orderer", "peer0.regulator", "ehr.regulator", "ca.regulator"]
)
async def test_a_process_that_is_killed_is_started_again(network: Network, node: str) -> None:
    """By the engine, as nobody has stopped it."""
    await _is_well(network)
    pid = network.processes()[node]
    os.kill(pid, signal.SIGKILL)  # the container's init, and with it the node
    async with asyncio.timeout(60):
        while network.processes().get(node, pid) == pid:
            await asyncio.sleep(0.2)
    await _is_well(network)
    user = await commits_within(network, 120)
    assert await is_registered(network, user, "clinic")


@pytest.mark.parametrize("node", ["orderer1.orderer", "peer0.regulator"])
async def test_a_paused_node_catches_up(engine: DockerClient, network: Network, node: str) -> None:
    await _is_well(network)
    container = containers_of(engine, network)[node]
    await asyncio.to_thread(container.pause)
    try:
        user = await commits_within(network, 120)  # the others are enough
    finally:
        await asyncio.to_thread(container.unpause)
    await _is_well(network)
    assert await is_registered(network, user, "clinic")


@pytest.mark.parametrize("node", ["orderer2.orderer", "peer0.regulator", "ehr.regulator"])
async def test_a_node_cut_off_from_the_others_catches_up(
    engine: DockerClient, network: Network, node: str
) -> None:
    await _is_well(network)
    container = containers_of(engine, network)[node]
    others = engine.networks.get(f"{project_name(network.topology, network.directory)}_default")
    await asyncio.to_thread(others.disconnect, container)
    try:
        user = await commits_within(network, 120)
    finally:
        # Under its name, which the others dial; the engine forgets it with the connection.
        await asyncio.to_thread(others.connect, container, aliases=[node])
    await _is_well(network)
    assert await is_registered(network, user, "clinic")
