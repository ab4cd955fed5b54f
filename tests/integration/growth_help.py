"""What the tests of growth and replacement share: a consortium, and submitters without a pause."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import on_free_ports
from medfab_gateway import AsyncGateway
from medfab_gateway.errors import OutcomeUnknownError
from medfab_network import Network, Topology, parse_topology
from medfab_network.topology import Node

CHANNEL, CHAINCODE = "care", "growth"
SECONDS = 120  # to wait for something; far more than it takes


def document(**changes: Any) -> dict[str, Any]:
    """Two organisations.

    changes: `orderers`, `consensus`, `peers`, `private_data_copies`, `containers`.
    """
    ordering = {key: changes[key] for key in ("orderers", "consensus") if key in changes}
    hospital = {key: changes[key] for key in ("peers", "private_data_copies") if key in changes}
    return {
        "name": "growth",
        "containers": changes.get("containers", False),
        "ordering": {"name": "orderer", **ordering},
        "organizations": [
            {"name": "hospital", "msp_id": "HospitalMSP", **hospital},
            {"name": "clinic", "msp_id": "ClinicMSP"},
        ],
        "channels": [{"name": CHANNEL, "organizations": ["hospital", "clinic"]}],
        "chaincodes": [
            {
                "name": CHAINCODE,
                "channel": CHANNEL,
                "version": "1.0",
                "contract": "growth_contract:Growth",
                "custodians": ["hospital", "clinic"],
                "collections": ["shared"],
            }
        ],
    }


def room_for(topology: Topology, most: Topology) -> Topology:
    """The topology on ports that are free for `most`, which it may become."""
    return topology.with_base_port(on_free_ports(most).base_port)


@asynccontextmanager
async def running(directory: Path, **changes: Any) -> AsyncIterator[Network]:
    """A network, on ports that are free for all that may come."""
    most = parse_topology(document(orderers=6, peers=4))
    topology = room_for(parse_topology(document(**changes)), most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # for the contract's processes
        network = Network(directory, topology)
        try:
            await network.up()
            yield network
        finally:
            await network.clean()


def gateway_at(network: Network, node: str, user: str = "admin") -> AsyncGateway:
    """At any peer, where `Network.gateway` takes the organisation's first."""
    [peer] = [each for each in network.topology.nodes() if each.name == node]
    entry = network._access.entry(peer.organization, user)
    return AsyncGateway.connect(network._access.endpoint(peer), entry.identity, entry.signer())


class Submitted:
    """What submitters have done so far."""

    def __init__(self) -> None:
        self.done: list[str] = []
        """Keys that are committed."""
        self.unknown: list[str] = []
        """Keys whose first transaction was taken by the orderers, and has not come back."""


@asynccontextmanager
async def submitters(network: Network, *, lose: bool = False) -> AsyncIterator[Submitted]:
    """Submit without a pause, in two organisations, until the end.

    A failure is raised at the end: not one may be refused, or lost. lose: but for outcomes that
    are not known, after which the key is submitted anew, as a client may.
    """
    found = Submitted()
    stop = asyncio.Event()

    async def submit(organization: str, number: int) -> None:
        async with network.gateway(organization) as gateway:
            contract = gateway.network(CHANNEL).contract(CHAINCODE)
            for count in itertools.count():
                if stop.is_set():
                    return
                key = f"{organization}-{number}-{count}-{len(found.done)}"
                try:
                    await contract.submit("Put", key, timeout=15.0 if lose else None)
                except OutcomeUnknownError:
                    if not lose:
                        raise
                    found.unknown.append(key)
                    await contract.submit("Put", key)
                found.done.append(key)

    async with asyncio.TaskGroup() as group:
        for organization in ("hospital", "clinic"):
            for number in range(2):
                group.create_task(submit(organization, number))
        try:
            yield found
        finally:
            stop.set()


async def more(submitted: Submitted, count: int) -> None:
    """Wait until so many more transactions are committed."""
    goal = len(submitted.done) + count
    await reached(lambda: len(submitted.done) >= goal)


async def reached(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.05)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await condition():
            await asyncio.sleep(0.1)


async def level(network: Network) -> int:
    """Wait until all peers and orderers have the same number of blocks, and return it."""
    while True:
        async with asyncio.timeout(SECONDS):
            heights = {
                status.heights.get(CHANNEL, 0)
                for status in await network.status()
                if status.node.kind in {"orderer", "peer"}
            }
            if len(heights) == 1 and 0 not in heights:
                return heights.pop()
            await asyncio.sleep(0.1)


def node_of(network: Network, name: str) -> Node:
    [node] = [each for each in network.topology.nodes() if each.name == name]
    return node
