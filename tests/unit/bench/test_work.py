"""The model that every side is compared with is our contract's, on the ledger in memory."""

from __future__ import annotations

from bench.suite._work import (
    ASSETS,
    READ_PREFIX,
    Work,
    canonical,
    lists,
    price_of,
    reads,
    transfers,
)
from bench.suite.client import Result, report
from bench.suite.contract import COLLECTION, Assets

from medfab_chaincode.testing import Collection, Identity, Ledger, all_of

MSP = "HospitalMSP"
USER = Identity(MSP, "bench")


async def filled() -> Ledger:
    ledger = Ledger(
        Assets,
        organizations=[MSP],
        collections=[Collection(name=COLLECTION, members=[MSP], endorsement_policy=all_of(MSP))],
    )
    await ledger.submit("Fill", READ_PREFIX, str(ASSETS), caller=USER)
    await ledger.submit("Fill", "w", "50", caller=USER)
    return ledger


async def reported(ledger: Ledger, work: Work) -> dict[str, object]:
    """As a client's report."""
    send = ledger.submit if work.submit else ledger.evaluate
    results = []
    for call in work.calls:
        transient = {name: text.encode() for name, text in call["transient"].items()}
        answer = await send(call["function"], *call["args"], transient=transient, caller=USER)
        results.append(Result(answer, 0.0))
    return report(list(work.calls), results, 0.0)


async def test_reads_and_ranges() -> None:
    ledger = await filled()
    for work in (reads(30, first=7), lists(5, first=7)):
        found = await reported(ledger, work)
        assert (found["inputs"], found["answers"]) == (work.inputs, work.answers)
        assert found["error"] == ""


async def test_transfers_and_what_is_left_on_the_ledger() -> None:
    ledger = await filled()
    work, after = transfers("w", 40, first=5)
    found = await reported(ledger, work)
    assert (found["inputs"], found["answers"]) == (work.inputs, work.answers)
    listed = await ledger.evaluate("List", "w00005", "w00045", caller=USER)
    assert listed.decode() == canonical([after[each] for each in sorted(after)])
    price = await ledger.evaluate("Price", "w00005", caller=USER)
    assert price.decode() == price_of("w00005")


def test_other_inputs_have_another_digest() -> None:
    assert len({reads(10, first=first).inputs for first in range(20)}) == 20
    assert transfers("w", 5, first=0)[0].inputs != transfers("v", 5, first=0)[0].inputs
