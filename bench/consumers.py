"""CPU and memory of projecting 100,000 transactions into SQLite and PostgreSQL.

    python -m bench.consumers     (QUICK=1: a tenth of it, and nothing is written; RUNS=n of each)

Blocks are made from Fabric's own messages, of the size and shape of the network's (two
endorsements, certificates, an event, a public and a private write), and read from a file, so that
memory shows what a consumer keeps. Counted is all that a consumer does with a block once it has
come: decoding, the chain's check, projecting, the database. The aim is that of issue 7.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench._results import Row, print_row, write

from made_blocks import Ledger, Tx
from medfab_gateway import decode_block
from medfab_gateway.consumers import (
    INTEGER,
    TEXT,
    Emitted,
    Explorer,
    LedgerBlock,
    Operation,
    PostgresStore,
    Projection,
    SqliteStore,
    Store,
    Table,
    Written,
    composite,
    composite_key,
    on_event,
    on_write,
)
from medfab_gateway.consumers._applier import Applier
from medfab_gateway.consumers._dispatch import plans
from medfab_gateway.consumers._service import collect_garbage_less_often
from postgres import Postgres, postgres_server

QUICK = os.environ.get("QUICK") == "1"
TRANSACTIONS = 10_000 if QUICK else 100_000
BLOCK, BATCH = 100, 20
RUNS = int(os.environ.get("RUNS") or (1 if QUICK else 3))
AIM = 1e6 / 15_000
"""µs of CPU per transaction."""

ACCESSES = Table(
    "accesses",
    {"patient": TEXT, "request": TEXT, "requester": TEXT, "decision": TEXT},
    key=["patient", "request"],
)
COUNTS = Table("counts", {"requester": TEXT, "requests": INTEGER}, key=["requester"])


class Accesses(Projection):
    """As one would write it: JSON values into a table, and a count of events."""

    name = "accesses"
    chaincode = "ehr"
    tables = (ACCESSES, COUNTS)

    @on_write(composite("access", "patient", "request"))
    def access(self, write: Written) -> Iterator[Operation]:
        entry = write.json()
        yield ACCESSES.put(
            patient=write["patient"],
            request=write["request"],
            requester=entry["requester"],
            decision=entry["decision"],
        )

    @on_event("Decided")
    def decided(self, event: Emitted) -> Iterator[Operation]:
        yield COUNTS.add(requester=event.json()["requester"], requests=1)


PROJECTIONS: dict[str, type[Projection]] = {"explorer": Explorer, "declared": Accesses}


@dataclass(frozen=True, kw_only=True)
class Cost:
    microseconds: float
    """Of this process's CPU, for each transaction."""
    server_microseconds: float
    """Of the database server's."""
    megabytes: float
    """Resident at the end, less those after the first tenth."""


def main() -> None:
    if len(sys.argv) > 1:
        one_run()
        return
    rows = []
    with tempfile.TemporaryDirectory() as name, postgres_server() as server:
        file = Path(name) / "blocks"
        make_blocks(file)
        size = file.stat().st_size / TRANSACTIONS
        print(f"{TRANSACTIONS} transactions of {size:.0f} bytes, in blocks of {BLOCK}")
        for database in ("SQLite", "PostgreSQL"):
            for projection in PROJECTIONS:
                costs = [run(file, name, server, database, projection) for _ in range(RUNS)]
                rows += report(f"{projection} into {database}", costs)
    if not QUICK:
        versions = {"sqlite": __import__("sqlite3").sqlite_version, "postgresql": version()}
        print(write("consumers", rows, versions=versions))


def report(case: str, costs: list[Cost]) -> list[Row]:
    times = sorted(cost.microseconds for cost in costs)
    rows = [
        row(case, "µs of CPU per transaction", times, AIM, "aim of issue 7 (15,000 per CPU-second)")
    ]
    servers = sorted(cost.server_microseconds for cost in costs)
    if servers[-1]:
        unit = "µs of the server's CPU per transaction"
        rows.append(row(f"{case}: server", unit, servers, AIM, "aim of issue 7, for the client"))
    growth = sorted(cost.megabytes for cost in costs)
    print(
        f"{case:38} {1e6 / times[len(times) // 2]:8.0f} transactions per CPU-second; memory grew "
        f"by {growth[len(growth) // 2]:.1f} MB over the last nine tenths"
    )
    flat = [max(each, 0.1) for each in growth]
    unit = "MB more at the end than after a tenth"
    rows.append(row(f"{case}: memory", unit, flat, 16.0, "what is read ahead (16 MB)"))
    return rows


