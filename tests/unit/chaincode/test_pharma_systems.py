"""What the FDA pilot (W) and MediLedger (L) could do, and how codes are answered."""

from __future__ import annotations

import hashlib

import pytest

from pharma_world import (
    AUDITOR,
    EXPIRY,
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
    gln,
    gtin,
    lot,
    product,
    sscc,
    unit,
)
from unit.chaincode.pharma_chain import chain, channel, refused

__all__ = ["chain", "channel"]

SALT = "ab" * 16
TERMS = {
    "contract": "C-1",
    "gtin": gtin(1),
    "price_cents": 10_000,
    "contract_price_cents": 8_000,
    "eligible": ["ClinicMSP"],
    "valid_from": 1_000,
    "valid_to": 2_000,
    "salt": SALT,
}
CLAIM = {
    "counterparty": MAKER,
    "contract": "C-1",
    "invoice": "I-1",
    "gtin": gtin(1),
    "customer": "ClinicMSP",
    "quantity": 3,
    "unit_price_cents": 8_000,
    "amount_cents": 6_000,
    "sold_at": 1_500,
    "salt": SALT,
}


async def test_w1_a_recall_identifies_every_holder(chain: Chain) -> None:
    units = await chain.commission(*[f"A{n}" for n in range(6)])
    case = await chain.pack(sscc(1), *units[:3])
    await chain.move(case)
    await chain.move(units[3], to=PHARMACY)
    await chain.ship(units[4])
    given = {"gtin": gtin(1), "lot": "L1", "recall_class": 1, "reason": "test"}
    tag = (await chain(AUDITOR, "Recall", **given, sample=units[5]))["tag"]
    page = await chain.ask(AUDITOR, "Holders", tag, "100", "")
    assert {(row["msp"], row["count"]) for row in page["holders"]} == {
        (WHOLESALER, 3),
        (PHARMACY, 1),
        (MAKER, 2),
    }
    for msp, count in ((WHOLESALER, 3), (PHARMACY, 1)):
        await chain(
            OPERATOR[msp],
            "AcknowledgeRecall",
            gtin=gtin(1),
            lot="L1",
            tag=tag,
            quarantined=count,
        )
    rows = await chain.ask(AUDITOR, "Acknowledgements", tag)
    assert {(row["msp"], row["quarantined"]) for row in rows} == {(WHOLESALER, 3), (PHARMACY, 1)}
    with refused("NOT_FOUND"):
        await chain(
            OPERATOR[PHARMACY],
            "AcknowledgeRecall",
            gtin=gtin(1),
            lot="L2",
            tag=tag,
            quarantined=1,
        )
    (listed,) = await chain.ask(AUDITOR, "ListRecalls")
    assert (listed["gtin"], listed["lot"], listed["by"]) == (gtin(1), "L1", REGULATOR)


async def test_w2_a_dispensed_unit_traces_back_to_commissioning(chain: Chain) -> None:
    one, other = await chain.commission("A1", "A2")
    case = await chain.pack(sscc(1), one)
    pallet = await chain.pack(sscc(2), case)
    await chain.pack(sscc(3), other)
    await chain.move(pallet)
    await chain(OPERATOR[WHOLESALER], "Unpack", container=pallet)
    await chain.move(case, by=WHOLESALER, to=PHARMACY)
    await chain(OPERATOR[PHARMACY], "Unpack", container=case)
    await chain(OPERATOR[PHARMACY], "Dispense", item=one, gln=gln(PHARMACY))
    # What happens to the containers later is none of its way.
    await chain.ship(pallet, by=WHOLESALER, to=MAKER)
    await chain.ship(case, by=PHARMACY, to=WHOLESALER)
    steps = await chain.ask(OPERATOR[PHARMACY], "Trace", one)
    assert [(step["kind"], step["holder"] or step["consignee"]) for step in steps] == [
        ("Commission", MAKER),
        ("Pack", None),
        ("Pack", None),
        ("Ship", MAKER),
        ("Receive", WHOLESALER),
        ("Unpack", WHOLESALER),
        ("Ship", WHOLESALER),
        ("Receive", PHARMACY),
        ("Unpack", PHARMACY),
        ("Dispense", PHARMACY),
    ]
    with refused("NOT_FOUND"):
        await chain.ask(OPERATOR[PHARMACY], "Trace", unit("none"))


