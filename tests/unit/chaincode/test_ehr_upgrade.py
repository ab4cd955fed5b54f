"""State that the first slice of the contract wrote, under the present one.

ehr_first_slice.json was written by that slice itself (commit c9ea946) on a ledger in memory: a
permit for the clinic (laboratory), a deny for one of its practitioners, a consent that was granted
and revoked, four records at the patient's home and four at another holder, a permit and a denial.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from medfab_chaincode.testing import Identity
from unit.chaincode.ehr_ledger import (
    CLINIC,
    HOSPITAL,
    PATIENT,
    REGULATOR,
    SALT,
    Person,
    World,
    new_ledger,
    permit,
    person,
    refused,
)

FIRST: dict[str, Any] = json.loads(
    Path(__file__).with_name("ehr_first_slice.json").read_text(encoding="utf-8")
)


@pytest.fixture
def world() -> World:
    state = {key: value.encode() for key, value in FIRST["state"].items()}
    private = {
        name: {key: value.encode() for key, value in values.items()}
        for name, values in FIRST["private"].items()
    }
    world = World(new_ledger(state=state, private_state=private))
    attributes = {"medfab.role": "practitioner", "medfab.practitioner": "dr-cole"}
    # Whom the permit was given to: a client is its certificate's names.
    world.asker = Person(ledger=world.ledger, identity=Identity(CLINIC, "dr-cole", attributes))
    return world


async def test_an_old_permit_goes_on_and_old_records_are_read(world: World) -> None:
    for holder in (HOSPITAL, REGULATOR):  # which had announced nothing, and needed not
        released = await world.read(FIRST["permit"], at=holder)
        assert sorted(each["resource"] for each in released["records"]) == [
            '{"id":"lab"}', '{"id":"report"}',
        ]  # fmt: skip
        assert {each["version"] for each in released["records"]} == {1}
        assert released["withheld"] == 2
    again = await world.ask()
    assert again["decision"] == "permit"


async def test_old_labels_mean_what_they_meant(world: World) -> None:
    """No label was normal then; R and PSY are what they are."""
    await world.grant(categories=[], security_labels=["N"], recipients=[{"msp_id": REGULATOR}])
    far = person(world.ledger, REGULATOR, "practitioner", "dr-new")
    request: Any = {"categories": [], "resource_types": ["Observation", "Condition"]}
    answer = await world.ask(by=far, **request)
    released = await world.read(answer["request_id"], by=far)
    assert [each["resource"] for each in released["records"]] == ['{"id":"lab"}', '{"id":"vital"}']
    await world.grant(
        categories=[], resource_types=["Condition"], security_labels=["R", "PSY"],
        recipients=[{"msp_id": REGULATOR}],
    )  # fmt: skip
    answer = await world.ask(by=far, **request)
    assert len((await world.read(answer["request_id"], by=far))["records"]) == 3


async def test_old_consents_are_listed_amended_and_revoked(world: World) -> None:
    consents = await world.patient.evaluate("ListConsents")
    assert sorted((each["type"], each["status"]) for each in consents) == [
        ("deny", "active"), ("permit", "active"), ("permit", "revoked"),
    ]  # fmt: skip
    with refused("DUPLICATE_CONSENT"):  # the same, in the new form
        await world.grant()
    other = person(world.ledger, CLINIC, "practitioner", "dr-else")
    denied = await world.ask(by=other, categories=[], resource_types=["DiagnosticReport"])
    assert denied["decision"] == "deny"
    narrower = permit(world.now, resource_types=["Observation"])
    amended = await world.patient.submit("AmendConsent", FIRST["consent"], consent=narrower)
    assert amended["version"] == 2
    with refused("CONSENT_REVOKED"):
        await world.read(FIRST["permit"])
    history = await world.patient.evaluate("ReadConsent", FIRST["consent"])
    first, second = (each["terms"]["rule"] for each in history["versions"])
    assert (first["recipients"], first["resource_types"]) == (
        [{"msp_id": CLINIC, "practitioner": None, "role": None}], [],
    )  # fmt: skip
    assert second["resource_types"] == ["Observation"]
    await world.patient.submit("RevokeConsent", FIRST["consent"])


async def test_old_decisions_and_filings_are_listed_traced_and_erased(world: World) -> None:
    rows = await world.patient.evaluate("ListAccess")
    assert sorted((row["decision"], row["reason"]) for row in rows) == [
        ("deny", "purpose-not-permitted"), ("permit", "permitted"),
    ]  # fmt: skip
    (filing,) = await world.patient.evaluate("ListFilings", HOSPITAL, at=HOSPITAL)
    assert (filing["kind"], filing["filed"]) == ("filed", 4)
    trace = await world.patient.evaluate("TraceRecord", HOSPITAL, "1" * 63 + "a", at=HOSPITAL)
    assert sorted(row["kind"] for row in trace) == ["access-denied", "access-permitted"]

    amendment = {
        "id": "1" * 63 + "a", "base_version": 1, "labels": {"resource_type": "Observation"},
        "resource": "{}", "salt": SALT, "reason": "unit",
    }  # fmt: skip
    await world.filer.submit("AmendRecords", PATIENT, amendments={"items": [amendment]})
    await world.patient.submit("RequestErasure")
    for msp_id in (HOSPITAL, REGULATOR):
        filer = person(world.ledger, msp_id, "practitioner", "dr-any")
        left = await filer.evaluate("ListErasable", PATIENT)
        await filer.submit("EraseRecords", PATIENT, records={**left, "last": True, "salt": SALT})
        await filer.submit("ConfirmErasure", PATIENT, destroyed={"documents": 0, "salt": SALT})
    assert (await world.patient.submit("CompleteErasure", PATIENT))["status"] == "erased"
    assert not [key for key in world.ledger.private("consents", CLINIC) if PATIENT in key]


async def test_refiling_old_records_changes_nothing(world: World) -> None:
    """As the present client labels them: it says N where the first slice said nothing."""
    item = {
        "id": "1" * 63 + "a",
        "labels": {
            "resource_type": "Observation", "categories": ["laboratory"], "confidentiality": "N",
        },
        "resource": '{"id":"lab"}',
        "salt": SALT,
    }  # fmt: skip
    assert await world.file(item) == {"filed": 0, "unchanged": 1}
