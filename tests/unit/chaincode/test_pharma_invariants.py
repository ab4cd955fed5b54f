"""The nine invariants of track and trace, each in a test of its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from medfab_chaincode.testing import Transaction
from pharma_world import (
    AUDITOR,
    EXPIRY,
    LOT_KEY,
    MAKER,
    OPERATOR,
    PHARMACY,
    QUALITY,
    RIVAL,
    WHOLESALER,
    Chain,
    InMemory,
    Person,
    event,
    gln,
    gtin,
    identity,
    lot,
    sscc,
    unit,
)
from unit.chaincode.pharma_chain import chain, channel, refused

__all__ = ["chain", "channel"]


async def test_invariant_1_a_serial_is_commissioned_at_most_once(chain: Chain) -> None:
    await chain.commission("A1")
    answer = await chain(OPERATOR[MAKER], "Commission", **lot("L2"), serials=["B1", "A1", "B2"])
    assert answer["duplicates"] == [1]
    found = await chain.ask(AUDITOR, "Locate", json.dumps([unit("B1"), unit("A1"), unit("B2")]))
    assert [each is None for each in found] == [True, False, True]
    (alert,) = await chain.ask(AUDITOR, "ListAlerts", unit("A1"))
    assert (alert["kind"], alert["by"]) == ("duplicate_commissioning", MAKER)


async def test_invariant_1_two_at_once_commission_one(chain: Chain, channel: InMemory) -> None:
    await chain(OPERATOR[MAKER], "OpenLot", **lot())
    given = json.dumps(lot() | {"serials": ["A1"]}).encode()
    both = [
        await channel.ledger.endorse(
            "Commission", caller=identity(OPERATOR[MAKER]), transient={"input": given}
        )
        for _ in range(2)
    ]
    assert channel.ledger.commit(*both) == ("VALID", "ENDORSEMENT_POLICY_FAILURE")


async def test_invariant_2_one_holder_one_parent_no_cycles(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    case = await chain.pack(sscc(1), one)
    with refused("IN_CONTAINER"):
        await chain.pack(sscc(2), one)
    with refused("CYCLE"):
        await chain.pack(case, case)
    pallet = await chain.pack(sscc(3), case)
    with refused("IN_CONTAINER"):
        await chain.pack(case, pallet)
    with refused("IN_CONTAINER"):
        await chain.pack(case, two)
    with refused("NOT_HOLDER"):
        await chain.pack(sscc(1, RIVAL), two, by=RIVAL)


async def test_invariant_3_moving_a_parent_moves_its_descendants(
    chain: Chain, channel: InMemory
) -> None:
    one, two = await chain.commission("A1", "A2")
    case = await chain.pack(sscc(1), one, two)
    pallet = await chain.pack(sscc(2), case)
    before = channel.items()
    await chain.move(pallet)
    changed = [key for key, value in channel.items().items() if before[key] != value]
    assert len(changed) == 1
    for each in (one, two, case, pallet):
        assert (await chain.status(each), await chain.holder(each)) == ("in_stock", WHOLESALER)


async def test_invariant_3_a_child_in_a_closed_parent_cannot_ship(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    case = await chain.pack(sscc(1), one)
    await chain.pack(sscc(2), case)
    for each in (one, case):
        with refused("IN_CONTAINER", "unpack it first"):
            await chain.ship(each)
    with refused("IN_CONTAINER"):
        await chain(OPERATOR[MAKER], "Unpack", container=case)


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "in a pallet"])
@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("recalled", "RECALLED"),
        ("suspect", "HELD"),
        ("quarantined", "HELD"),
        ("expired", "EXPIRED"),
    ],
)
async def test_invariant_4_what_is_blocked_neither_ships_nor_dispenses(
    chain: Chain, channel: InMemory, reason: str, code: str, packed: bool
) -> None:
    one, other = await chain.commission("A1", "A2")
    case = await chain.pack(sscc(1), one, other)
    root = await chain.pack(sscc(2), case)
    await chain.move(root, to=PHARMACY)
    if not packed:
        await chain(OPERATOR[PHARMACY], "Unpack", container=root)
        await chain(OPERATOR[PHARMACY], "Unpack", container=case)
        root = one
    if reason == "expired":
        channel.pass_time(days=2000)
    elif reason == "recalled":
        await _recall(chain)
    else:
        await chain(AUDITOR, "Hold", items=[one], kind=reason, reason="test")
    assert await chain.status(one) == reason
    with refused(code):
        await chain.ship(root, by=PHARMACY, to=WHOLESALER)
    if not packed:
        with refused(code):
            await chain(OPERATOR[PHARMACY], "Dispense", item=one, gln=gln(PHARMACY))


@pytest.mark.parametrize("function", ["Decommission", "Destroy", "ReportStolen"])
async def test_invariant_4_terminal_units_neither_ship_nor_dispense(
    chain: Chain, function: str
) -> None:
    (one,) = await chain.commission("A1")
    await chain.move(one, to=PHARMACY)
    await chain(OPERATOR[PHARMACY], function, items=[one], reason="test")
    with refused("WRONG_STATE"):
        await chain.ship(one, by=PHARMACY, to=WHOLESALER)
    with refused("WRONG_STATE"):
        await chain(OPERATOR[PHARMACY], "Dispense", item=one, gln=gln(PHARMACY))


async def test_invariant_4_holds_leave_a_pallet_with_what_they_hold(chain: Chain) -> None:
    one, other = await chain.commission("A1", "A2")
    case = await chain.pack(sscc(1), one)
    case2 = await chain.pack(sscc(2), other)
    pallet = await chain.pack(sscc(3), case, case2)
    await chain(AUDITOR, "Hold", items=[one], kind="suspect", reason="test")
    with refused("HELD"):
        await chain.ship(pallet)
    await chain(OPERATOR[MAKER], "Unpack", container=pallet, items=[case])
    await chain.ship(pallet)
    with refused("HELD"):
        await chain.ship(case)
    await chain(QUALITY[MAKER], "Clear", items=[one], reason="test")
    await chain.ship(case)


async def test_invariant_4_a_held_pallet_cannot_be_emptied_of_its_hold(chain: Chain) -> None:
    one, other = await chain.commission("A1", "A2")
    pallet = await chain.pack(sscc(1), one, other)
    await chain(AUDITOR, "Hold", items=[pallet], kind="quarantined", reason="test")
    assert await chain.status(one) == "quarantined"
    await chain(OPERATOR[MAKER], "Unpack", container=pallet)
    for each in (one, other):
        with refused("HELD"):
            await chain.ship(each)
    await chain(QUALITY[MAKER], "Clear", items=[one], reason="test")
    await chain.ship(one)


async def test_invariant_4_a_hold_and_a_shipment_at_once(chain: Chain, channel: InMemory) -> None:
    (one,) = await chain.commission("A1")
    pallet = await chain.pack(sscc(1), one)
    shipping = await _endorse(
        channel, OPERATOR[MAKER], "Ship", items=[pallet], consignee=WHOLESALER
    )
    holding = await _endorse(channel, AUDITOR, "Hold", items=[one], kind="suspect", reason="test")
    assert channel.ledger.commit(holding, shipping) == ("VALID", "PHANTOM_READ_CONFLICT")


async def test_invariant_5_a_recall_is_one_write(chain: Chain, channel: InMemory) -> None:
    serials = [f"A{n}" for n in range(500)]
    await chain(OPERATOR[MAKER], "Commission", **lot(), serials=serials)
    given = {
        "gtin": gtin(1),
        "lot": "L1",
        "recall_class": 1,
        "reason": "test",
        "lot_key": LOT_KEY,
    }
    recall = await _endorse(channel, OPERATOR[MAKER], "Recall", **given)
    assert len(recall.writes) == 1
    assert channel.ledger.commit(recall) == ("VALID",)
    found = await chain.ask(AUDITOR, "Locate", json.dumps([unit(serial) for serial in serials]))
    assert {each["status"] for each in found} == {"recalled"}


async def test_invariant_5_a_recall_and_a_shipment_at_once(chain: Chain, channel: InMemory) -> None:
    (one,) = await chain.commission("A1")
    pallet = await chain.pack(sscc(1), one)
    shipping = await _endorse(
        channel, OPERATOR[MAKER], "Ship", items=[pallet], consignee=WHOLESALER
    )
    recall = await _endorse(
        channel,
        OPERATOR[MAKER],
        "Recall",
        gtin=gtin(1),
        lot="L1",
        recall_class=1,
        reason="test",
        lot_key=LOT_KEY,
    )
    assert channel.ledger.commit(recall, shipping) == ("VALID", "MVCC_READ_CONFLICT")


async def test_invariant_6_no_more_is_received_than_was_shipped(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    shipment = await chain.ship(one)
    with refused("NOT_CONSIGNEE", "not in this shipment"):
        await chain.receive(shipment, one, two)
    await chain.receive(shipment, one)
    with refused("WRONG_STATE"):
        await chain.receive(shipment, one)


async def test_invariant_6_a_shortage_opens_an_exception(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    shipment = await chain.ship(one, two)
    answer = await chain.receive(shipment, one, complete=True)
    assert answer["shortages"] == 1
    (shortage,) = await chain.ask(AUDITOR, "ListShortages", shipment)
    assert shortage["status"] == "open"


async def test_invariant_7_a_recall_crosses_a_repack(chain: Chain) -> None:
    one, _ = await chain.commission("A1", "A2")
    await chain(
        OPERATOR[MAKER],
        "Repack",
        **lot("N1", gtin(2)),
        sources=[one],
        serials=["R1"],
    )
    again = lot("M1", gtin(2)) | {"sources": [unit("R1", gtin(2))], "serials": ["S1"]}
    await chain(OPERATOR[MAKER], "Repack", **again)
    made = unit("S1", gtin(2))
    pallet = await chain.pack(sscc(1), made)
    tag = await _recall(chain)
    assert await chain.status(made) == "recalled"
    with refused("RECALLED"):
        await chain.ship(pallet)
    counts: dict[str, int] = {}
    bookmark = ""
    while True:
        page = await chain.ask(AUDITOR, "Holders", tag, "1", bookmark)
        for row in page["holders"]:
            counts[row["status"]] = counts.get(row["status"], 0) + row["count"]
        if not (bookmark := page["bookmark"]):
            break
    assert counts == {"recalled": 2, "repacked": 2}


async def test_invariant_8_impossible_speed_raises_suspect(chain: Chain, channel: InMemory) -> None:
    (one,) = await chain.commission("A1")
    scan = {"item": one, "lot": "L1", "expiry": EXPIRY}
    assert (await chain(OPERATOR[MAKER], "ReportScan", **scan, gln=gln(MAKER)))["signals"] == []
    channel.pass_time(minutes=30)
    answer = await chain(OPERATOR[WHOLESALER], "ReportScan", **scan, gln=gln(WHOLESALER))
    assert answer["signals"] == []  # Basel to Frankfurt is 280 km: 560 km/h
    channel.pass_time(minutes=30)
    answer = await chain(OPERATOR[PHARMACY], "ReportScan", **scan, gln=gln(PHARMACY))
    assert answer["signals"] == ["impossible_speed"]  # Frankfurt to Sydney
    assert await chain.status(one) == "suspect"
    (hold,) = await chain.ask(AUDITOR, "ListHolds", one)
    assert hold["reason"] == "impossible_speed"
    channel.pass_time(days=2)
    answer = await chain(OPERATOR[MAKER], "ReportScan", **scan, gln=gln(MAKER))
    assert answer["signals"] == []


async def test_invariant_9_a_scan_of_a_decommissioned_serial_alerts(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    await chain(OPERATOR[MAKER], "Decommission", items=[one], reason="sample")
    answer = await chain(OPERATOR[PHARMACY], "ReportScan", item=one, gln=gln(PHARMACY))
    assert answer["signals"] == ["decommissioned_scan"]
    (alert,) = await chain.ask(AUDITOR, "ListAlerts", one)
    assert (alert["kind"], alert["by"]) == ("decommissioned_scan", PHARMACY)


async def test_scans_of_unknown_packs_and_wrong_labels_alert(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    scan = {"gln": gln(PHARMACY), "lot": "L2"}
    answer = await chain(OPERATOR[PHARMACY], "ReportScan", item=one, **scan)
    assert answer["signals"] == ["data_mismatch"]
    answer = await chain(OPERATOR[PHARMACY], "ReportScan", item=unit("none"), **scan)
    assert answer["signals"] == ["unknown_pack"]


async def test_an_event_is_captured_once_and_for_one_step(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    shipment = await chain.ship(one, event=event("ship"))
    assert await chain.ship(one, event=event("ship")) == shipment
    with refused("EVENT_CONFLICT"):
        await chain(OPERATOR[MAKER], "Decommission", items=[two], reason="x", event=event("ship"))
    with refused("EVENT_CONFLICT"):
        await chain.receive(shipment, one, event=event("ship"))


async def _recall(chain: Chain) -> str:
    answer = await chain(
        OPERATOR[MAKER],
        "Recall",
        gtin=gtin(1),
        lot="L1",
        recall_class=1,
        reason="test",
        lot_key=LOT_KEY,
    )
    return str(answer["tag"])


async def _endorse(channel: InMemory, who: Person, function: str, **given: Any) -> Transaction:
    return await channel.ledger.endorse(
        function, caller=identity(who), transient={"input": json.dumps(given).encode()}
    )