async def test_w2_forward_to_every_unit_of_a_lot(chain: Chain, channel: InMemory) -> None:
    names = set()
    for start in range(3):
        await chain(
            OPERATOR[MAKER],
            "Commission",
            **lot(),
            range={"prefix": "", "first": start * 10, "last": start * 10 + 9, "width": 3},
        )
    tag = next(iter((await chain.ask(AUDITOR, "ReadItem", unit("000")))["lots"]))
    bookmark, pages = "", 0
    while True:
        page = await chain.ask(AUDITOR, "LotUnits", tag, "1", bookmark)
        names |= set(page["digests"])
        pages += 1
        if not (bookmark := page["bookmark"]):
            break
    assert names == set(channel.items())
    assert pages == 3


async def test_w3_a_non_adjacent_partner_cannot_read_trade_terms(
    chain: Chain, channel: InMemory
) -> None:
    await _agreed(chain)
    (terms,) = await chain.ask(OPERATOR[WHOLESALER], "ReadTerms", MAKER)
    assert (terms["status"], terms["contract_price_cents"]) == ("accepted", 8_000)
    collection = f"trade-{WHOLESALER}-{MAKER}"
    for msp in (PHARMACY, RIVAL, REGULATOR):
        assert channel.ledger.private(collection, msp) == {}
    assert await chain.ask(OPERATOR[PHARMACY], "ReadTerms", MAKER) == []
    public = b"".join(channel.ledger.state().values())
    assert b"8000" not in public
    assert b"ClinicMSP" not in public


async def test_l1_only_the_owner_of_the_prefix_commissions(chain: Chain) -> None:
    with refused("NOT_PREFIX_OWNER"):
        await chain(OPERATOR[RIVAL], "RegisterProduct", **product(gtin(9)))
    with refused("NOT_OWNER", "only the owner"):
        await chain(OPERATOR[RIVAL], "Commission", **lot(), serials=["A1"])
    with refused("EXISTS"):
        await chain(OPERATOR[MAKER], "RegisterProduct", **product(gtin(1)))


async def test_l1_the_longest_prefix_decides(chain: Chain) -> None:
    await chain(AUDITOR, "AssignPrefix", prefix="952132100", owner=RIVAL)
    with refused("NOT_PREFIX_OWNER"):
        await chain(OPERATOR[MAKER], "RegisterProduct", **product(gtin(9)))
    await chain(OPERATOR[RIVAL], "RegisterProduct", **product(gtin(9)))
    with refused("EXISTS"):
        await chain(AUDITOR, "AssignPrefix", prefix="952132100", owner=MAKER)


async def test_l2_a_transfer_needs_offer_and_acceptance(chain: Chain) -> None:
    number = gtin(8)
    await chain(OPERATOR[MAKER], "RegisterProduct", **product(number))
    with refused("NOT_FOUND"):
        await chain(OPERATOR[RIVAL], "AcceptTransfer", gtin=number, lot_key=LOT_KEY)
    await chain(OPERATOR[MAKER], "OfferTransfer", gtin=number, to=RIVAL)
    with refused("NOT_OWNER"):
        await chain(OPERATOR[WHOLESALER], "AcceptTransfer", gtin=number, lot_key=LOT_KEY)
    with refused("LOT_MISMATCH"):
        await chain(OPERATOR[RIVAL], "AcceptTransfer", gtin=number, lot_key="0" * 32)
    await chain(OPERATOR[MAKER], "WithdrawTransfer", gtin=number)
    with refused("NOT_FOUND"):
        await chain(OPERATOR[RIVAL], "AcceptTransfer", gtin=number, lot_key=LOT_KEY)
    await chain(OPERATOR[MAKER], "OfferTransfer", gtin=number, to=RIVAL)
    await chain(OPERATOR[RIVAL], "AcceptTransfer", gtin=number, lot_key=LOT_KEY)
    history = await chain.ask(AUDITOR, "ProductHistory", number)
    assert [row["owner"] for row in history] == [MAKER, RIVAL]
    assert await chain.ask(AUDITOR, "ReadTransfer", number) is None
    with refused("NOT_OWNER"):
        await chain.commission("A1", gtin=number)
    await chain(OPERATOR[RIVAL], "Commission", **lot(product=number), serials=["A1"])


