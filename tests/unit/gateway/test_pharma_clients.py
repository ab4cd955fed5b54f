"""The pharma clients, on the contract itself (a ledger in memory)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import medfab_gateway.pharma
from medfab_gateway.errors import EndorseError
from medfab_gateway.pharma import (
    AsyncCapture,
    AsyncRegulator,
    CaptureReport,
    EventOutcome,
    Item,
    LotKeyError,
    LotKeys,
    Outcome,
    Partner,
    PlanError,
    ProductForm,
    digest,
    item_id,
    item_of,
)
from medfab_gateway.pharma.codes import Label, Scan, scan
from medfab_gateway.pharma.epcis import document_of, event_hash, event_hashes, read
from medfab_gateway.pharma.errors import IdentifierError, ScanError
from medfab_gateway.pharma.identifiers import Gln, Gtin, Lgtin, Sgtin, Sscc, to_urn
from pharma_world import AUDITOR, LONG, Chain, sscc
from unit.gateway.pharma_ledger import (
    KEYS,
    MAKER,
    PHARMACY,
    PREFIXES,
    REGULATOR,
    WHOLESALER,
    Memory,
    gln,
)
from unit.gateway.test_pharma_epcis import DATA, DOCUMENTS, SHIPMENT, given_data

TABLET = Gtin.make(f"0{PREFIXES[MAKER]}00009")
EXPIRY = date(2030, 12, 31)
PALLET = item_of(sscc(1))
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def memory() -> Memory:
    memory = await Memory.founded()
    await memory.manufacturer().register_product(ProductForm(gtin=TABLET, name="Epcistra 100 mg"))
    memory.submits.clear()
    return memory


def packs(count: int) -> list[Sgtin]:
    return [Sgtin(TABLET, f"S{number}") for number in range(count)]


async def commission(memory: Memory, count: int, *, at: datetime = AT) -> CaptureReport:
    serials = [pack.serial for pack in packs(count)]
    return await memory.manufacturer().commission(
        TABLET, lot="A1", expiry=EXPIRY, serials=serials, at=at
    )


async def status(memory: Memory, item: Item) -> str | None:
    view = await memory.manufacturer().item(item)
    return view.status if view is not None else None


def code(pack: Sgtin, *, lot: str = "A1", expiry: date = EXPIRY) -> Scan:
    return scan(Label(identifier=pack, lot=lot, expiry=expiry).text)


async def sold(memory: Memory, count: int) -> list[Sgtin]:
    """Packs that have come to the pharmacy."""
    await commission(memory, count)
    maker, wholesaler, pharmacy = memory.manufacturer(), memory.logistics(), memory.dispenser()
    made = packs(count)
    await maker.pack(PALLET, made)
    await maker.ship([PALLET], to=WHOLESALER)
    await wholesaler.receive([PALLET], complete=True)
    await wholesaler.unpack(PALLET)
    await wholesaler.ship(made, to=PHARMACY)
    await pharmacy.receive(made)
    return made


async def test_a_pack_from_factory_to_patient_and_back(memory: Memory) -> None:
    pack, other = await sold(memory, 2)
    pharmacy = memory.dispenser()
    verdict = await pharmacy.verify(code(pack), purpose="dispense")
    assert (verdict.verified, verdict.authentic, verdict.status) == (True, True, "in_stock")
    await pharmacy.dispense(pack)
    assert not (await pharmacy.verify(code(pack))).verified
    await pharmacy.reverse(pack)
    assert (await pharmacy.verify(code(pack))).verified
    steps = await pharmacy.trace(pack)
    assert [step.kind for step in steps] == [
        "Commission", "Pack", "Ship", "Receive", "Unpack", "Ship", "Receive", "Dispense", "Reverse",
    ]  # fmt: skip
    assert steps[2].item == digest(PALLET)
    wrong = await pharmacy.verify(code(other, lot="B2"))
    assert (wrong.verified, wrong.reason) == (False, "No_match_GTIN_Serial_Lot")
    nobody = await pharmacy.verify(code(Sgtin(TABLET, "no-such")))
    assert (nobody.verified, nobody.reason) == (False, "No_match_GTIN_Serial")


async def test_a_recall_reaches_every_holder(memory: Memory) -> None:
    made = await sold(memory, 3)
    await memory.dispenser().dispense(made[0])
    recalled = await memory.manufacturer().recall(
        Lgtin(TABLET, "A1"), reason="contamination", recall_class=1
    )
    assert recalled.tag == KEYS.tag(TABLET, "A1")
    pharmacy = memory.dispenser()
    held = {(each.msp, each.status): each.count for each in await pharmacy.holders(recalled.tag)}
    assert held == {(PHARMACY, "recalled"): 2, (PHARMACY, "dispensed"): 1}
    with pytest.raises(EndorseError) as refused:
        await pharmacy.dispense(made[1])
    assert refused.value.chaincode is not None
    assert refused.value.chaincode.code == "RECALLED"
    await pharmacy.acknowledge_recall(recalled.tag, TABLET.value, "A1", quarantined=2)
    regulator = AsyncRegulator(
        memory.contract(REGULATOR, "auditor"), msp_id=REGULATOR, gln=Gln(gln(MAKER))
    )
    report = await regulator.report(at=AT + timedelta(days=1))
    [status] = report.recalls
    assert (status.recall.lot, status.missing) == ("A1", ())
    assert report.as_document()["recalls"][0]["recall"]["reason"] == "contamination"
    assert len(await pharmacy.lot_units(recalled.tag)) == 3


async def test_the_regulator_recalls_with_a_pack_in_hand(memory: Memory) -> None:
    await commission(memory, 1)
    regulator = AsyncRegulator(
        memory.contract(REGULATOR, "auditor"), msp_id=REGULATOR, gln=Gln(gln(MAKER))
    )
    recalled = await regulator.recall_by_pack(Lgtin(TABLET, "A1"), packs(1)[0], reason="glass")
    assert recalled.tag == KEYS.tag(TABLET, "A1")
    assert await status(memory, packs(1)[0]) == "recalled"


async def test_suspicion_is_recorded_and_judged_by_another(memory: Memory) -> None:
    [pack] = await sold(memory, 1)
    scanned = await memory.dispenser().report_scan(code(pack, lot="OTHER"))
    assert "data_mismatch" in scanned.signals
    await memory.dispenser().hold([pack], reason="seal", suspect=True)
    quality = memory.logistics(PHARMACY, "quality")
    assert await status(memory, pack) == "suspect"
    await quality.clear([pack], reason="seal is genuine")
    assert await status(memory, pack) == "in_stock"


# Capture


async def test_ten_thousand_packs_are_split(memory: Memory) -> None:
    seen: list[EventOutcome] = []
    report = await commission(memory, 2500)
    assert [event.outcome for event in report.events] == [Outcome.CAPTURED] * 3
    assert memory.submits.count("Commission") == 3
    serials = [pack.serial for pack in packs(2500)]
    again = await memory.manufacturer().commission(
        TABLET, lot="A1", expiry=EXPIRY, serials=serials, at=AT, progress=seen.append
    )
    assert [event.outcome for event in again.events] == [Outcome.REPEATED] * 3
    assert len(seen) == 3
    assert again.complete


@pytest.mark.parametrize("after", range(7))
async def test_a_capture_that_broke_off_is_gone_on_with(
    memory: Memory, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever submit fails: what was captured is not captured again, the rest is."""
    monkeypatch.setattr("medfab_gateway.pharma._manufacturer_async.MAX_ITEMS", 50)
    memory.fail_at = after
    with pytest.raises(EndorseError, match="the peer is gone"):
        await commission(memory, 180)
    memory.fail_at = None
    report = await commission(memory, 180)
    assert report.complete
    assert report.count(Outcome.CAPTURED) + report.count(Outcome.REPEATED) == 4
    assert None not in await memory.manufacturer().locate(packs(180))
    assert [key for key in memory.ledger.state() if key.startswith("\0alert\0")] == []
    for event in report.events:
        assert await memory.manufacturer().kept_event(event.event_id) is not None


