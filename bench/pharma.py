"""What calls of the supply contract cost while the ledger grows; how fast units are commissioned.

    .venv/bin/python -m bench.pharma            # in memory: up to a million units; no network
    .venv/bin/python -m bench.pharma --network  # a real network of four organisations, 10^5 units
    .venv/bin/python -m bench.pharma --recall   # W1 there: from the recall to all its holders

Counted, not timed: round trips between contract and peer, keys written, bytes of what is signed.
On the network: bytes of the transaction, and times, which depend on the machine. `peer` of a row is
the same call on the smallest ledger, so that a ratio of 1 says: constant (above 1: better).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bench._results import Row, print_row, write

from medfab_chaincode import canonical_json
from medfab_chaincode._conversation import Conversation
from medfab_chaincode.pharma._ids import digest, lot_proof
from medfab_chaincode.testing import Transaction
from pharma_world import (
    EXPIRY,
    LOT_KEY,
    MAKER,
    OPERATOR,
    PHARMACY,
    WHOLESALER,
    Chain,
    InMemory,
    Person,
    found,
    gtin,
    identity,
    ledger,
    lot,
    sscc,
    unit,
)

PALLET = 10_000
SIZES_IN_MEMORY = (1_000, 10_000, 100_000, 1_000_000)
SIZES_ON_NETWORK = (1_000, 10_000, 100_000)
CHUNK = 1_000
AT_ONCE = 4
RECALLS = 40

Submit = Callable[[Person, str, dict[str, Any]], Awaitable[Any]]


async def build_pallet(submit: Submit) -> str:
    """A pallet of 100 cases with 100 units each."""
    await submit(OPERATOR[MAKER], "OpenLot", lot("PALLET"))
    for start in range(0, PALLET, CHUNK):
        await submit(OPERATOR[MAKER], "Commission", lot("PALLET") | _range("p", start, CHUNK))
    cases = [sscc(1_000 + number) for number in range(PALLET // 100)]
    waiting = iter(enumerate(cases))

    async def packer() -> None:
        for number, case in waiting:
            units = [unit(f"p{n:07d}") for n in range(number * 100, number * 100 + 100)]
            await submit(OPERATOR[MAKER], "Pack", {"container": case, "items": units})

    await asyncio.gather(*(packer() for _ in range(AT_ONCE)))
    await submit(OPERATOR[MAKER], "Pack", {"container": sscc(1), "items": cases})
    return sscc(1)


def _range(prefix: str, first: int, count: int) -> dict[str, Any]:
    last = first + count - 1
    return {"range": {"prefix": prefix, "first": first, "last": last, "width": 7}}


CALLS: dict[str, tuple[Person, dict[str, Any]]] = {
    "Ship": (OPERATOR[MAKER], {"items": [sscc(1)], "consignee": WHOLESALER}),
    "Recall": (
        OPERATOR[MAKER],
        {
            "gtin": gtin(1),
            "lot": "PALLET",
            "recall_class": 1,
            "reason": "bench",
            "lot_key": LOT_KEY,
        },
    ),
}
VERIFY = (unit("p0000000"), "PALLET", str(EXPIRY), "dispense")


class RoundTrips:
    """Counts what contracts ask of peers, of all endorsers together."""

    def __init__(self) -> None:
        self.count = 0
        ask = Conversation.request

        def counted(conversation: Conversation, kind: str, payload: bytes) -> Any:
            self.count += 1
            return ask(conversation, kind, payload)

        setattr(Conversation, "request", counted)  # noqa: B010  (mypy forbids the assignment)


async def in_memory() -> list[Row]:
    channel = InMemory()
    await found(channel)
    await build_pallet(channel.submit)
    pallet_state = dict(channel.ledger.state())
    trips = RoundTrips()
    costs: dict[int, dict[str, float]] = {}
    for size in SIZES_IN_MEMORY:
        grown = InMemory(ledger=ledger(pallet_state | others(pallet_state, size)))
        measured: dict[str, float] = {}
        for function, (who, given) in CALLS.items():
            trips.count = 0
            transaction: Transaction = await grown.ledger.endorse(
                function,
                caller=identity(who),
                transient={"input": json.dumps(given).encode()},
            )
            each = len(transaction.endorsers)
            measured[f"{function}: round trips"] = trips.count / each
            measured[f"{function}: keys written"] = len(transaction.writes)
            measured[f"{function}: bytes"] = len(transaction.response_payload)
        trips.count = 0
        answer = await grown.evaluate(OPERATOR[PHARMACY], "Verify", *VERIFY)
        assert answer["verified"]
        measured["Verify: round trips"] = trips.count
        measured["Verify: bytes"] = len(json.dumps(answer))
        costs[size] = measured
        print(f"in memory, {size:>9,} other units: {measured}", flush=True)
    return rows(costs, "in memory")


def others(state: dict[str, bytes], size: int) -> dict[str, bytes]:
    """Entries of `size` more units of another lot, as Commission writes them."""
    sample = next(key for key in state if key.startswith("\0item\0"))
    entry = json.loads(state[f"\0item\0{digest(unit('p0000000'))}\0"])
    assert sample.count("\0") == 3
    loose = {name: value for name, value in entry.items() if name != "parent"}
    made = {}
    for number in range(size):
        item = unit(f"o{number:07d}")
        value = loose | {"holder": MAKER, "proof": lot_proof(item, "OTHER")}
        made[f"\0item\0{digest(item)}\0"] = canonical_json(value)
    return made


def rows(costs: dict[int, dict[str, float]], where: str) -> list[Row]:
    smallest = costs[min(costs)]
    return [
        Row(
            case=f"{case}, {where}, beside {size:,} units",
            concurrency=1,
            unit=case.rpartition(": ")[2],
            ours=round(value, 3),
            peer=round(smallest[case], 3),
            peer_name=f"the same beside {min(costs):,} units",
            ratio_median=(ratio := round(smallest[case] / value, 3)),
            ratio_min=ratio,
            ratio_max=ratio,
        )
        for size, measured in costs.items()
        for case, value in measured.items()
    ]


async def on_network() -> list[Row]:
    from integration.supply_help import OnNetwork, supply_network

    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as folder:
        async with supply_network(Path(folder) / "net") as consortium:
            channel = OnNetwork(consortium, patience=frozenset({"NOT_FOUND", "IN_CONTAINER"}))
            began = time.monotonic()
            await build_pallet(channel.submit)
            print(f"pallet of {PALLET} units: {time.monotonic() - began:.1f} s", flush=True)
            await channel.submit(OPERATOR[MAKER], "OpenLot", lot("OTHER"))
            costs: dict[int, dict[str, float]] = {}
            rates: list[Row] = []
            there = 0
            for size in SIZES_ON_NETWORK:
                began = time.monotonic()
                await commission(channel.submit, there, size)
                seconds = time.monotonic() - began
                rate = (size - there) / seconds
                print(f"{size - there} units commissioned: {rate:.0f} units/s", flush=True)
                rates.append(_rate(size, there, rate, rates[0].ours if rates else rate))
                there = size
                await channel.level()
                costs[size] = await measure(channel)
                print(f"on the network, {size:>9,} other units: {costs[size]}", flush=True)
            return rates + rows(costs, "network")


def _rate(size: int, there: int, rate: float, first: float) -> Row:
    ratio = round(rate / first, 3)
    return Row(
        case=f"Commission, network, from {there:,} to {size:,} units in calls of {CHUNK}",
        concurrency=AT_ONCE,
        unit="units per second",
        ours=round(rate, 1),
        peer=round(first, 1),
        peer_name="the same on an empty ledger",
        ratio_median=ratio,
        ratio_min=ratio,
        ratio_max=ratio,
    )


async def commission(submit: Submit, there: int, size: int) -> None:
    """Commission units of the lot OTHER, some calls at once."""
    starts = iter(range(there, size, CHUNK))

    async def worker() -> None:
        for start in starts:
            given = lot("OTHER") | _range("o", start, min(CHUNK, size - start))
            await submit(OPERATOR[MAKER], "Commission", given)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def measure(channel: Any) -> dict[str, float]:
    """Bytes and times of calls that are endorsed, and never submitted."""
    measured: dict[str, float] = {}
    for function, (who, given) in CALLS.items():
        contract = await channel.contract(who)
        transient = {"input": json.dumps(given).encode()}
        sizes, times = [], []
        for _ in range(15):
            began = time.monotonic()
            transaction = await contract.proposal(function, transient=transient).endorse()
            times.append(time.monotonic() - began)
            sizes.append(len(transaction.bytes))
        measured[f"{function}: bytes of the transaction"] = statistics.median(sizes)
        measured[f"{function}: ms to endorse"] = statistics.median(times) * 1000
    contract = await channel.contract(OPERATOR[PHARMACY])
    times = []
    for _ in range(50):
        began = time.monotonic()
        answer = json.loads(await contract.evaluate("Verify", *VERIFY))
        times.append(time.monotonic() - began)
        assert answer["verified"]
    measured["Verify: ms"] = statistics.median(times) * 1000
    measured["Verify: ms at p95"] = sorted(times)[int(len(times) * 0.95)] * 1000
    return measured


async def recalls() -> list[Row]:
    """From the call of Recall until its committed state names every holder, for small lots."""
    from integration.supply_help import InStep, supply_network

    times = []
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as folder:
        async with supply_network(Path(folder) / "net") as consortium:
            chain = Chain(InStep(consortium))
            for number in range(RECALLS):
                name = f"W1-{number}"
                units = await chain.commission(f"{name}.1", f"{name}.2", number=name)
                await chain.move(units[0])
                recall = {"gtin": gtin(1), "lot": name, "recall_class": 1, "reason": "bench"}
                began = time.monotonic()
                who = OPERATOR[MAKER]
                answer = await recall_at_once(chain.channel, who, recall | {"lot_key": LOT_KEY})
                page = await chain.ask(who, "Holders", answer["tag"], "100", "")
                times.append((time.monotonic() - began) * 1000)
                found_holders = {(row["msp"], row["count"]) for row in page["holders"]}
                assert found_holders == {(MAKER, 1), (WHOLESALER, 1)}
    times.sort()
    three_days = 3 * 24 * 3600 * 1000.0
    return [
        Row(
            case=f"W1: recall of a lot until every holder is known, {label} of {RECALLS}",
            concurrency=1,
            unit="ms",
            ours=round(value, 1),
            peer=three_days,
            peer_name="FDA pilot's report of the practice before it: up to 3 days; not measured",
            ratio_median=round(three_days / value),
            ratio_min=round(three_days / times[-1]),
            ratio_max=round(three_days / times[0]),
        )
        for label, value in (
            ("median", statistics.median(times)),
            ("p95", times[int(RECALLS * 0.95)]),
        )
    ]


async def recall_at_once(channel: Any, who: Person, given: dict[str, Any]) -> Any:
    """Waits for the caller's own peer alone, as clients do."""
    contract = await channel.contract(who)
    transient = {"input": json.dumps(given).encode()}
    return json.loads(await contract.submit("Recall", transient=transient))


async def main(mode: str) -> None:
    modes = {"memory": in_memory, "network": on_network, "recall": recalls}
    found_rows = await modes[mode]()
    for row in found_rows:
        print_row(row)
    print(write(f"pharma_{mode}", found_rows))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1].removeprefix("--") if len(sys.argv) > 1 else "memory"))