async def test_l3_verification_reads_local_peer_state(chain: Chain, channel: InMemory) -> None:
    (one,) = await chain.commission("A1")
    before = channel.ledger.height
    for who in (OPERATOR[PHARMACY], AUDITOR):
        assert (await _verify(chain, one, by=who))["verified"]
    assert channel.ledger.height == before


async def test_l4_a_chargeback_within_the_terms(chain: Chain) -> None:
    await _agreed(chain)
    await chain(OPERATOR[WHOLESALER], "ClaimChargeback", **CLAIM)
    (row,) = await chain.ask(OPERATOR[MAKER], "ListChargebacks", WHOLESALER)
    assert (row["invoice"], row["amount_cents"]) == ("I-1", 6_000)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"unit_price_cents": 8_100}, "PRICE_MISMATCH"),
        ({"amount_cents": 6_001}, "AMOUNT_MISMATCH"),
        ({"customer": "InsurerMSP"}, "NOT_ELIGIBLE"),
        ({"sold_at": 999}, "OUT_OF_TERM"),
        ({"sold_at": 2_000}, "OUT_OF_TERM"),
        ({"gtin": gtin(2)}, "NOT_COVERED"),
        ({"contract": "C-2"}, "NOT_FOUND"),
        ({"invoice": "paid"}, "DUPLICATE_INVOICE"),
    ],
)
async def test_l4_a_chargeback_off_the_terms_is_refused_with_a_reason(
    chain: Chain, change: dict[str, object], code: str
) -> None:
    await _agreed(chain)
    await chain(OPERATOR[WHOLESALER], "ClaimChargeback", **(CLAIM | {"invoice": "paid"}))
    with refused(code):
        await chain(OPERATOR[WHOLESALER], "ClaimChargeback", **(CLAIM | change))


async def test_l4_one_party_alone_agrees_to_nothing(chain: Chain) -> None:
    await chain(OPERATOR[MAKER], "OfferTerms", **TERMS, counterparty=WHOLESALER)
    with refused("NOT_FOUND"):
        await chain(OPERATOR[WHOLESALER], "ClaimChargeback", **CLAIM)
    with refused("NOT_FOUND"):
        await chain(
            OPERATOR[MAKER], "AcceptTerms", counterparty=WHOLESALER, contract="C-1", salt=SALT
        )
    await chain(OPERATOR[WHOLESALER], "AcceptTerms", counterparty=MAKER, contract="C-1", salt=SALT)
    with refused("EXISTS"):
        await chain(OPERATOR[MAKER], "OfferTerms", **TERMS, counterparty=WHOLESALER)


async def test_t3_statements_are_shared_between_two(chain: Chain, channel: InMemory) -> None:
    given = {"reference": "shipment", "kind": "T3", "body": "we affirm", "salt": SALT}
    await chain(OPERATOR[MAKER], "ShareDocument", **given, counterparty=WHOLESALER)
    (document,) = await chain.ask(OPERATOR[WHOLESALER], "ListDocuments", MAKER, "shipment")
    assert (document["kind"], document["body"], document["by"]) == ("T3", "we affirm", MAKER)
    with refused("NO_COLLECTION"):
        await chain(OPERATOR[MAKER], "OfferTerms", **TERMS, counterparty="StrangerMSP")


async def test_verification_no_match_gtin_serial(chain: Chain) -> None:
    await chain.commission("A1")
    answer = await _verify(chain, unit("A2"))
    assert (answer["verified"], answer["reason"]) == (False, "No_match_GTIN_Serial")