async def test_a_serial_that_is_known_refuses_its_event_as_a_whole(memory: Memory) -> None:
    await commission(memory, 2)
    report = await commission(memory, 4, at=AT + timedelta(hours=1))
    [event] = report.events
    assert (event.outcome, event.code) == (Outcome.REFUSED, "DUPLICATE")
    assert "2 of 4 are commissioned already (such as S0, S1)" in str(event.message)
    assert await memory.manufacturer().locate([packs(4)[3]]) == (None,)
    assert [alert.kind for alert in await memory.manufacturer().alerts(packs(1)[0])] == [
        "duplicate_commissioning"
    ]
    assert await memory.manufacturer().kept_event(event.event_id) is None


def dscsa_maker(memory: Memory) -> AsyncCapture:
    return AsyncCapture(memory.contract(MAKER), msp_id=MAKER, lot_keys=KEYS)


async def dscsa_world(memory: Memory) -> None:
    """The seller of the DSCSA example is our maker, its buyer the wholesaler; the year is 2023."""
    memory.ledger.now = datetime(2023, 4, 2, tzinfo=UTC)
    chain = Chain(memory.world)
    for msp, prefix, glns in (
        (MAKER, "030001", ["0300011111116", "0300011111215"]),
        (WHOLESALER, "039999", ["0399999999991", "0399993456780"]),
    ):
        capacities = ["manufacturer"] if msp == MAKER else ["wholesaler"]
        await chain(
            AUDITOR, "RegisterPartner", msp=msp, name=msp, glns=glns, capacities=capacities,
            licence="L", valid_from=0, valid_to=LONG,
        )  # fmt: skip
        await chain(AUDITOR, "AssignPrefix", prefix=prefix, owner=msp)
    unit, case = Gtin("00300010123455"), Gtin("10300010123452")
    maker = memory.manufacturer()
    await maker.register_product(ProductForm(gtin=unit, name="Epcistra"))
    await maker.register_product(
        ProductForm(gtin=case, name="Epcistra, 4", level="container", contains=(unit, 4))
    )