def row(case: str, unit: str, ours: list[float], peer: float, peer_name: str) -> Row:
    middle = ours[len(ours) // 2]
    made = Row(
        case=case,
        concurrency=1,
        unit=unit,
        ours=round(middle, 2),
        peer=round(peer, 2),
        peer_name=peer_name,
        ratio_median=round(peer / middle, 3),
        ratio_min=round(peer / ours[-1], 3),
        ratio_max=round(peer / ours[0], 3),
    )
    print_row(made)
    return made


def run(file: Path, folder: str, server: Postgres, database: str, projection: str) -> Cost:
    """In a process of its own, whose memory is nobody else's."""
    if database == "SQLite":
        address = f"{folder}/bench.sqlite"
        for old in Path(folder).glob("bench.sqlite*"):
            old.unlink()
    else:
        address = server.address
        with server.connect() as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CHECKPOINT")
    before = server.cpu_seconds()
    done = subprocess.run(
        [sys.executable, "-m", "bench.consumers", database, projection, address, str(file)],
        check=True,
        capture_output=True,
        text=True,
    )
    served = server.cpu_seconds() - before if database == "PostgreSQL" else 0.0
    microseconds, megabytes = map(float, done.stdout.split())
    return Cost(
        microseconds=microseconds,
        server_microseconds=served / TRANSACTIONS * 1e6,
        megabytes=megabytes,
    )


def one_run() -> None:
    parser = argparse.ArgumentParser()
    for argument in ("database", "projection", "address", "file"):
        parser.add_argument(argument)
    options = parser.parse_args()
    store: Store
    if options.database == "SQLite":
        store = SqliteStore(options.address)
    else:
        store = PostgresStore(options.address)
    store.open()
    projection = PROJECTIONS[options.projection]()
    applier = Applier(
        store, consumer="bench", channel="care", plans=plans([projection], msp_id="HospitalMSP")
    )
    applier.prepare()
    collect_garbage_less_often()
    batch: list[LedgerBlock] = []
    early = 0.0
    began = time.process_time()
    for number, raw in enumerate(read_blocks(Path(options.file))):
        batch.append(LedgerBlock(block=decode_block(raw)))
        if len(batch) == BATCH:
            letters = applier.apply(batch)
            assert not letters
            batch = []
        if number * BLOCK == TRANSACTIONS // 10:
            early = resident()
    applier.apply(batch)
    seconds = time.process_time() - began
    assert applier.position.next_block == TRANSACTIONS // BLOCK
    print(seconds / TRANSACTIONS * 1e6, resident() - early)
    store.close()


def resident() -> float:
    """MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def make_blocks(file: Path) -> None:
    ledger = Ledger()
    with file.open("wb") as blocks:
        for block in range(TRANSACTIONS // BLOCK):
            made = ledger.add(*(transaction(block * BLOCK + n) for n in range(BLOCK)))
            blocks.write(len(made.block.raw).to_bytes(4, "big") + made.block.raw)


def transaction(number: int) -> Tx:
    requester = f"Org{number % 7}MSP"
    return Tx(
        function="RequestAccess",
        writes={
            composite_key("access", f"{number % 997:032x}", f"{number:064x}"): {
                "decision": "permitted",
                "requester": requester,
                "decided_at": 1_700_000_000_000 + number,
            }
        },
        private={("consents", f"access-{number}"): "salted"},
        event=("Decided", {"requester": requester}),
    )


def read_blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as blocks:
        while head := blocks.read(4):
            yield blocks.read(int.from_bytes(head, "big"))


def version() -> str:
    from postgres import _programs

    with tempfile.TemporaryDirectory() as folder:
        program = _programs(Path(folder)) / "postgres"
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        return done.stdout.strip().rpartition(") ")[2] or done.stdout.strip()


if __name__ == "__main__":
    main()
