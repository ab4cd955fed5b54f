"""Kills of consumer, peer, orderer and database under load, and what is there afterwards.

`test_consumers_faults.py` has a few of them, `make consumer-faults` fifty.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integration.consumers_help import (
    CHANNEL,
    ITEMS,
    TOTALS,
    Items,
    Load,
    items_on,
    ledger,
    position,
    rows,
    totals_on,
)
from integration.network_help import MEDFAB
from medfab_gateway.consumers import Explorer, PostgresStore, SqliteStore, Store, Table, replay
from medfab_gateway.consumers._explorer import BLOCKS, KEY_HISTORY, PRIVATE_HISTORY, TRANSACTIONS
from medfab_network import Network
from postgres import Postgres

VICTIMS = ("consumer", "database", "peer", "orderer")
TABLES: Sequence[Table] = (BLOCKS, TRANSACTIONS, KEY_HISTORY, PRIVATE_HISTORY, ITEMS, TOTALS)
_SECONDS = 240


@dataclass(kw_only=True)
class Report:
    kills: dict[str, int] = field(default_factory=dict)
    blocks: int = 0
    transactions: int = 0
    invalid: int = 0
    failed_calls: int = 0
    compared_rows: int = 0
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Consumers:
    """Two processes of one configuration: one leads, the other stands by."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._processes: list[subprocess.Popen[bytes]] = []
        self.pids: list[int] = []

    def start(self) -> None:
        with (self._file.parent / "service.log").open("ab") as log:
            process = subprocess.Popen(
                [MEDFAB, "events", "run", str(self._file), "--json"],
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            )
        self._processes.append(process)

    def kill(self, leader: str | None) -> None:
        """The one that leads, if it is known, or the older one."""
        pid = int(leader.rpartition(":")[2]) if leader else 0
        chosen = next((p for p in self._processes if p.pid == pid), self._processes[0])
        chosen.kill()
        chosen.wait()
        self._processes.remove(chosen)
        self.start()

    def check(self) -> None:
        for process in self._processes:
            assert process.poll() is None, self.said()

    def said(self) -> str:
        return (self._file.parent / "service.log").read_text()[-3000:]

    async def end(self) -> list[int]:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        return [await asyncio.to_thread(process.wait, 60) for process in self._processes]

    def destroy(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


@asynccontextmanager
async def consumers(file: Path) -> AsyncIterator[Consumers]:
    running = Consumers(file)
    try:
        running.start()
        running.start()
        yield running
    finally:
        running.destroy()


async def survive(
    network: Network, postgres: Postgres, folder: Path, *, kills: int, seed: int = 1
) -> Report:
    """Kill so many, in turn, each at a random moment after the consumers have gone on; compare.

    One consumer writes into PostgreSQL, one into SQLite, one into a file: all three are in both
    processes.
    """
    report, chance = Report(), random.Random(seed)  # noqa: S311
    began = time.monotonic()
    lite = folder / "faults.sqlite"
    file = _configuration(network, folder, postgres.address, lite)
    async with consumers(file) as running:
        load = Load(network, workers=4)
        try:
            for number in range(kills):
                victim = VICTIMS[number % len(VICTIMS)]
                await _both_go_on(postgres, lite, running)
                await asyncio.sleep(chance.random() / 2)  # anywhere within a batch
                await _kill(victim, network, postgres, running)
                report.kills[victim] = report.kills.get(victim, 0) + 1
                print(f"{sum(report.kills.values())}: {victim}", file=sys.stderr, flush=True)
            await _both_go_on(postgres, lite, running)
        finally:
            await load.stop()
        end = await network.ledger_height("hospital", CHANNEL)
        for name, store in _stores(postgres, lite).items():
            await _until(store, name, end, running)
        await _until(PostgresStore(postgres.address), "file", end, running)
        codes = await running.end()
        # The one that took a killed one's place may not have got as far as to heed signals.
        assert 0 in codes, running.said()
        assert set(codes) <= {0, 130, -signal.SIGTERM}, f"{codes} {running.said()}"
    blocks = (await ledger(network))[:end]
    report.failed_calls = load.failed
    report.blocks = len(blocks)
    for each in blocks:
        for transaction in each.block.transactions:
            report.transactions += 1
            report.invalid += transaction.validation_code != "VALID"
    for name, store in _stores(postgres, lite).items():
        store.open()
        _compare(report, name, store, blocks)
        store.close()
    _compare_file(report, folder / "audit.jsonl", blocks)
    report.seconds = round(time.monotonic() - began, 1)
    return report


def _stores(postgres: Postgres, lite: Path) -> dict[str, Store]:
    return {"server": PostgresStore(postgres.address), "embedded": SqliteStore(lite)}


async def _kill(victim: str, network: Network, postgres: Postgres, running: Consumers) -> None:
    if victim == "consumer":
        running.kill(_leader(postgres))
    elif victim == "database":
        postgres.kill()
        await asyncio.to_thread(postgres.start)
    else:
        node = "peer0.hospital" if victim == "peer" else "orderer0.orderer"
        os.kill(network.processes()[node], signal.SIGKILL)
        while node in network.processes():
            await asyncio.sleep(0.02)
        await network.up()


def _leader(postgres: Postgres) -> str | None:
    with postgres.connect() as connection:
        row = connection.execute(
            "SELECT leader FROM medfab_consumers WHERE consumer = 'server'"
        ).fetchone()
    return row[0] if row else None


async def _both_go_on(postgres: Postgres, lite: Path, running: Consumers) -> None:
    """Wait until both have handled a block that they had not when this began."""
    for name, store in _stores(postgres, lite).items():
        await _until(store, name, await _position(store, name) + 1, running)


async def _until(store: Store, name: str, block: int, running: Consumers) -> None:
    async with asyncio.timeout(_SECONDS):
        while await _position(store, name) < block:
            running.check()
            await asyncio.sleep(0.1)


async def _position(store: Store, name: str) -> int:
    return await asyncio.to_thread(position, store, name)


def _compare(report: Report, name: str, store: Store, blocks: list[Any]) -> None:
    """Row by row with a replay of the ledger, and with what is computed without a projection."""
    fresh = SqliteStore(":memory:")
    replay(blocks, [Items(), Explorer()], fresh, channel=CHANNEL, msp_id="HospitalMSP")
    for table in TABLES:
        expected = comparable(rows(fresh, table))
        found = comparable(rows(store, table))
        report.compared_rows += len(expected)
        if expected != found:
            report.differences.append(f"{name}: {table.name}")
    fresh.close()
    if {row[0]: (row[1], row[2]) for row in rows(store, ITEMS)} != items_on(blocks):
        report.differences.append(f"{name}: items as computed by hand")
    if rows(store, TOTALS) != totals_on(blocks):
        report.differences.append(f"{name}: totals as computed by hand")
    if store.query("SELECT * FROM medfab_dead_letters"):
        report.differences.append(f"{name}: dead letters")


def _compare_file(report: Report, file: Path, blocks: list[Any]) -> None:
    import json

    expected = [
        transaction.transaction_id
        for each in blocks
        for transaction in each.block.transactions
        if transaction.validation_code == "VALID" and transaction.event is not None
    ]
    found = [json.loads(line)["transaction_id"] for line in file.read_text().splitlines()]
    report.compared_rows += len(expected)
    if found != expected:
        report.differences.append("file: lines")


def comparable(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Times and truth values are texts and numbers in SQLite."""

    def one(value: Any) -> Any:
        if hasattr(value, "strftime"):
            return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return int(value) if isinstance(value, bool) else value

    return sorted((tuple(map(one, row)) for row in found), key=repr)


def _configuration(network: Network, folder: Path, server: str, lite: Path) -> Path:
    file = folder / "faults.toml"
    follow = f'channel = "{CHANNEL}"'
    projections = 'projections = ["explorer", "integration.consumers_help:Items"]'
    file.write_text(
        f"""
[gateway]
directory = "{network.directory}"
organization = "hospital"
identity = "admin"

[[consumer]]
name = "server"
{follow}
database = "{server}"
{projections}

[[consumer]]
name = "embedded"
{follow}
database = "{lite}"
{projections}

[[consumer]]
name = "file"
{follow}
database = "{server}"
[consumer.json_lines]
path = "audit.jsonl"
"""
    )
    return file