@given_data
async def test_the_dscsa_shipment_is_captured_and_exported(memory: Memory) -> None:
    await dscsa_world(memory)
    document = read(SHIPMENT.read_bytes())
    capture = dscsa_maker(memory)
    report = await capture.capture(document)
    assert [(event.function, event.outcome) for event in report.events] == [
        (function, Outcome.CAPTURED)
        for function in (
            "Commission", "CommissionContainers", "Pack", "Pack", "Pack", "CommissionContainers",
            "Pack", "Ship",
        )
    ], report  # fmt: skip
    assert [event.event_id for event in report.events] == list(event_hashes(document))
    again = await capture.capture(document)
    assert again.count(Outcome.REPEATED) == 8
    pack = item_of("urn:epc:id:sgtin:030001.0012345.11")
    view = await capture.item(pack)
    assert view is not None
    assert (view.status, view.consignee) == ("in_transit", WHOLESALER)
    # What was kept is what came, and validates again.
    for name, event in zip(event_hashes(document), document.events, strict=True):
        text = await capture.kept_event(name)
        assert text is not None
        [kept] = read(text.encode()).events
        assert kept == event


@given_data
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
async def test_documents_about_other_things_are_recorded_where_asked(
    memory: Memory, path: Path
) -> None:
    document = read(path.read_bytes())
    capture = AsyncCapture(memory.contract(WHOLESALER), msp_id=WHOLESALER)
    report = await capture.capture(document, unknown="record")
    assert report.complete, report
    for name in event_hashes(document):
        assert await capture.kept_event(name) is not None
    again = await capture.capture(document, unknown="record")
    assert again.count(Outcome.REPEATED) == len(document.events)


@given_data
async def test_an_error_declaration_marks_the_event(memory: Memory) -> None:
    document = read((DATA / "Documents/ObjectEvent_with_error_declaration.json").read_bytes())
    capture = AsyncCapture(memory.contract(WHOLESALER), msp_id=WHOLESALER)
    await capture.capture(document, unknown="record")
    wrong = await capture.event(event_hash(document.events[0]))
    assert wrong is not None
    assert wrong.error is not None
    assert wrong.error.reason == "incorrect_data"


@given_data
async def test_a_document_about_other_things_moves_nothing_unasked(memory: Memory) -> None:
    document = read((DATA / "Documents/ObjectEvent_with_error_declaration.json").read_bytes())
    capture = AsyncCapture(memory.contract(WHOLESALER), msp_id=WHOLESALER)
    report = await capture.capture(document_of(document.events[1:], context=document.context))
    assert [event.code for event in report.events] == ["NOT_SHIPPED"]
    assert memory.submits == []


def event(**fields: Any) -> dict[str, Any]:
    pack = "https://id.gs1.org/01/" + TABLET.value + "/21/S0"
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-01-01T06:45:00Z",
        "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE",
        "epcList": [pack],
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "code", "told"),
    [
        ({"bizStep": "commissioning", "action": "ADD"}, "INCOMPLETE", "ilmd.cbvmda:lotNumber"),
        (
            {"bizStep": "commissioning", "action": "ADD", "ilmd": {"cbvmda:lotNumber": "A1"}},
            "INCOMPLETE", "cbvmda:itemExpirationDate is missing",
        ),
        (
            {"bizStep": "commissioning", "action": "ADD", "ilmd": {
                "cbvmda:lotNumber": "A1", "cbvmda:itemExpirationDate": "soon"}},
            "WRONG_DATE", "'soon' is no date",
        ),
        ({"bizStep": "shipping"}, "INCOMPLETE", "destinationList is missing"),
        (
            {"bizStep": "shipping", "destinationList": [
                {"type": "owning_party", "destination": "urn:epc:id:pgln:4012345.00225"}]},
            "NOT_PARTNER", "4012345002256 is no registered partner",
        ),
        ({"bizStep": "receiving"}, "NOT_SHIPPED", "on its way to anybody"),
        ({"bizStep": "dispensing"}, "INCOMPLETE", "bizLocation is missing"),
        (
            {"bizStep": "shipping", "epcList": ["urn:epc:id:giai:4000001.111"]},
            "NOT_AN_ITEM", "is not a pack, case or pallet that a shipping moves",
        ),
        (
            {"bizStep": "holding", "disposition": "recalled"},
            "INCOMPLETE", "quantityList is missing: the recalled lot",
        ),
        ({"bizStep": "destroying"}, "NOT_HOLDER", ""),
    ],
)  # fmt: skip
async def test_events_that_the_rules_forbid_are_refused_with_the_reason(
    memory: Memory, fields: dict[str, Any], code: str, told: str
) -> None:
    await commission(memory, 1)
    document = read(json.dumps(event(**fields)).encode())
    capture = AsyncCapture(memory.contract(WHOLESALER), msp_id=WHOLESALER, lot_keys=KEYS)
    [outcome] = (await capture.capture(document)).events
    assert (outcome.outcome, outcome.code) == (Outcome.REFUSED, code), outcome
    assert told in str(outcome.message)


