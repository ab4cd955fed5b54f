"""EPCIS events at the contract: captured once, corrected by others, kept by their organisation."""

from __future__ import annotations

import json

import pytest

from pharma_world import (
    AUDITOR,
    MAKER,
    OPERATOR,
    PHARMACY,
    RIVAL,
    WHOLESALER,
    Chain,
    InMemory,
    event,
    gln,
    gtin,
    lot,
)
from unit.chaincode.pharma_chain import chain, channel, refused

__all__ = ["chain", "channel"]

SALT = "cd" * 16


async def test_a_transition_captures_its_event(chain: Chain) -> None:
    answer = await chain(OPERATOR[MAKER], "Commission", **lot(), serials=["A1"], event=event("1"))
    entry = await chain.ask(AUDITOR, "ReadEvent", event("1"))
    assert (entry["step"], entry["by"]) == ("Commission", MAKER)
    assert entry["transaction_id"] == answer["transaction_id"]
    assert await chain.ask(AUDITOR, "ReadEvent", event("2")) is None


async def test_an_event_is_captured_wholly_or_not_at_all(chain: Chain, channel: InMemory) -> None:
    one, two = await chain.commission("A1", "A2")
    await chain(OPERATOR[MAKER], "Decommission", items=[two], reason="sample")
    before = channel.ledger.state()
    with refused("WRONG_STATE", "input.items[1]"):
        await chain.ship(one, two, event=event("1"))
    assert channel.ledger.state() == before


async def test_events_that_move_nothing(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    given = {"event": event("1"), "step": "inspecting", "items": [one]}
    with refused("NOT_HOLDER"):
        await chain(OPERATOR[RIVAL], "RecordEvent", **given)
    first = await chain(OPERATOR[MAKER], "RecordEvent", **given)
    again = await chain(OPERATOR[MAKER], "RecordEvent", **given)
    assert again == first | {"repeated": True}
    with refused("EVENT_CONFLICT"):
        await chain(OPERATOR[RIVAL], "RecordEvent", event=event("1"), step="x")


async def test_scans_and_requests_capture_their_event_once(chain: Chain) -> None:
    (one,) = await chain.commission("A1")
    scan = {"item": one, "gln": gln(PHARMACY), "event": event("scan")}
    first = await chain(OPERATOR[PHARMACY], "ReportScan", **scan)
    again = await chain(OPERATOR[PHARMACY], "ReportScan", **scan)
    assert again["transaction_id"] == first["transaction_id"]
    request = {"gtin": gtin(1), "item": one, "event": event("request")}
    asked = await chain(OPERATOR[PHARMACY], "RequestVerification", **request)
    assert await chain(OPERATOR[PHARMACY], "RequestVerification", **request) == asked
    assert len(await chain.ask(AUDITOR, "PendingVerifications", MAKER)) == 1


async def test_corrections_are_declarations_and_never_edits(chain: Chain) -> None:
    (one,) = await chain.commission("A1", event=event("wrong"))
    given = {"event": event("wrong"), "reason": "incorrect_data"}
    with refused("NOT_OWNER"):
        await chain(OPERATOR[RIVAL], "DeclareError", **given)
    with refused("NOT_FOUND", "corrective"):
        await chain(OPERATOR[MAKER], "DeclareError", **given, corrective=[event("right")])
    await chain(OPERATOR[MAKER], "RecordEvent", event=event("right"), step="inspecting")
    await chain(OPERATOR[MAKER], "DeclareError", **given, corrective=[event("right")])
    entry = await chain.ask(AUDITOR, "ReadEvent", event("wrong"))
    assert entry["step"] == "Commission"
    assert entry["error"]["corrective"] == [event("right")]
    assert await chain.status(one) == "active"
    with refused("EXISTS"):
        await chain(OPERATOR[MAKER], "DeclareError", **given)
    with refused("NOT_FOUND"):
        await chain(OPERATOR[MAKER], "DeclareError", event=event("none"), reason="x")


async def test_bodies_stay_with_their_organisation(chain: Chain, channel: InMemory) -> None:
    given = {"event": event("1"), "body": '{"type":"ObjectEvent"}', "salt": SALT}
    assert not (await chain(OPERATOR[MAKER], "KeepEvent", **given))["repeated"]
    assert (await chain(OPERATOR[MAKER], "KeepEvent", **given))["repeated"]
    with refused("EVENT_CONFLICT"):
        await chain(OPERATOR[MAKER], "KeepEvent", **(given | {"body": "other"}))
    assert await chain.ask(OPERATOR[MAKER], "ListKeptEvents") == [event("1")]
    kept = await chain.ask(OPERATOR[MAKER], "ReadKeptEvent", event("1"))
    assert kept == {"body": given["body"], "salt": SALT}
    assert await chain.ask(OPERATOR[RIVAL], "ReadKeptEvent", event("1")) is None
    told = json.loads(channel.ledger.events[-1].payload)
    assert (told["function"], told["event"]) == ("KeepEvent", event("1"))
    assert await chain.ask(OPERATOR[RIVAL], "ListKeptEvents") == []
    assert channel.ledger.private(f"_implicit_org_{MAKER}", RIVAL) == {}
    assert b"ObjectEvent" not in b"".join(channel.ledger.state().values())


async def test_listeners_learn_no_pack(chain: Chain, channel: InMemory) -> None:
    one, two = await chain.commission("SECRET1", "SECRET2", event=event("1"))
    await chain.move(one, two, to=PHARMACY)
    told = [json.loads(each.payload) for each in channel.ledger.events]
    assert [each["function"] for each in told] == ["Commission", "Ship", "Receive"]
    assert told[1]["consignee"] == PHARMACY
    everything = (
        b"".join(channel.ledger.state().values()) + "".join(channel.ledger.state()).encode()
    )
    for value in [each.payload for each in channel.ledger.events] + [everything]:
        assert b"SECRET" not in value


@pytest.mark.parametrize("body", ["", "x" * 1_000_001])
async def test_bodies_have_a_size(chain: Chain, body: str) -> None:
    with refused("INVALID_ARGUMENT", "input.body"):
        await chain(OPERATOR[WHOLESALER], "KeepEvent", event=event("1"), body=body, salt=SALT)
