"""What one piece of work costs while everything else on the ledger grows, 10³ to 10⁶ of it.

Decisions, verifications, recalls and histories run on the ledger in memory, whose contents are
generated: the same contract code as on a peer, and what it asks of the peer is counted (messages
and bytes), because that is what a larger ledger could make more of. Projecting is timed, on blocks
that are made, in a database of that many rows. What a real peer needs for it (milliseconds, up to
10⁵) is in the kept results of the longer benchmarks.
"""

from __future__ import annotations

import datetime
import gc
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import ehr_contract as seeds
from bench.consumers import Accesses, transaction
from bench.ehr_costs import ASKER, MSP, REQUEST, WANTED, Counted, filled
from bench.pharma import others

from made_blocks import Ledger as MadeBlocks
from made_blocks import Tx
from medfab_chaincode.testing import Identity, Ledger
from medfab_gateway import decode_block
from medfab_gateway.consumers import LedgerBlock, SqliteStore
from medfab_gateway.consumers._applier import Applier
from medfab_gateway.consumers._dispatch import plans
from pharma_world import (
    LOT_KEY,
    MAKER,
    OPERATOR,
    PHARMACY,
    InMemory,
    found,
    gtin,
    identity,
    ledger,
    lot,
    sscc,
    unit,
)

SIZES = (10**3, 10**4, 10**5)
LONG = 10**6
BLOCK, TIMED_BLOCKS = 100, 30
FLAT = 1.25
"""Times the cost at 10³: less than that at the largest size is called flat."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """The cost of one act beside so much else."""

    act: str
    unit: str
    size: int
    cost: float
    cost_min: float
    cost_max: float
    date: str


async def measure(
    quick: bool, say: Callable[[str], None], *, long: bool = False, kept: Sequence[Any] = ()
) -> dict[str, Any]:
    """The part's document. kept: points of an earlier run, for sizes that this one leaves out."""
    sizes = SIZES[:2] if quick else (*SIZES, LONG) if long else SIZES
    points: list[Point] = []
    for size in sizes:
        points += [*await decisions(size), *await packs(size)]
        gc.collect()
        say(f"growth: {size:,} consents, records and packs in memory")
    for point in projections(sizes):
        points.append(point)
        say(f"growth: a block projected into {point.size:,} rows: {point.cost:.1f} ms")
    measured = {(point.act, point.unit, point.size) for point in points}
    for old in kept:
        if (old["act"], old["unit"], old["size"]) not in measured:
            points.append(Point(**old))
    return {"points": [asdict(point) for point in points], "growth": growth(points)}