@pytest.mark.parametrize(
    ("number", "expiry", "reason"),
    [
        ("L1", EXPIRY, None),
        ("", 0, None),
        ("L2", EXPIRY, "No_match_GTIN_Serial_Lot"),
        ("L1", 20301230, "No_match_GTIN_Serial_Expiry"),
        ("L2", 20301230, "No_match_GTIN_Serial_Lot_Expiry"),
    ],
)
async def test_verification_no_match_lot_expiry(
    chain: Chain, number: str, expiry: int, reason: str | None
) -> None:
    (one,) = await chain.commission("A1")
    answer = await _verify(chain, one, number, expiry)
    assert (answer["verified"], answer["reason"]) == (reason is None, reason)


async def test_verification_manufacturer_policy(chain: Chain) -> None:
    number = gtin(7)
    await chain(OPERATOR[MAKER], "RegisterProduct", **product(number, verification="refused"))
    (one,) = await chain.commission("A1", gtin=number)
    assert (await _verify(chain, one))["reason"] == "Manufacturer_policy"


async def test_verification_not_for_redistribution_and_no_reason(chain: Chain) -> None:
    one, two = await chain.commission("A1", "A2")
    await chain(OPERATOR[MAKER], "Destroy", items=[two], reason="test")
    assert (await _verify(chain, one, purpose="resale"))["verified"]
    assert (await _verify(chain, two))["reason"] == "No_reason_provided"
    assert (await _verify(chain, two, purpose="resale"))["reason"] == "Not_for_re-distribution"


@pytest.mark.parametrize("info", ["Expired", "Recalled", "Suspect", "Illegitimate"])
async def test_verification_info(chain: Chain, channel: InMemory, info: str) -> None:
    (one,) = await chain.commission("A1")
    if info == "Expired":
        channel.pass_time(days=2000)
    elif info == "Recalled":
        given = {"gtin": gtin(1), "lot": "L1", "recall_class": 1, "reason": "test"}
        await chain(OPERATOR[MAKER], "Recall", **given, lot_key=LOT_KEY)
    else:
        await chain(OPERATOR[MAKER], "Hold", items=[one], kind="suspect", reason="test")
    if info == "Illegitimate":
        await chain(QUALITY[MAKER], "Condemn", items=[one], reason="test")
    answer = await _verify(chain, one)
    assert answer["info"] == [info]
    assert not answer["authentic"]
    assert (await _verify(chain, one, purpose="resale"))["reason"] == "Not_for_re-distribution"