async def test_one_refused_event_does_not_hold_up_the_others(memory: Memory) -> None:
    await commission(memory, 1)
    raw = [event(bizStep="destroying"), event(bizStep="storing", epcList=["urn:x:y"])]
    documents = [read(json.dumps(each).encode()) for each in raw]
    document = document_of([d.events[0] for d in documents])
    report = await AsyncCapture(memory.contract(WHOLESALER), msp_id=WHOLESALER).capture(document)
    assert [each.outcome for each in report.events] == [Outcome.REFUSED, Outcome.RECORDED]
    assert not report.complete
    assert report.as_document()["refused"] == 1


async def test_the_same_event_in_other_words_is_the_same_event(memory: Memory) -> None:
    await commission(memory, 1)
    urn = to_urn(packs(1)[0], 7)
    maker = dscsa_maker(memory)
    first = await maker.capture(read(json.dumps(event(bizStep="storing")).encode()))
    again = await maker.capture(read(json.dumps(event(bizStep="storing", epcList=[urn])).encode()))
    assert [each.outcome for each in (*first.events, *again.events)] == [
        Outcome.RECORDED, Outcome.REPEATED,
    ]  # fmt: skip


# Names


def test_ids_of_items_both_ways() -> None:
    pack = Sgtin(TABLET, "a/b%c")
    assert item_id(pack) == f"01/{TABLET}/21/a/b%c"
    assert item_of(item_id(pack)) == pack
    assert item_of(to_urn(pack, 7)) == pack
    assert item_of(sscc(1)) == Sscc(sscc(1)[3:])
    assert len(digest(pack)) == 32
    for wrong in ("01/9521321000094", "xy", f"https://id.gs1.org/01/{TABLET}"):
        with pytest.raises(IdentifierError):
            item_of(wrong)


def test_lot_keys_are_a_file_that_stays(tmp_path: Path) -> None:
    keys = LotKeys.load_or_create(tmp_path / "new" / "lots")
    assert LotKeys.load_or_create(tmp_path / "new" / "lots") == keys
    assert (tmp_path / "new" / "lots").stat().st_mode & 0o777 == 0o600
    assert keys.secret.hex() not in repr(keys)
    (tmp_path / "broken").write_text("5e")
    with pytest.raises(LotKeyError, match="restore a copy"):
        LotKeys.load_or_create(tmp_path / "broken")


async def test_only_a_single_pack_is_verified(memory: Memory) -> None:
    with pytest.raises(ScanError, match="names no single pack"):
        await memory.dispenser().verify(scan(f"(01){TABLET}(10)A1"))


async def test_commissioning_takes_lot_keys(memory: Memory) -> None:
    logistics = memory.logistics(MAKER)
    with pytest.raises(PlanError, match="lot keys"):
        await logistics._carry_out(
            object,
            logistics._premises.objects(
                packs(1), "commissioning", action="ADD", ilmd={
                    "cbvmda:lotNumber": "A", "cbvmda:itemExpirationDate": "2030-12-31"},
            ),
        )  # fmt: skip


async def test_a_licence_that_ends_stops_a_partner(memory: Memory) -> None:
    regulator = AsyncRegulator(
        memory.contract(REGULATOR, "auditor"), msp_id=REGULATOR, gln=Gln(gln(MAKER))
    )
    partner = await regulator.partner(MAKER)
    assert partner is not None
    ended = Partner(
        msp=partner.msp, name=partner.name, glns=partner.glns, capacities=partner.capacities,
        licence=partner.licence, valid_from=partner.valid_from, valid_to=AT - timedelta(days=1),
    )  # fmt: skip
    await regulator.register_partner(ended)
    report = await regulator.report(at=AT)
    assert [each.msp for each in report.lapsed_licences] == [MAKER]
    [outcome] = (await commission(memory, 1)).events
    assert outcome.code == "LICENCE_INVALID"


def test_the_door_is_sorted_and_complete() -> None:
    module = medfab_gateway.pharma
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert hasattr(module, name)
