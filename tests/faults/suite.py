"""Faults one after the other under load, with what clients saw; and the ledger compared after."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from faults.load import CHAINCODE, CHANNEL, HOSPITAL, Load, longest_gap
from faults.plan import KILL, Fault, strike
from integration.conftest import on_free_ports
from medfab_gateway import AsyncGateway, OutcomeUnknownError
from medfab_network import Network, Topology, parse_topology

_SETTLE_SECONDS = 120.0
_RECONCILE_SECONDS = 240.0  # peers look for missing private data once a minute
_CALM_SECONDS = 2.0


@dataclass
class Row:
    """One kind of fault, over all times that it was done."""

    fault: Fault
    times: int = 0
    no_commit: float = 0.0
    """Seconds; the longest."""
    no_read: float = 0.0
    recovered: float = 0.0
    """Seconds from the fault until all peers had the same blocks again, commits included."""
    errors: Counter[str] = field(default_factory=Counter)


@dataclass
class Report:
    rows: dict[Fault, Row] = field(default_factory=dict)
    kills: int = 0
    acknowledged: int = 0
    failed: int = 0
    unknown: int = 0
    private: int = 0
    blocks: int = 0
    seconds: float = 0.0


def topology() -> Topology:
    """Three organisations, one of them with two peers; three orderers."""
    organizations = ["hospital", "clinic", "regulator"]
    return on_free_ports(
        parse_topology(
            {
                "name": "faults",
                "ordering": {"orderers": 3},
                "organizations": [
                    {"name": "hospital", "msp_id": HOSPITAL, "peers": 2},
                    {"name": "clinic", "msp_id": "ClinicMSP"},
                    {"name": "regulator", "msp_id": "RegulatorMSP"},
                ],
                "channels": [{"name": CHANNEL, "organizations": organizations}],
                "chaincodes": [
                    {
                        "name": CHAINCODE,
                        "channel": CHANNEL,
                        "version": "1.0",
                        "contract": "fault_contract:Faults",
                    }
                ],
            }
        )
    )


async def run(directory: Path, faults: list[Fault]) -> Report:
    """A network of its own, gone afterwards. Raises `AssertionError` where data is lost."""
    began = time.monotonic()
    report = Report()
    network = Network(directory, topology())
    try:
        await network.up()
        load = Load(network)
        working = asyncio.create_task(load.run())
        try:
            await _commits(load, 5, working)
            for number, fault in enumerate(faults, 1):
                row = report.rows.setdefault(fault, Row(fault))
                await _one(network, load, row, working)
                report.kills += fault.action == KILL
                print(f"{number:3}/{len(faults)} {fault.target}, {fault.action}", flush=True)
        finally:
            load.stop()
            await asyncio.wait({working})
        working.result()
        await _compare(network, load, report)
    finally:
        await network.clean()
    report.seconds = time.monotonic() - began
    return report


async def _one(network: Network, load: Load, row: Row, working: asyncio.Task[None]) -> None:
    load.errors.clear()
    began = time.monotonic()
    await strike(network, row.fault)
    await _commits(load, 3, working)
    await _level(network)
    recovered = time.monotonic() - began
    await asyncio.sleep(_CALM_SECONDS)
    now = time.monotonic()
    row.times += 1
    row.recovered = max(row.recovered, recovered)
    row.no_commit = max(row.no_commit, longest_gap(load.commits_at, began, now))
    row.no_read = max(row.no_read, longest_gap(load.reads_at, began, now))
    row.errors += load.errors


async def _commits(load: Load, count: int, working: asyncio.Task[None]) -> None:
    """Wait until that many more transactions are acknowledged."""
    enough = len(load.acknowledged) + count
    async with asyncio.timeout(_SETTLE_SECONDS):
        while len(load.acknowledged) < enough:
            assert not working.done(), "the clients have ended"
            await asyncio.sleep(0.05)


async def _level(network: Network) -> None:
    """Wait until every peer and orderer is well and within a block of the others."""
    async with asyncio.timeout(_SETTLE_SECONDS):
        while True:
            status = await network.status()
            heights = [s.heights.get(CHANNEL, 0) for s in status if s.node.kind == "peer"]
            if all(s.healthy for s in status) and max(heights) - min(heights) <= 3:
                return
            await asyncio.sleep(0.2)


async def _compare(network: Network, load: Load, report: Report) -> None:
    """Every peer has every acknowledged transaction once, and all have come to the same state."""
    peers = [peer for member in network.topology.organizations for peer in member.peers]
    async with asyncio.timeout(_SETTLE_SECONDS):
        while True:
            heights = set()
            for peer in peers:
                async with network._access.peer_admin(peer) as admin:
                    heights.add((await admin.chain_info(CHANNEL)).height)
            if len(heights) == 1:
                break
            await asyncio.sleep(0.2)
    (height,) = heights
    states = set()
    for peer in peers:
        found: Counter[tuple[str, str]] = Counter()
        async with network._access.peer_admin(peer) as admin:
            for number in range(height):
                block = await admin.block_by_number(CHANNEL, number)
                found.update((t.transaction_id, t.validation_code) for t in block.transactions)
            states.add(block.metadata.commit_hash)
        missing = [one for one in load.acknowledged if found[one, "VALID"] != 1]
        assert not missing, f"{peer.name} lacks {len(missing)} acknowledged transactions"
        on_ledger = {transaction_id for transaction_id, _ in found}
        for error in load.failed:
            certain = not isinstance(error, OutcomeUnknownError)
            assert not (certain and error.transaction_id in on_ledger), error
    assert len(states) == 1, "the peers have come to different states"
    assert None not in states
    twice = [one for one in load.acknowledged if load.seen[one] != 1]
    assert not twice, f"the stream of blocks brought {len(twice)} transactions not once"
    await _private_data_is_complete(network, load.private_keys)
    report.acknowledged = len(load.acknowledged)
    report.failed = len(load.failed)
    report.unknown = sum(isinstance(error, OutcomeUnknownError) for error in load.failed)
    report.private = len(load.private_keys)
    report.blocks = height


async def _private_data_is_complete(network: Network, keys: list[str]) -> None:
    """Both of the hospital's peers have every private value, by reconciliation where need be."""
    entry = network._access.entry("hospital", "admin")
    for peer in network.topology.organization("hospital").peers:
        endpoint = network._access.endpoint(peer)
        async with AsyncGateway.connect(endpoint, entry.identity, entry.signer()) as gateway:
            contract = gateway.network(CHANNEL).contract(CHAINCODE)
            async with asyncio.timeout(_RECONCILE_SECONDS):
                for first in range(0, len(keys), 500):
                    part = json.dumps(keys[first : first + 500])
                    while await contract.evaluate("HasPrivate", part, result=json.loads):
                        await asyncio.sleep(1)
