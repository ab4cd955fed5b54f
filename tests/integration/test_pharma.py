"""The supply contract on the real network: custody, its endorsement, and private terms."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from integration.conftest import Consortium
from integration.supply_help import InStep, supply_network
from pharma_world import (
    AUDITOR,
    EXPIRY,
    MAKER,
    OPERATOR,
    PHARMACY,
    WHOLESALER,
    Chain,
    gln,
    gtin,
    sscc,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def supply(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Consortium]:
    async with supply_network(tmp_path_factory.mktemp("supply") / "net") as consortium:
        yield consortium


async def test_a_lot_from_factory_to_patient(supply: Consortium) -> None:
    chain = Chain(InStep(supply))
    one, two = await chain.commission("A1", "A2")
    case = await chain.pack(sscc(1), one, two)
    pallet = await chain.pack(sscc(2), case)
    await chain.move(pallet)
    assert await chain.holder(one) == WHOLESALER
    await chain(OPERATOR[WHOLESALER], "Unpack", container=pallet)
    await chain(OPERATOR[WHOLESALER], "Unpack", container=case)
    await chain.move(one, by=WHOLESALER, to=PHARMACY)
    verified = await chain.ask(OPERATOR[PHARMACY], "Verify", one, "L1", str(EXPIRY), "dispense")
    assert verified["verified"]
    assert verified["authentic"]
    await chain(OPERATOR[PHARMACY], "Dispense", item=one, gln=gln(PHARMACY))
    recall = await chain(
        AUDITOR, "Recall", gtin=gtin(1), lot="L1", recall_class=1, reason="test", sample=two
    )
    holders = await chain.ask(AUDITOR, "Holders", recall["tag"], "10", "")
    assert {(row["msp"], row["status"], row["count"]) for row in holders["holders"]} == {
        (PHARMACY, "dispensed", 1),
        (WHOLESALER, "recalled", 1),
    }
    steps = [step["kind"] for step in await chain.ask(OPERATOR[MAKER], "Trace", one)]
    assert steps == [
        "Commission",
        "Pack",
        "Pack",
        "Ship",
        "Receive",
        "Unpack",
        "Unpack",
        "Ship",
        "Receive",
        "Dispense",
    ]
