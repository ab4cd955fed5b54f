"""A network for the tests of resilience: one organisation with two peers, one with one."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from integration.conftest import on_free_ports
from medfab_gateway import AsyncGateway, ConnectionProfile, FileSystemWallet, GatewayOptions
from medfab_gateway.identity import Identity, Signer
from medfab_network import Network, Topology, parse_topology
from medfab_network._health import tls_context

CHANNEL, CHAINCODE = "care", "resilience"


def topology() -> Topology:
    organizations = ["hospital", "clinic"]
    return on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [
                    {"name": "hospital", "msp_id": "HospitalMSP", "peers": 2},
                    {"name": "clinic", "msp_id": "ClinicMSP"},
                ],
                "channels": [{"name": CHANNEL, "organizations": organizations}],
                "chaincodes": [
                    {
                        "name": CHAINCODE,
                        "channel": CHANNEL,
                        "version": "1.0",
                        "contract": "resilience_contract:Resilience",
                    }
                ],
            }
        )
    )


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        directory = tmp_path_factory.mktemp("resilience") / "net"
        async with Network(directory, topology()).running() as running:
            yield running


def profile_and_admin(network: Network) -> tuple[ConnectionProfile, Identity, Signer]:
    """What the hospital's administrator connects with, to both of its peers."""
    profile = ConnectionProfile.load(network.connection_profile("hospital"))
    entry = FileSystemWallet(network.wallet("hospital")).get("admin")
    return profile, entry.identity, entry.signer()


def connect(network: Network, options: GatewayOptions | None = None) -> AsyncGateway:
    return AsyncGateway.connect(*profile_and_admin(network), options=options)


def kill(network: Network, *nodes: str) -> None:
    """`kill -9`, as a machine that loses its power."""
    running = network.processes()
    for node in nodes:
        os.kill(running[node], signal.SIGKILL)


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.05)


async def ledger(network: Network) -> Counter[tuple[str, str]]:
    """Every transaction of the channel: its id and validation code, as often as it is there."""
    height = await network.ledger_height("hospital", CHANNEL)
    async with (
        connect(network) as gateway,
        gateway.network(CHANNEL).block_events(0, height - 1) as blocks,
    ):
        found = Counter[tuple[str, str]]()
        async for block in blocks:
            for transaction in block.transactions:
                found[transaction.transaction_id, transaction.validation_code] += 1
        return found


async def requests_of(network: Network, peer: str, method: str) -> tuple[int, int]:
    """How many calls of a Gateway method the peer has had, and how many of them are over.

    By its own metrics, which count since its start.
    """
    [node] = [node for node in network.topology.nodes() if node.name == peer]
    # The peer's own certificate will do for asking: it is of the authority that it trusts.
    tls = network._layout.tls("hospital", peer)
    context = tls_context(tls / "ca.pem", client=tls)
    async with httpx.AsyncClient(verify=context, timeout=20, trust_env=False) as client:
        answer = await client.get(f"https://127.0.0.1:{node.operations_port}/metrics")
    answer.raise_for_status()
    counts = Counter[str]()
    for line in answer.text.splitlines():
        name, _, value = line.rpartition(" ")
        metric, _, labels = name.partition("{")
        of_method = f'method="{method}"' in labels and 'service="gateway_Gateway"' in labels
        if of_method and metric.startswith("grpc_server_unary_requests_"):
            counts[metric.rpartition("_")[2]] += int(value)
    return counts["received"], counts["completed"]