def growth(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Of each act and unit: cost(10^k) over cost(10³), and what that makes it."""
    rows = []
    for act, unit_of in dict.fromkeys((point.act, point.unit) for point in points):
        line = sorted(
            (p for p in points if (p.act, p.unit) == (act, unit_of)), key=lambda p: p.size
        )
        ratios = {f"{p.size}": round(p.cost / line[0].cost, 3) for p in line}
        rows.append({"act": act, "unit": unit_of, "ratios": ratios, "verdict": verdict(line)})
    return rows


def verdict(line: Sequence[Point]) -> str:
    """Flat, no more than the logarithm, or more, by the largest size beside the smallest."""
    first, last = line[0], line[-1]
    ratio = last.cost / first.cost
    if ratio <= FLAT:
        return "flat"
    return "log" if ratio <= math.log(last.size) / math.log(first.size) * FLAT else "grows"


async def decisions(size: int) -> list[Point]:
    """A decision, a read, and the list of who asked, of one patient among many."""
    with_others = filled(size, min(size, SIZES[-1]))
    patient = seeds.pseudonym(WANTED)
    with Counted() as decided:
        endorsed = await with_others.endorse(
            "RequestAccess", patient, caller=ASKER, transient=REQUEST
        )
    answer = json.loads(endorsed.result)
    assert answer["decision"] == "permit"
    assert with_others.commit(endorsed) == ("VALID",)
    with Counted() as read:
        released = await with_others.evaluate(
            "ReadRecords", patient, answer["request_id"], MSP, caller=ASKER
        )
    assert len(json.loads(released)["records"]) == seeds.PER_PATIENT
    own = Identity(MSP, "patient", {"medfab.role": "patient", "medfab.patient": patient})
    with Counted() as listed:
        history = await _evaluate(with_others, "ListAccess", own)
    assert [row["request_id"] for row in history] == [answer["request_id"]]
    acts = {"EHR decision": decided, "EHR read": read, "EHR history": listed}
    return _points(size, acts)


async def packs(size: int) -> list[Point]:
    """Verification, history and recall of a pack of a lot of ten, among many of another lot."""
    small = InMemory()
    await found(small)
    master = dict(small.ledger.state())
    await _lot_of_ten(small)
    grown = InMemory(ledger=ledger(master | others(dict(small.ledger.state()), size)))
    await _lot_of_ten(grown)
    pack = unit("p0000000")
    with Counted() as verified:
        answer = await grown.evaluate(
            OPERATOR[PHARMACY], "Verify", pack, "PALLET", "20301231", "dispense"
        )
    assert answer["verified"]
    with Counted() as traced:
        steps = await grown.evaluate(OPERATOR[MAKER], "Trace", pack)
    assert len(steps) == 2
    recall = {"gtin": gtin(1), "lot": "PALLET", "recall_class": 1, "reason": "bench"}
    with Counted() as recalled:
        await grown.ledger.endorse(
            "Recall",
            caller=identity(OPERATOR[MAKER]),
            transient={"input": json.dumps(recall | {"lot_key": LOT_KEY}).encode()},
        )
    return _points(
        size, {"pack verification": verified, "pack history": traced, "recall": recalled}
    )


def projections(sizes: Sequence[int]) -> Iterator[Point]:
    """How long a block waits until its rows are in the database: the lag of a projection."""
    blocks = MadeBlocks()
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as folder:
        store = SqliteStore(str(Path(folder) / "bench.sqlite"))
        store.open()
        applier = Applier(
            store, consumer="bench", channel="care", plans=plans([Accesses()], msp_id=MSP)
        )
        applier.prepare()
        made = 0
        for size in sizes:
            times: list[float] = []
            spent: list[float] = []
            fill(store, made, size)
            made = max(made, size)
            while made < size + TIMED_BLOCKS * BLOCK:
                raw = blocks.add(*_transactions(made)).block.raw
                made += BLOCK
                began, cpu = time.perf_counter(), time.process_time()
                letters = applier.apply([LedgerBlock(block=decode_block(raw))])
                times.append((time.perf_counter() - began) * 1000)
                spent.append((time.process_time() - cpu) * 1000)
                assert not letters
            rows = store.query("SELECT count(*) FROM accesses")
            assert next(iter(rows))[0] == made, rows
            for unit_of, found_times in (("ms", times), ("ms of CPU", spent)):
                yield Point(
                    act="projection lag",
                    unit=f"{unit_of} for a block of {BLOCK} transactions",
                    size=size,
                    cost=round(statistics.median(found_times), 3),
                    cost_min=round(min(found_times), 3),
                    cost_max=round(max(found_times), 3),
                    date=_today(),
                )
        store.close()


def fill(store: SqliteStore, first: int, end: int) -> None:
    """Rows as the projection makes them of transactions `first` to `end`, without their blocks."""
    with store.transaction():
        for number in range(first, end):
            store.execute(
                "INSERT INTO accesses (patient, request, requester, decision) VALUES (?, ?, ?, ?)",
                (f"{number % 997:032x}", f"{number:064x}", f"Org{number % 7}MSP", "permitted"),
            )


def _transactions(first: int) -> Iterator[Tx]:
    return (transaction(first + number) for number in range(BLOCK))


async def _lot_of_ten(channel: InMemory) -> None:
    maker = OPERATOR[MAKER]
    await channel.submit(maker, "OpenLot", lot("PALLET"))
    given = {"prefix": "p", "first": 0, "last": 9, "width": 7}
    await channel.submit(maker, "Commission", lot("PALLET") | {"range": given})
    units = [unit(f"p{number:07d}") for number in range(10)]
    await channel.submit(maker, "Pack", {"container": sscc(1), "items": units})


async def _evaluate(on: Ledger, function: str, caller: Identity) -> Any:
    return json.loads(await on.evaluate(function, caller=caller))


def _points(size: int, acts: dict[str, Any]) -> list[Point]:
    points = []
    for act, cost in acts.items():
        for unit_of in ("messages", "bytes"):
            value = float(getattr(cost, unit_of))
            points.append(
                Point(
                    act=act,
                    unit=f"{unit_of} between peer and chaincode",
                    size=size,
                    cost=value,
                    cost_min=value,
                    cost_max=value,
                    date=_today(),
                )
            )
    return points


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


if __name__ == "__main__":
    import asyncio
    import sys

    print(
        json.dumps(
            asyncio.run(measure("quick" in sys.argv, print, long="long" in sys.argv))["growth"],
            indent=1,
        )
    )
