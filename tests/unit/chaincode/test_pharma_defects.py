"""Defects found in public projects of this kind: each is shown not to be here."""

from __future__ import annotations

import datetime
import json
from math import cos, radians, sin, sqrt

from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from medfab_chaincode._check import check_modules
from medfab_chaincode.errors import InvalidArgumentError
from medfab_chaincode.pharma._geometry import chord_metres
from medfab_chaincode.pharma._ids import check_item
from medfab_chaincode.pharma._inputs import check_expiry
from pharma_roles import EVALUATES, SUBMITS
from pharma_world import (
    AUDITOR,
    MAKER,
    OPERATOR,
    PHARMACY,
    RIVAL,
    WHOLESALER,
    Chain,
    InMemory,
    Person,
    event,
    gtin,
    identity,
    lot,
    sscc,
    unit,
)
from unit.chaincode.pharma_chain import chain, channel, refused

__all__ = ["chain", "channel"]

UNHURRIED = settings(deadline=None, suppress_health_check=list(HealthCheck))


async def test_no_call_without_an_identity_check(chain: Chain) -> None:
    for function, given in SUBMITS.items():
        if function != "Establish":
            with refused("ACCESS_DENIED"):
                await chain(Person(MAKER, ""), function, **given)
    with refused("ACCESS_DENIED", "admin"):
        await chain(OPERATOR[MAKER], "Establish", **SUBMITS["Establish"])


async def test_the_caller_is_no_argument(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    for name in ("caller", "msp", "holder", "by"):
        with refused("INVALID_ARGUMENT", "unknown field"):
            await chain(OPERATOR[RIVAL], "Ship", items=[one], consignee=WHOLESALER, **{name: MAKER})


async def test_an_authority_is_one_by_the_charter_and_not_by_its_word(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    with refused("NOT_AUTHORITY"):
        await chain(Person(RIVAL, "auditor"), "Hold", items=[one], kind="suspect", reason="x")


async def test_no_identifier_in_public_state_keys_arguments_or_answers(
    chain: Chain, channel: InMemory
) -> None:
    serial, number = "PLANTED-SERIAL", "PLANTED-LOT"
    one, two = await chain.commission(f"{serial}1", f"{serial}2", number=number)
    case = await chain.pack(sscc(987654321), one)
    await chain.move(case)
    await chain(OPERATOR[MAKER], "Hold", items=[two], kind="suspect", reason="x")
    transaction = await channel.ledger.endorse(
        "Ship",
        caller=identity(OPERATOR[WHOLESALER]),
        transient={"input": json.dumps({"items": [case], "consignee": PHARMACY}).encode()},
    )
    state = channel.ledger.state()
    seen = [*state, *(value.decode() for value in state.values()), transaction.result.decode()]
    seen += [each.payload.decode() for each in channel.ledger.events]
    for planted in (serial, number, case, case.removeprefix("00/"), gtin(1) + "21"):
        assert not any(planted in text for text in seen)


async def test_nothing_registered_is_overwritten(chain: Chain) -> None:
    for function in ("RegisterProduct", "Establish"):
        again = SUBMITS[function] | ({"gtin": gtin(1)} if function == "RegisterProduct" else {})
        who = OPERATOR[MAKER] if function == "RegisterProduct" else Person("RegulatorMSP", "admin")
        with refused("EXISTS" if function == "RegisterProduct" else "ALREADY_ESTABLISHED"):
            await chain(who, function, **again)


def test_no_generic_query_history_or_delete_function() -> None:
    for name in (*SUBMITS, *EVALUATES):
        assert not any(word in name for word in ("Query", "DeleteAll", "GetHistory", "PutState"))


def test_no_clock_random_or_counter_in_the_contract() -> None:
    assert check_modules(["medfab_chaincode.pharma"]) == []


async def test_licences_expire(chain: Chain, channel: InMemory) -> None:
    partner = {
        "msp": RIVAL,
        "name": "Rival",
        "glns": [],
        "capacities": ["manufacturer"],
        "licence": "L",
        "valid_from": 0,
        "valid_to": int(channel.ledger.now.timestamp() * 1000) + 1000,
    }
    await chain(AUDITOR, "RegisterPartner", **partner)
    given = lot(product=gtin(1, RIVAL))
    await chain(OPERATOR[RIVAL], "Commission", **given, serials=["A1"])
    channel.pass_time(seconds=1)
    with refused("LICENCE_INVALID"):
        await chain(OPERATOR[RIVAL], "Commission", **given, serials=["A2"])


async def test_independent_chunks_of_one_lot_do_not_conflict(
    chain: Chain, channel: InMemory
) -> None:
    await chain(OPERATOR[MAKER], "OpenLot", **lot())
    chunks = [
        await channel.ledger.endorse(
            "Commission",
            caller=identity(OPERATOR[MAKER]),
            transient={
                "input": json.dumps(
                    lot() | {"serials": [f"{chunk}-{n}" for n in range(20)], "event": event(chunk)}
                ).encode()
            },
        )
        for chunk in "abcdefgh"
    ]
    assert set(channel.ledger.commit(*chunks)) == {"VALID"}


@UNHURRIED
@for_all(st.text(max_size=30))
def test_ids_are_checked_and_never_crash(text: str) -> None:
    for item in (text, f"00/{text}", f"01/{text}", f"01/{gtin(1)}/21/{text}"):
        try:
            assert check_item(item, "x") == item
        except InvalidArgumentError:
            continue


@UNHURRIED
@for_all(st.integers(-(10**9), 10**9))
def test_dates_are_dates(number: int) -> None:
    try:
        check_expiry(number, "x")
    except InvalidArgumentError:
        return
    datetime.date(number // 10000, number // 100 % 100, number % 100)


@UNHURRIED
@for_all(
    st.tuples(st.integers(-90, 90), st.integers(-180, 180)),
    st.tuples(st.integers(-90, 90), st.integers(-180, 180)),
)
def test_distances_are_right_within_a_metre_in_a_million(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    def point(latitude: int, longitude: int) -> tuple[float, float, float]:
        a, b = radians(latitude), radians(longitude)
        return cos(a) * cos(b), cos(a) * sin(b), sin(a)

    expected = 6_371_009 * sqrt(
        sum((p - q) ** 2 for p, q in zip(point(*one), point(*other), strict=True))
    )
    scaled = [(latitude * 10**6, longitude * 10**6) for latitude, longitude in (one, other)]
    assert abs(chord_metres(*scaled) - expected) < 20


async def test_bad_check_digits_are_refused(chain: Chain) -> None:
    with refused("INVALID_ARGUMENT", "check digit"):
        await chain.ask(AUDITOR, "ReadItem", "00/095213210000000011")
    with refused("INVALID_ARGUMENT", "check digit"):
        await chain.ask(AUDITOR, "ReadItem", "01/09521321000017/21/A")
    with refused("INVALID_ARGUMENT", "01/GTIN/21/serial"):
        await chain.ask(AUDITOR, "ReadItem", "A1")
    assert await chain.ask(AUDITOR, "ReadItem", unit("A1")) is None