async def test_fmd_authentic_is_active_with_matching_data(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    await chain.move(one, to=PHARMACY)
    assert (await _verify(chain, one, "L1", EXPIRY))["authentic"]
    await chain(OPERATOR[PHARMACY], "Dispense", item=one, gln=gln(PHARMACY))
    answer = await _verify(chain, one, "L1", EXPIRY)
    assert (answer["authentic"], answer["status"]) == (False, "dispensed")


async def test_fmd_reversal_by_the_same_premises_within_ten_days(
    chain: Chain, channel: InMemory
) -> None:
    one, two = await chain.commission("A1", "A2")
    await chain.move(one, two, to=PHARMACY)
    for each in (one, two):
        await chain(OPERATOR[PHARMACY], "Dispense", item=each, gln=gln(PHARMACY))
    with refused("NOT_HOLDER"):
        await chain(OPERATOR[MAKER], "Reverse", item=one, gln=gln(PHARMACY))
    with refused("NOT_HOLDER", "premises"):
        await chain(OPERATOR[PHARMACY], "Reverse", item=one, gln=gln(MAKER))
    channel.pass_time(days=10)
    await chain(OPERATOR[PHARMACY], "Reverse", item=one, gln=gln(PHARMACY))
    assert (await _verify(chain, one))["authentic"]
    channel.pass_time(seconds=1)
    with refused("TOO_LATE"):
        await chain(OPERATOR[PHARMACY], "Reverse", item=two, gln=gln(PHARMACY))


@pytest.mark.parametrize("why", ["expired", "recalled", "supplied", "stolen"])
async def test_fmd_no_reversal_of_what_is_expired_recalled_supplied_or_stolen(
    chain: Chain, channel: InMemory, why: str
) -> None:
    expiry = 20260105 if why == "expired" else EXPIRY
    (one,) = await chain.commission("A1", expiry=expiry)
    await chain.move(one, to=PHARMACY)
    if why == "stolen":
        await chain(OPERATOR[PHARMACY], "ReportStolen", items=[one], reason="test")
    else:
        given = {"item": one, "gln": gln(PHARMACY), "supplied": why == "supplied"}
        await chain(OPERATOR[PHARMACY], "Dispense", **given)
    if why == "expired":
        channel.pass_time(days=8)
    if why == "recalled":
        recall = {"gtin": gtin(1), "lot": "L1", "recall_class": 1, "reason": "test"}
        await chain(OPERATOR[MAKER], "Recall", **recall, lot_key=LOT_KEY)
    code = {"expired": "EXPIRED", "recalled": "RECALLED"}.get(why, "WRONG_STATE")
    with refused(code):
        await chain(OPERATOR[PHARMACY], "Reverse", item=one, gln=gln(PHARMACY))


async def test_dscsa_a_verification_request_has_24_hours(chain: Chain, channel: InMemory) -> None:
    (one,) = await chain.commission("A1")
    asked = await chain(OPERATOR[PHARMACY], "RequestVerification", gtin=gtin(1), item=one)
    late = await chain(OPERATOR[PHARMACY], "RequestVerification", gtin=gtin(1), item=one)
    given = {"gtin": gtin(1), "verified": True}
    with refused("NOT_OWNER"):
        await chain(OPERATOR[RIVAL], "AnswerVerification", **given, request=asked["request"])
    await chain(OPERATOR[MAKER], "AnswerVerification", **given, request=asked["request"])
    with refused("EXISTS"):
        await chain(OPERATOR[MAKER], "AnswerVerification", **given, request=asked["request"])
    channel.pass_time(hours=24, milliseconds=1)
    rows = await chain.ask(AUDITOR, "PendingVerifications", MAKER)
    assert {row["request"]: row["overdue"] for row in rows} == {
        asked["request"]: False,
        late["request"]: True,
    }


async def test_dscsa_the_regulator_is_notified_of_illegitimate_product(
    chain: Chain, channel: InMemory
) -> None:
    (one,) = await chain.commission("A1")
    given = {"item": one, "kind": "illegitimate", "reason": "counterfeit"}
    with refused("WRONG_STATE"):
        await chain(QUALITY[MAKER], "NotifyRegulator", **given)
    await chain(OPERATOR[MAKER], "Hold", items=[one], kind="suspect", reason="test")
    await chain(QUALITY[MAKER], "Condemn", items=[one], reason="test")
    await chain(QUALITY[MAKER], "NotifyRegulator", **given)
    channel.pass_time(hours=25)
    await chain(QUALITY[MAKER], "NotifyRegulator", **given)
    rows = await chain.ask(AUDITOR, "ListNotifications")
    assert sorted(row["late"] for row in rows) == [False, True]
    assert await chain.ask(OPERATOR[RIVAL], "ListNotifications") == []


async def _agreed(chain: Chain) -> None:
    await chain(OPERATOR[MAKER], "OfferTerms", **TERMS, counterparty=WHOLESALER)
    await chain(OPERATOR[WHOLESALER], "AcceptTerms", counterparty=MAKER, contract="C-1", salt=SALT)


async def _verify(
    chain: Chain,
    item: str,
    number: str = "",
    expiry: int = 0,
    *,
    purpose: str = "check",
    by: object = OPERATOR[PHARMACY],
) -> dict[str, object]:
    answer: dict[str, object] = await chain.ask(
        by,  # type: ignore[arg-type]
        "Verify",
        item,
        number,
        str(expiry),
        purpose,
    )
    return answer


def test_the_lot_key_is_shown_as_its_hash() -> None:
    shown = product(gtin(1))["lot_key_hash"]
    assert shown == hashlib.sha256(bytes.fromhex(LOT_KEY)).hexdigest()
