"""A consumer of the network under faults: the explorer's rows in PostgreSQL and in SQLite.

`medfab events run` as a process of its own; rows are compared with a replay of the ledger.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from faults.load import CHANNEL, HOSPITAL
from integration.consumer_faults import comparable
from integration.consumers_help import position
from integration.consumers_help import rows as rows_of
from integration.network_help import MEDFAB
from medfab_gateway.consumers import (
    Explorer,
    LedgerBlock,
    PostgresStore,
    SqliteStore,
    Store,
    Table,
    replay,
)
from medfab_gateway.consumers._explorer import BLOCKS, KEY_HISTORY, PRIVATE_HISTORY, TRANSACTIONS
from medfab_network import Network
from postgres import Postgres

TABLES: tuple[Table, ...] = (BLOCKS, TRANSACTIONS, KEY_HISTORY, PRIVATE_HISTORY)
_SECONDS = 300.0


@dataclass(eq=False)
class Rows:
    """The consumer's process, and the databases that it writes into."""

    file: Path
    postgres: Postgres
    lite: Path
    process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it again, where it has ended."""
        if self.process.poll() is None:
            return
        self.process = _start(self.file)

    async def until(self, block: int, *, revive: bool = False) -> bool:
        """Wait until both databases have all blocks below `block`.

        revive: start the consumer again where it has ended; returns whether that was needed.
        """
        revived = False
        async with asyncio.timeout(_SECONDS):
            while min(await asyncio.to_thread(self.positions)) < block:
                if self.process.poll() is not None:
                    assert revive, self.said()
                    revived = True
                    self.start()
                await asyncio.sleep(0.2)
        return revived

    def positions(self) -> list[int]:
        """The next block of each; 0 where a database does not answer."""
        found = []
        for name, store in self._stores().items():
            try:
                found.append(position(store, name))
            except Exception:
                found.append(0)
        return found

    @property
    def log(self) -> Path:
        return self.file.parent / "service.log"

    def said(self) -> str:
        return self.log.read_text()[-3000:]

    def compare(self, blocks: Iterable[LedgerBlock]) -> int:
        """Row by row with a replay; returns how many rows there are in each database."""
        fresh = SqliteStore(":memory:")
        replay(list(blocks), [Explorer()], fresh, channel=CHANNEL, msp_id=HOSPITAL)
        count = 0
        try:
            for name, store in self._stores().items():
                store.open()
                try:
                    count = 0
                    for table in TABLES:
                        expected = comparable(rows_of(fresh, table))
                        count += len(expected)
                        assert comparable(rows_of(store, table)) == expected, f"{name} {table.name}"
                    assert not store.query("SELECT * FROM medfab_dead_letters"), name
                finally:
                    store.close()
        finally:
            fresh.close()
        return count

    def _stores(self) -> dict[str, Store]:
        return {"server": PostgresStore(self.postgres.address), "embedded": SqliteStore(self.lite)}


@asynccontextmanager
async def rows(network: Network, directory: Path, postgres: Postgres) -> AsyncIterator[Rows]:
    """A consumer at work, ended afterwards."""
    lite = directory / "sqlite" / "rows.sqlite"
    file = directory / "consumers.toml"
    file.write_text(
        f"""
[gateway]
directory = "{network.directory}"
organization = "hospital"
identity = "admin"

[[consumer]]
name = "server"
channel = "{CHANNEL}"
database = "{postgres.address}"
projections = ["explorer"]

[[consumer]]
name = "embedded"
channel = "{CHANNEL}"
database = "{lite}"
projections = ["explorer"]
"""
    )
    made = Rows(file, postgres, lite, _start(file))
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.send_signal(signal.SIGCONT)
            made.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.to_thread(made.process.wait, 30)
            except subprocess.TimeoutExpired:
                made.process.kill()
                made.process.wait()


def _start(file: Path) -> subprocess.Popen[bytes]:
    with (file.parent / "service.log").open("ab") as log:
        return subprocess.Popen(
            [MEDFAB, "events", "run", str(file), "--json"],
            stdout=log,
            stderr=log,
            env={**os.environ},
        )
