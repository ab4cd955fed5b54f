"""What the tests of events share: a network with a contract that emits them, load, and the truth.

Run one peer's gateway with the hospital's administrator, unless said otherwise.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from integration.conftest import on_free_ports
from medfab_gateway import (
    AsyncContract,
    AsyncGateway,
    AsyncNetwork,
    ConnectionProfile,
    Endpoint,
    FileSystemWallet,
    GatewayOptions,
    MedfabError,
)
from medfab_network import Network, parse_topology
from medfab_network._health import tls_context
from medfab_network.topology import HOST

CHANNEL, CHAINCODE = "shared", "emitter"
ALONE = "alone"
"""A channel of the hospital only: there its administrator is a majority, and may read the blocks
with private data."""


@asynccontextmanager
async def event_network(directory: Path) -> AsyncIterator[Network]:
    """Two organisations, the hospital with two peers, and the contract on both channels."""
    topology = on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [
                    {"name": "hospital", "msp_id": "HospitalMSP", "peers": 2},
                    {"name": "clinic", "msp_id": "ClinicMSP"},
                ],
                "channels": [
                    {"name": CHANNEL, "organizations": ["hospital", "clinic"]},
                    {"name": ALONE, "organizations": ["hospital"]},
                ],
                "chaincodes": [
                    {
                        "name": name,
                        "channel": channel,
                        "version": "1.0",
                        "contract": "event_contract:Emitter",
                    }
                    for name, channel in ((CHAINCODE, CHANNEL), ("solo", ALONE))
                ],
            }
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        async with Network(directory, topology).running() as network:
            yield network


def endpoints(network: Network, organization: str = "hospital") -> list[Endpoint]:
    """Of all peers of the organisation."""
    profile = ConnectionProfile.load(network.connection_profile(organization))
    peers = network.topology.organization(organization).peers
    return [profile.peer_endpoint(peer.name) for peer in peers]


def connect(
    network: Network,
    *peers: Endpoint,
    organization: str = "hospital",
    options: GatewayOptions | None = None,
) -> AsyncGateway:
    """As the organisation's administrator; without peers, to all of the hospital's."""
    entry = FileSystemWallet(network.wallet(organization)).get("admin")
    return AsyncGateway.connect(
        peers or endpoints(network), entry.identity, entry.signer(), options=options
    )


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def open_event_streams(network: Network) -> int:
    """How many streams of chaincode events the hospital's first peer counts, by its metrics."""
    peer = network.topology.organization("hospital").peers[0]
    tls = network._layout.tls("hospital", peer.name)
    context = tls_context(tls / "ca.pem", tls)
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        answer = await client.get(f"https://{HOST}:{peer.operations_port}/metrics")
    assert answer.status_code == 200

    def total(name: str) -> int:
        pattern = rf'^grpc_server_stream_requests_{name}{{.*method="ChaincodeEvents".*}} (\d+)'
        return sum(int(value) for value in re.findall(pattern, answer.text, re.MULTILINE))

    return total("received") - total("completed")


async def kill(network: Network, *nodes: str) -> None:
    """With SIGKILL; returns when they are gone."""
    for node in nodes:
        os.kill(network.processes()[node], signal.SIGKILL)
    while set(nodes) & network.processes().keys():
        await asyncio.sleep(0.02)


async def events_on_ledger(network: AsyncNetwork, start: int, stop: int) -> list[str]:
    """The transactions of these blocks that are valid and have an event, in order."""
    return [
        transaction.transaction_id
        async for block in network.block_events(start, stop)
        for transaction in block.transactions
        if transaction.validation_code == "VALID" and transaction.event is not None
    ]


async def submit_all(
    contract: AsyncContract, count: int, *, workers: int, seconds: float
) -> tuple[set[str], int]:
    """Emits `count` events, each tried until it is acknowledged; what failed is tried again as
    another transaction. Gives the transactions acknowledged, and the number of failures."""
    deadline = time.monotonic() + seconds
    acknowledged: set[str] = set()
    failures = 0
    numbers = iter(range(count))

    async def work() -> None:
        nonlocal failures
        for number in numbers:
            while True:
                try:
                    proposal = contract.proposal("Emit", f"load-{number}", "x")
                    commit = await (await proposal.endorse()).submit()
                    status = await commit.status(timeout=10)
                except MedfabError:
                    failures += 1
                    assert time.monotonic() < deadline, "the network has not come back"
                    await asyncio.sleep(0.2)
                    continue
                if status.successful:
                    acknowledged.add(status.transaction_id)
                    break

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
    return acknowledged, failures


class Example:
    """The program, until the end of the `with`."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "example.py"], cwd=folder, stdout=subprocess.PIPE, text=True
        )

    async def prints(self, text: str) -> None:
        assert self._process.stdout is not None
        while not self.lines or text not in self.lines[-1]:
            line = await asyncio.to_thread(self._process.stdout.readline)
            assert line, "the example has ended"
            self.lines.append(line)

    def __enter__(self) -> Example:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()
