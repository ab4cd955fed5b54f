"""Every transition of a pack's life: who brings it about, what state follows, what is refused."""

from __future__ import annotations

import json

import pytest

from medfab_chaincode.testing import EndorseError
from pharma_world import (
    AUDITOR,
    CAPACITIES,
    EXPIRY,
    LONG,
    LOT_KEY,
    MAKER,
    OPERATOR,
    PHARMACY,
    QUALITY,
    REGULATOR,
    RIVAL,
    WHOLESALER,
    Chain,
    InMemory,
    digest,
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


async def test_commission_a_list(chain: Chain) -> None:
    for each in await chain.commission("A1", "A2"):
        assert await chain.status(each) == "active"
        assert await chain.holder(each) == MAKER


async def test_commission_a_range(chain: Chain) -> None:
    serials = {"prefix": "X", "first": 98, "last": 101, "width": 4}
    await chain(OPERATOR[MAKER], "Commission", **lot(), range=serials)
    found = await chain.ask(
        AUDITOR, "Locate", f'["{unit("X0098")}", "{unit("X0101")}", "{unit("X0102")}"]'
    )
    assert [each and each["status"] for each in found] == ["active", "active", None]


async def test_commission_containers(chain: Chain) -> None:
    case = unit("C1", gtin(3))
    await chain(OPERATOR[MAKER], "CommissionContainers", items=[case, sscc(9)])
    (one,) = await chain.commission("A1")
    await chain.pack(case, one)
    await chain.pack(sscc(9), case)
    await chain.move(sscc(9))
    assert await chain.holder(one) == WHOLESALER
    with refused("WRONG_STATE"):
        await chain(OPERATOR[MAKER], "CommissionContainers", items=[unit("C2")])


async def test_commission_again_with_the_same_event_changes_nothing(chain: Chain) -> None:
    given = lot() | {"serials": ["A1"], "event": event("1")}
    first = await chain(OPERATOR[MAKER], "Commission", **given)
    again = await chain(OPERATOR[MAKER], "Commission", **given)
    assert again == {**first, "repeated": True}
    assert await chain.ask(AUDITOR, "ListAlerts", unit("A1")) == []


async def test_a_lot_has_one_expiry_date(chain: Chain) -> None:
    await chain(OPERATOR[MAKER], "OpenLot", **lot())
    with refused("LOT_MISMATCH", "expiry"):
        await chain.commission("A1", expiry=20301230)
    with refused("EXPIRED"):
        await chain.commission("A1", number="old", expiry=20200131)


async def test_pack_and_unpack(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    case = await chain.pack(sscc(1), one, two)
    assert await chain.ask(AUDITOR, "Contents", case) == [digest(one), digest(two)]
    await chain(OPERATOR[MAKER], "Unpack", container=case, items=[one])
    assert await chain.ask(AUDITOR, "Contents", case) == [digest(two)]
    view = await chain.ask(AUDITOR, "ReadItem", case)
    assert list(view["lots"].values()) == [1]
    assert (await chain.ask(AUDITOR, "ReadItem", one))["parent"] is None
    with refused("NOT_FOUND", "not in this container"):
        await chain(OPERATOR[MAKER], "Unpack", container=case, items=[one])
    await chain(OPERATOR[MAKER], "Unpack", container=case)
    with refused("WRONG_STATE", "nothing in it"):
        await chain(OPERATOR[MAKER], "Unpack", container=case)
    with refused("NOT_PREFIX_OWNER"):
        await chain.pack(sscc(1, RIVAL), one)


async def test_ship_to_a_named_authorised_partner(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    with refused("NOT_PARTNER", "consignee"):
        await chain.ship(one, to="StrangerMSP")
    await chain(AUDITOR, "RegisterPartner", **_partner(WHOLESALER, valid_to=1))
    with refused("LICENCE_INVALID", "consignee"):
        await chain.ship(one)
    await chain(AUDITOR, "RegisterPartner", **_partner(WHOLESALER))
    with refused("NOT_HOLDER"):
        await chain.ship(one, by=RIVAL)
    await chain.ship(one)
    assert await chain.status(one) == "in_transit"
    assert await chain.holder(one) == MAKER
    with refused("WRONG_STATE", "in_transit"):
        await chain.ship(one)


async def test_receive_by_the_named_consignee_only(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    shipment = await chain.ship(one)
    with refused("NOT_CONSIGNEE"):
        await chain.receive(shipment, one, by=PHARMACY)
    with refused("NOT_CONSIGNEE", "not in this shipment"):
        await chain.receive(shipment, two)
    await chain.receive(shipment, one)
    assert (await chain.status(one), await chain.holder(one)) == ("in_stock", WHOLESALER)
    with refused("WRONG_STATE", "received before"):
        await chain.receive(shipment, one)


async def test_receive_in_parts(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    shipment = await chain.ship(one, two)
    await chain.receive(shipment, one)
    assert await chain.status(two) == "in_transit"
    answer = await chain.receive(shipment, two, complete=True)
    assert answer["shortages"] == 0
    view = await chain.ask(AUDITOR, "ReadShipment", shipment)
    assert view["status"] == "complete"
    assert {row["status"] for row in view["items"]} == {"in_stock"}


@pytest.mark.parametrize(
    ("outcome", "by", "status", "holder"),
    [
        ("found", MAKER, "active", MAKER),
        ("received", WHOLESALER, "in_stock", WHOLESALER),
        ("lost", MAKER, "stolen", MAKER),
    ],
)
async def test_a_shortage_is_opened_and_resolved(
    chain: Chain, outcome: str, by: str, status: str, holder: str
) -> None:
    one, two = await chain.commission("A1", "A2")
    shipment = await chain.ship(one, two)
    answer = await chain.receive(shipment, one, complete=True)
    assert answer["shortages"] == 1
    assert await chain.status(two) == "missing"
    given = {"shipment": shipment, "item": two, "outcome": outcome}
    with refused("NOT_HOLDER"):
        await chain(OPERATOR[PHARMACY], "ResolveShortage", **given)
    await chain(OPERATOR[by], "ResolveShortage", **given)
    assert (await chain.status(two), await chain.holder(two)) == (status, holder)
    (row,) = await chain.ask(AUDITOR, "ListShortages", shipment)
    assert row["status"] == outcome
    with refused("WRONG_STATE", "resolved already"):
        await chain(OPERATOR[by], "ResolveShortage", **given)


async def test_cancel_a_shipment_before_receipt(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    shipment = await chain.ship(one, two)
    with refused("NOT_HOLDER"):
        await chain(OPERATOR[WHOLESALER], "CancelShipment", shipment=shipment)
    await chain(OPERATOR[MAKER], "CancelShipment", shipment=shipment)
    assert (await chain.status(one), await chain.holder(one)) == ("active", MAKER)
    with refused("WRONG_STATE", "cancelled already"):
        await chain.receive(shipment, one)
    second = await chain.ship(one, two)
    await chain.receive(second, one)
    with refused("WRONG_STATE", "received some"):
        await chain(OPERATOR[MAKER], "CancelShipment", shipment=second)


async def test_quarantine_and_suspect_by_holder_or_regulator(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    with refused("NOT_HOLDER"):
        await _hold(chain, one, by=OPERATOR[RIVAL])
    await _hold(chain, one)
    await _hold(chain, two, by=AUDITOR)
    assert [await chain.status(each) for each in (one, two)] == ["quarantined"] * 2
    with refused("HELD", "quarantined already"):
        await _hold(chain, one)
    await _hold(chain, one, kind="suspect")
    assert await chain.status(one) == "suspect"


async def test_clear_by_quality_who_is_not_the_raiser(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    await _hold(chain, one, kind="suspect", by=QUALITY[MAKER])
    given = {"items": [one], "reason": "inspected"}
    with refused("ACCESS_DENIED", "quality or auditor"):
        await chain(OPERATOR[MAKER], "Clear", **given)
    with refused("SAME_PERSON"):
        await chain(QUALITY[MAKER], "Clear", **given)
    with refused("NOT_HOLDER"):
        await chain(QUALITY[RIVAL], "Clear", **given)
    await chain(AUDITOR, "Clear", **given)
    assert await chain.status(one) == "active"
    with refused("WRONG_STATE", "not held"):
        await chain(AUDITOR, "Clear", **given)


async def test_condemn_is_for_good(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    await _hold(chain, one, kind="suspect")
    await chain(QUALITY[MAKER], "Condemn", items=[one], reason="counterfeit")
    assert await chain.status(one) == "illegitimate"
    with refused("WRONG_STATE", "illegitimate"):
        await chain(AUDITOR, "Clear", items=[one], reason="x")
    with refused("HELD", "only destroyed"):
        await chain(OPERATOR[MAKER], "Decommission", items=[one], reason="x")
    await chain(OPERATOR[MAKER], "Destroy", items=[one], reason="counterfeit")
    view = await chain.ask(AUDITOR, "ReadItem", one)
    assert (view["status"], view["held"]) == ("destroyed", "illegitimate")


async def test_lot_recall_by_owner_or_regulator(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    (two,) = await chain.commission("A2", number="L2")
    with refused("NOT_OWNER"):
        await _recall(chain, by=OPERATOR[RIVAL], lot_key=LOT_KEY)
    with refused("LOT_MISMATCH"):
        await _recall(chain, lot_key="0" * 32)
    with refused("LOT_MISMATCH"):
        await _recall(chain, by=AUDITOR, sample=two)
    await _recall(chain, lot_key=LOT_KEY)
    with refused("EXISTS"):
        await _recall(chain, by=AUDITOR, sample=one)
    await _recall(chain, number="L2", by=AUDITOR, sample=two)
    assert [await chain.status(each) for each in (one, two)] == ["recalled", "recalled"]


async def test_dispense_whole(chain: Chain) -> None:
    one = await _in_pharmacy(chain)
    with refused("NOT_CAPABLE", "premises"):
        await chain(OPERATOR[PHARMACY], "Dispense", item=one, gln=gln(MAKER))
    await chain(OPERATOR[PHARMACY], "Dispense", item=one, gln=gln(PHARMACY))
    assert await chain.status(one) == "dispensed"
    with refused("WRONG_STATE"):
        await chain(OPERATOR[PHARMACY], "Dispense", item=one, gln=gln(PHARMACY))


async def test_dispense_by_a_dispenser_only(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    with refused("NOT_CAPABLE", "dispenser"):
        await chain(OPERATOR[MAKER], "Dispense", item=one, gln=gln(MAKER))


async def test_dispense_in_parts(chain: Chain) -> None:
    one = await _in_pharmacy(chain, gtin=gtin(2))
    given = {"item": one, "gln": gln(PHARMACY)}
    await chain(OPERATOR[PHARMACY], "Dispense", **given, doses=4)
    view = await chain.ask(AUDITOR, "ReadItem", one)
    assert (view["status"], view["remaining"]) == ("partially_dispensed", 6)
    with refused("TOO_MUCH"):
        await chain(OPERATOR[PHARMACY], "Dispense", **given, doses=7)
    with refused("WRONG_STATE"):
        await chain.ship(one, by=PHARMACY, to=WHOLESALER)
    await chain(OPERATOR[PHARMACY], "Dispense", **given)
    assert await chain.status(one) == "dispensed"
    with refused("WRONG_STATE", "supplied"):
        await chain(OPERATOR[PHARMACY], "Reverse", **given)


async def test_return_and_resale_after_verification(chain: Chain) -> None:
    one = await _in_pharmacy(chain)
    shipment = await chain.ship(one, by=PHARMACY, to=WHOLESALER, returning=True)
    await chain.receive(shipment, one)
    assert await chain.status(one) == "returned"
    with refused("WRONG_STATE", "returned"):
        await chain.ship(one, by=WHOLESALER, to=PHARMACY)
    with refused("LOT_MISMATCH", "lot"):
        await chain(OPERATOR[WHOLESALER], "Resell", item=one, lot="L9", expiry=EXPIRY)
    with refused("LOT_MISMATCH", "expiry"):
        await chain(OPERATOR[WHOLESALER], "Resell", item=one, lot="L1", expiry=20301230)
    await chain(OPERATOR[WHOLESALER], "Resell", item=one, lot="L1", expiry=EXPIRY)
    assert await chain.status(one) == "in_stock"


async def test_resale_by_a_wholesaler_only(chain: Chain) -> None:
    one = await _in_pharmacy(chain)
    shipment = await chain.ship(one, by=PHARMACY, to=WHOLESALER, returning=True)
    await chain.receive(shipment, one)
    with refused("NOT_CAPABLE"):
        await chain(OPERATOR[PHARMACY], "Resell", item=one, lot="L1", expiry=EXPIRY)


@pytest.mark.parametrize(
    ("function", "status"),
    [("Decommission", "decommissioned"), ("Destroy", "destroyed"), ("ReportStolen", "stolen")],
)
async def test_decommissioned_destroyed_stolen(chain: Chain, function: str, status: str) -> None:
    one, two = await chain.commission("A1", "A2")
    case = await chain.pack(sscc(1), one)
    with refused("NOT_HOLDER"):
        await chain(OPERATOR[RIVAL], function, items=[two], reason="x")
    await chain(OPERATOR[MAKER], function, items=[case, two], reason="x")
    assert [await chain.status(each) for each in (one, two)] == [status, status]
    with refused("WRONG_STATE"):
        await chain.ship(two)


async def test_repack_with_lineage(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2", expiry=20290101)
    given = lot("N1", gtin(2), 20290101) | {"sources": [one, two], "serials": ["R1"]}
    with refused("LOT_MISMATCH", "expiry"):
        await chain(OPERATOR[MAKER], "Repack", **(given | {"expiry": EXPIRY}))
    await chain(OPERATOR[MAKER], "Repack", **given)
    made = unit("R1", gtin(2))
    assert await chain.status(one) == "repacked"
    assert await chain.status(made) == "active"
    lineage = await chain.ask(AUDITOR, "Lineage", made)
    assert lineage["origins"] == [digest(one), digest(two)]
    assert (await chain.ask(AUDITOR, "Lineage", one))["successors"] == [digest(made)]


async def test_a_move_needs_the_holders_peer_and_an_authoritys(
    chain: Chain, channel: InMemory
) -> None:
    (one,) = await chain.commission("A1")
    given = {"items": [one], "consignee": WHOLESALER}
    for endorsers, code in (
        ([REGULATOR, WHOLESALER], "ENDORSEMENT_POLICY_FAILURE"),
        ([MAKER, WHOLESALER], "ENDORSEMENT_POLICY_FAILURE"),
        ([MAKER, REGULATOR], "VALID"),
    ):
        transaction = await channel.ledger.endorse(
            "Ship",
            caller=identity(OPERATOR[MAKER]),
            transient={"input": json.dumps(given).encode()},
            endorsing_organizations=endorsers,
        )
        assert channel.ledger.commit(transaction) == (code,)


async def test_unpacking_needs_named_endorsers(chain: Chain, channel: InMemory) -> None:
    (one,) = await chain.commission("A1")
    case = await chain.pack(sscc(1), one)
    given = {"input": json.dumps({"container": case}).encode()}
    with pytest.raises(EndorseError, match="state based endorsement policy"):
        await channel.ledger.submit("Unpack", caller=identity(OPERATOR[MAKER]), transient=given)


async def _hold(
    chain: Chain, item: str, *, kind: str = "quarantined", by: object = OPERATOR[MAKER]
) -> None:
    await chain(by, "Hold", items=[item], kind=kind, reason="test")  # type: ignore[arg-type]


async def _recall(
    chain: Chain, *, number: str = "L1", by: object = OPERATOR[MAKER], **named: str
) -> None:
    await chain(
        by,  # type: ignore[arg-type]
        "Recall",
        gtin=gtin(1),
        lot=number,
        recall_class=2,
        reason="test",
        **named,
    )


async def _in_pharmacy(chain: Chain, **more: str) -> str:
    (one,) = await chain.commission("A1", **more)
    await chain.move(one, to=PHARMACY)
    return one


def _partner(msp: str, **more: object) -> dict[str, object]:
    return {
        "msp": msp,
        "name": msp,
        "glns": [gln(msp)],
        "capacities": CAPACITIES[msp],
        "licence": "L",
        "valid_from": 0,
        "valid_to": LONG,
        **more,
    }
