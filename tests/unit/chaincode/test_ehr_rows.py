"""One test for each row of the rules that the contract answers for: F, M, R, C, E.

The rows' halves that need a client or a network (bytes opened by a key, a scan of all blocks, a
purge on every peer) are in tests/integration/test_ehr_rows.py.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from medfab_chaincode import Stub
from medfab_chaincode.ehr import _erasure
from unit.chaincode.ehr_ledger import (
    CLINIC,
    CONDITION,
    DAY,
    HOSPITAL,
    HOUR,
    LAB,
    ORGANIZATIONS,
    PATIENT,
    REGULATOR,
    SALT,
    VITAL,
    Person,
    World,
    ask,
    new_ledger,
    permit,
    person,
    record,
    refused,
)

NOTE = {"text": "looked at it", "salt": SALT}
OTHER = "f" * 32


@pytest.fixture
async def world() -> World:
    world = World()
    await world.register()
    await world.file(LAB, VITAL, CONDITION)
    return world


# --- FHIRChain ---------------------------------------------------------------------------------


async def test_f1_no_planted_string_is_in_public(world: World) -> None:
    canary = "Quetzalcoatl"
    public: list[bytes] = []

    async def submit(who: Person, function: str, *args: str, **transient: object) -> dict[str, str]:
        answer = await who.submit(function, *args, **transient)
        assert who.last is not None
        public.append(who.last.result)
        if who.last.event is not None:
            public.extend((who.last.event.name.encode(), who.last.event.payload))
        return answer or {}

    filed = record(9, "Observation", canary, resource=f'{{"family":"{canary}"}}')
    await submit(world.filer, "FileRecords", PATIENT, records={"items": [filed]})
    changed = {**filed, "base_version": 1, "reason": canary}
    await submit(world.filer, "AmendRecords", PATIENT, amendments={"items": [changed]})
    wrong = {"id": filed["id"], "base_version": 2, "reason": canary}
    withdrawals = {"items": [wrong], "salt": SALT}
    await submit(world.filer, "WithdrawRecords", PATIENT, withdrawals=withdrawals)
    terms = permit(categories=[canary], resource_types=[canary], source=canary)
    consent = await submit(world.patient, "GrantConsent", consent=terms)
    await submit(world.patient, "AmendConsent", consent["consent_id"], consent=terms)
    request = ask(categories=[canary], basis=canary)
    await submit(world.asker, "RequestAccess", PATIENT, request=request)
    batch = {"items": [{"patient": PATIENT, "request": request}]}
    await submit(world.asker, "RequestAccessBatch", requests=batch)
    emergency = {"reason": f"{canary} is unconscious", "salt": SALT}
    broken = await submit(world.rescuer, "BreakGlass", PATIENT, emergency=emergency)
    note = {"text": canary, "salt": SALT}
    await submit(world.auditor, "CloseReview", PATIENT, broken["request_id"], note=note)
    await submit(world.auditor, "PlaceHold", PATIENT, note=note)
    violation = {"person": canary, "text": f"{canary} is a thief", "salt": SALT}
    await submit(world.auditor, "ReportViolation", CLINIC, violation=violation)
    appointment = {
        "msp_id": HOSPITAL, "person": canary, "scope": ["read"], "not_after": world.now + DAY,
        "salt": SALT,
    }  # fmt: skip
    await submit(world.patient, "AppointRepresentative", appointment=appointment)

    for key, value in world.ledger.state().items():
        public.extend((key.encode(), value))
    for collection in ("consents", *(f"_implicit_org_{each}" for each in ORGANIZATIONS)):
        for msp_id in ORGANIZATIONS:
            public.extend(key.encode() for key in world.ledger.private(collection, msp_id))
    text = b"\n".join(public)
    raw = canary.encode()
    for form in (raw, raw.hex().encode(), base64.b64encode(raw), raw.lower()):
        assert form not in text
    assert hashlib.sha256(raw).hexdigest().encode() not in text
    # The scan can fail: the private side is full of it.
    assert raw in b"".join(world.ledger.private("consents", REGULATOR).values())


async def test_f2_a_wrapped_key_is_given_to_its_grantee_alone(world: World) -> None:
    await world.grant()
    permit_id = (await world.ask())["request_id"]
    wanted = await world.filer.evaluate("ReadPermitKey", PATIENT, permit_id)
    assert wanted["in_force"]
    assert bytes.fromhex(wanted["public_key"]), "the certificate's key, where no other is named"
    named = (await world.ask(public_key="aa" * 44))["request_id"]
    assert (await world.filer.evaluate("ReadPermitKey", PATIENT, named))["public_key"] == "aa" * 44

    assert (await world.read(permit_id))["wrap"] is None
    await world.filer.submit("PutKeyWrap", PATIENT, permit_id, wrap=WRAP)
    assert world.filer.last is not None
    assert list(world.filer.last.private_writes) == [f"_implicit_org_{HOSPITAL}"]
    assert (await world.read(permit_id))["wrap"] == WRAP
    with refused("NOT_PERMITTED"):
        await world.read(permit_id, by=world.rescuer)
    assert (await world.read(named))["wrap"] is None


WRAP = {"key_id": "c" * 32, "recipient": "d" * 64, "sealed": "hpke-p256:abc", "salt": SALT}


@pytest.mark.parametrize(
    "labels",
    [
        {"resource_type": "not a type"},
        {"categories": ["a lab"]},
        {"confidentiality": "secret"},
        {"sensitivity": ["PSY", "PSY"]},
        {"reference": "no reference"},
        {"authors": ["dr hill"]},
        {"period_start": 5, "period_end": 5},
        {"authored": -1},
        {"name": "unknown field"},
    ],
)
async def test_f3_what_does_not_conform_is_refused(world: World, labels: dict[str, object]) -> None:
    """Of FHIR itself at the gateway (fhir.resources); here of what the contract reads: labels."""
    before = world.ledger.height
    with refused("INVALID_ARGUMENT"):
        await world.file(record(8, labels=labels))
    assert world.ledger.height == before


# --- MeDShare ----------------------------------------------------------------------------------


async def test_m1_trace_returns_everything_in_order(world: World) -> None:
    step = timedelta(seconds=1)
    world.ledger.now += step
    await world.ask()
    world.ledger.now += step
    await world.grant(redisclosure=True)
    world.ledger.now += step
    await world.grant(
        recipients=[{"msp_id": REGULATOR, "practitioner": "dr-next"}], redisclosure=True
    )
    permit_id = (await world.ask())["request_id"]
    world.ledger.now += step
    changed = {**LAB, "base_version": 1, "reason": "wrong unit"}
    await world.filer.submit("AmendRecords", PATIENT, amendments={"items": [changed]})
    world.ledger.now += step
    shared = await world.asker.submit(
        "ShareOnward",
        PATIENT,
        permit_id,
        share={
            "recipient": {"msp_id": REGULATOR, "practitioner": "dr-next"},
            "purpose": "TREAT",
            "categories": ["laboratory"],
            "salt": SALT,
        },
    )
    assert shared["decision"] == "permit"
    world.ledger.now += step
    await world.rescuer.submit(
        "BreakGlass", PATIENT, emergency={"reason": "found unconscious", "salt": SALT}
    )
    world.ledger.now += step
    await world.ask(categories=["imaging"])  # not about this record
    withdrawn = {
        "items": [{"id": LAB["id"], "base_version": 2, "reason": "other patient"}], "salt": SALT
    }  # fmt: skip
    await world.filer.submit("WithdrawRecords", PATIENT, withdrawals=withdrawn)

    rows = await world.patient.evaluate("TraceRecord", HOSPITAL, LAB["id"], at=HOSPITAL)
    assert [row["kind"] for row in rows] == [
        "filed", "access-denied", "access-permitted", "amended", "shared-onward", "glass-broken",
        "withdrawn",
    ]  # fmt: skip
    assert [row["practitioner"] for row in rows] == [
        "dr-hill", "dr-cole", "dr-cole", "dr-hill", "dr-cole", "dr-swift", "dr-hill",
    ]  # fmt: skip
    assert sorted(row["at"] for row in rows) == [row["at"] for row in rows]
    with refused("NOT_FOUND"):
        await world.patient.evaluate("TraceRecord", HOSPITAL, "e" * 64, at=HOSPITAL)


async def test_m2_a_violation_suspends_at_once_and_two_parties_reinstate(world: World) -> None:
    await world.grant()
    permit_id = (await world.ask())["request_id"]
    violation = {"person": "dr-cole", "text": "sold a list of patients", "salt": SALT}
    case = (await world.auditor.submit("ReportViolation", CLINIC, violation=violation))["case_id"]
    with refused("SUSPENDED"):
        await world.read(permit_id)
    assert (await world.ask())["reason"] == "suspended"
    colleague = person(world.ledger, CLINIC, "practitioner", "dr-else")
    assert (await world.ask(by=colleague))["decision"] == "permit"
    with refused("ALREADY_DONE"):
        await world.officer.submit("ReportViolation", CLINIC, violation=violation)

    inside = person(world.ledger, CLINIC, "privacy-officer", "mr-cosy")
    with refused("NOT_AUTHORISED"):
        await inside.submit("ApproveReinstatement", case)
    first = await world.auditor.submit("ApproveReinstatement", case)
    assert first == {"status": "suspended", "approvals": 1}
    with refused("ALREADY_DONE"):
        await world.auditor.submit("ApproveReinstatement", case)
    with refused("SUSPENDED"):
        await world.read(permit_id)
    second = await world.officer.submit("ApproveReinstatement", case)
    assert second == {"status": "reinstated", "approvals": 2}
    await world.read(permit_id)
    (row,) = await world.auditor.evaluate("ListSanctions")
    assert (row["person"], row["status"]) == ("dr-cole", "reinstated")

    whole = {"text": "the whole clinic sells data", "salt": SALT}
    await world.auditor.submit("ReportViolation", CLINIC, violation=whole)
    assert (await world.ask(by=colleague))["reason"] == "suspended"


# --- MedRec ------------------------------------------------------------------------------------


async def test_r1_the_patient_sees_every_holder_with_status(world: World) -> None:
    regulator = person(world.ledger, REGULATOR, "practitioner", "dr-lab")
    assert await world.asker.submit("AnnounceHolder", PATIENT) == {"status": "pending"}
    await regulator.submit("AnnounceHolder", PATIENT)
    await world.patient.submit("AnswerHolder", REGULATOR, "reject")
    rows = await world.patient.evaluate("ListHolders")
    assert {row["holder_msp"]: row["status"] for row in rows} == {
        HOSPITAL: "live", CLINIC: "pending", REGULATOR: "rejected",
    }  # fmt: skip
    with refused("NOT_ACCEPTED"):
        await world.file(record(7), by=regulator)


async def test_r2_a_pointer_goes_live_only_after_acceptance(world: World) -> None:
    reader = person(world.ledger, REGULATOR, "practitioner", "dr-far")
    with refused("NOT_ANNOUNCED"):
        await world.file(record(4, "Observation", "laboratory"), by=world.asker)
    await world.asker.submit("AnnounceHolder", PATIENT)
    assert await world.asker.submit("AnnounceHolder", PATIENT) == {"status": "pending"}
    await world.file(record(4, "Observation", "laboratory"), by=world.asker)
    await world.grant(recipients=[{"msp_id": REGULATOR}])
    permit_id = (await world.ask(by=reader))["request_id"]
    with refused("NOT_ACCEPTED"):
        await world.read(permit_id, by=reader, at=CLINIC)
    await world.patient.submit("AnswerHolder", CLINIC, "accept")
    assert len((await world.read(permit_id, by=reader, at=CLINIC))["records"]) == 1
    await world.patient.submit("AnswerHolder", CLINIC, "reject")
    with refused("NOT_ACCEPTED"):
        await world.read(permit_id, by=reader, at=CLINIC)


async def test_r3_bytes_that_do_not_match_raise_an_alert(world: World) -> None:
    key = Stub.create_composite_key("record", [PATIENT, LAB["id"]])
    anchor = world.ledger.hashes(f"_implicit_org_{HOSPITAL}")[hashlib.sha256(key.encode()).digest()]
    tamper = {
        "record_id": LAB["id"], "kind": "record", "expected": anchor.hex(), "observed": "0" * 64,
        "salt": SALT,
    }  # fmt: skip
    with refused("INVALID_ARGUMENT"):
        same = {**tamper, "observed": anchor.hex()}
        await world.asker.submit("ReportTamper", PATIENT, HOSPITAL, tamper=same)
    with refused("CONFLICT"):
        other = {**tamper, "expected": "1" * 64}
        await world.asker.submit("ReportTamper", PATIENT, HOSPITAL, tamper=other)
    with refused("NOT_FOUND"):
        unknown = {**tamper, "record_id": "e" * 64}
        await world.asker.submit("ReportTamper", PATIENT, HOSPITAL, tamper=unknown)
    raised = await world.asker.submit("ReportTamper", PATIENT, HOSPITAL, tamper=tamper)
    (holder,) = await world.patient.evaluate("ListHolders")
    assert holder["open_alerts"] == 1
    assert world.ledger.events[-1].name == "tamper-reported"
    with refused("NOT_AUTHORISED"):  # the holder itself
        await world.officer.submit("ResolveAlert", PATIENT, raised["alert_id"], note=NOTE)
    await world.auditor.submit("ResolveAlert", PATIENT, raised["alert_id"], note=NOTE)
    (holder,) = await world.patient.evaluate("ListHolders")
    assert holder["open_alerts"] == 0


async def test_r4_members_join_and_leave_by_vote(world: World) -> None:
    hospital, clinic, regulator = (
        person(world.ledger, msp_id, "administrator") for msp_id in ORGANIZATIONS
    )
    await world.grant()
    founding = await hospital.submit("ProposeMembership", "found", f"{HOSPITAL},{REGULATOR}")
    assert founding["status"] == "open"
    assert (await world.ask())["decision"] == "permit", "not founded yet: everybody is in"
    assert await regulator.submit("VoteMembership", founding["proposal_id"], "yes") == {
        "status": "accepted"
    }
    assert (await world.ask())["reason"] == "not-a-member"
    with refused("NOT_A_MEMBER"):
        await world.file(record(5), by=world.asker)

    joining = await clinic.submit("ProposeMembership", "join", CLINIC)
    assert joining["status"] == "open"
    with refused("NOT_A_MEMBER"):
        await clinic.submit("VoteMembership", joining["proposal_id"], "yes")
    await hospital.submit("VoteMembership", joining["proposal_id"], "yes")
    with refused("ALREADY_DONE"):
        await hospital.submit("VoteMembership", joining["proposal_id"], "yes")
    assert (await world.ask())["reason"] == "not-a-member"
    await regulator.submit("VoteMembership", joining["proposal_id"], "yes")
    permit_id = (await world.ask())["request_id"]
    await world.read(permit_id)

    leaving = await hospital.submit("ProposeMembership", "leave", CLINIC)
    with refused("NOT_A_MEMBER"):
        await clinic.submit("VoteMembership", leaving["proposal_id"], "no")
    await regulator.submit("VoteMembership", leaving["proposal_id"], "yes")
    with refused("NOT_A_MEMBER"):
        await world.read(permit_id)
    members = await world.auditor.evaluate("ListMembers")
    assert [each["msp_id"] for each in members["members"]] == [HOSPITAL, REGULATOR]
    refusal = await hospital.submit("ProposeMembership", "join", CLINIC)
    await regulator.submit("VoteMembership", refusal["proposal_id"], "no")
    with refused("ALREADY_DONE"):
        await hospital.submit("VoteMembership", refusal["proposal_id"], "yes")


async def test_r5_enrolled_custodians_recover_a_lost_key(world: World) -> None:
    people = [
        person(world.ledger, HOSPITAL, "practitioner", "keeper-1"),
        person(world.ledger, CLINIC, "practitioner", "keeper-2"),
        person(world.ledger, REGULATOR, "auditor", "keeper-3"),
    ]
    shares = {
        "threshold": 2,
        "custodians": [
            {"msp_id": each.msp_id, "person": f"keeper-{number}", "share": f"sealed-{number}"}
            for number, each in enumerate(people, start=1)
        ],
        "salt": SALT,
    }
    with refused("INVALID_ARGUMENT"):
        await world.patient.submit("EnrolCustodians", shares={**shares, "threshold": 4})
    await world.patient.submit("EnrolCustodians", shares=shares)
    # The key is lost; a new certificate is not.
    new = {"public_key": "ab" * 44, "salt": SALT}
    recovery = (await world.patient.submit("RequestRecovery", recovery=new))["recovery_id"]
    own = await people[1].evaluate("ReadShare", PATIENT)
    assert own == {"share": "sealed-2", "recovery_id": recovery, "public_key": "ab" * 44}

    async def approve(number: int) -> dict[str, int]:
        share = {"share": f"resealed-{number}", "salt": SALT}
        answer = await people[number - 1].submit("ApproveRecovery", PATIENT, recovery, share=share)
        return dict(answer)

    assert await approve(2) == {"approvals": 1, "threshold": 2}
    seen = await world.patient.evaluate("ReadRecovery", recovery)
    assert seen == {"approvals": 1, "threshold": 2, "shares": []}
    with refused("ALREADY_DONE"):
        await approve(2)
    with refused("NOT_AUTHORISED"):  # not enrolled
        share = {"share": "x", "salt": SALT}
        await world.asker.submit("ApproveRecovery", PATIENT, recovery, share=share)
    assert await approve(3) == {"approvals": 2, "threshold": 2}
    seen = await world.patient.evaluate("ReadRecovery", recovery)
    assert sorted(each["share"] for each in seen["shares"]) == ["resealed-2", "resealed-3"]
    # A later request starts anew.
    await world.patient.submit("RequestRecovery", recovery=new)
    with refused("NOT_FOUND"):
        await world.patient.evaluate("ReadRecovery", recovery)
    with refused("NOT_FOUND"):
        await approve(1)


# --- consent and access ------------------------------------------------------------------------


async def test_c1_no_consent_means_no(world: World) -> None:
    answer = await world.ask()
    assert (answer["decision"], answer["reason"]) == ("deny", "no-consent")
    with refused("NOT_PERMITTED"):
        await world.read(answer["request_id"])


async def test_c2_identity_comes_from_the_certificate(world: World) -> None:
    """Every CA can write any pseudonym into a certificate: the MSP must be the registered one."""
    forger = person(world.ledger, CLINIC, "patient", PATIENT)
    for function in ("ListAccess", "ListConsents", "ListHolders"):
        with refused("NOT_AUTHORISED"):
            await forger.evaluate(function)
    with refused("NOT_AUTHORISED"):
        await forger.submit("GrantConsent", consent=permit())
    with refused("ALREADY_REGISTERED"):
        await forger.submit("RegisterPatient")
    await world.grant(recipients=[{"msp_id": CLINIC, "practitioner": "dr-cole"}])
    assert (await world.ask(by=world.rescuer))["decision"] == "deny"
    thief = person(world.ledger, REGULATOR, "practitioner", "dr-cole")
    assert (await world.ask(by=thief))["decision"] == "deny"
    for smuggled in ({"practitioner": "dr-cole"}, {"patient": OTHER}):
        with refused("INVALID_ARGUMENT"):
            await world.asker.submit("RequestAccess", PATIENT, request=ask(**smuggled))


@pytest.mark.parametrize(
    ("rule", "request_", "released"),
    [
        ({}, {}, ["1"]),
        ({"recipients": [{"msp_id": REGULATOR}]}, {}, None),
        ({"recipients": [{"msp_id": CLINIC, "role": "physician"}]}, {}, ["1"]),
        ({"recipients": [{"msp_id": CLINIC, "role": "nurse"}]}, {}, None),
        ({"recipients": [{"msp_id": CLINIC, "practitioner": "dr-cole"}]}, {}, ["1"]),
        ({"recipients": [{"msp_id": CLINIC, "practitioner": "dr-else"}]}, {}, None),
        ({"purposes": ["HOPERAT"]}, {}, None),
        ({"purposes": ["HOPERAT"]}, {"purpose": "HOPERAT"}, ["1"]),
        ({"categories": [], "resource_types": ["Condition"]}, {"categories": [],
            "resource_types": ["Condition"]}, ["3"]),
        ({"categories": []}, {"categories": ["laboratory", "vital-signs"]}, ["1", "2"]),
        ({"security_labels": ["R"]}, {}, ["1", "4"]),
        ({"security_labels": ["R", "PSY"]}, {}, ["1", "4", "5"]),
        ({"security_labels": ["PSY"]}, {}, ["5"]),
        ({"security_labels": ["V", "PSY"]}, {}, ["1", "4", "5", "6"]),
        ({"data_start": 1000, "data_end": 2000, "security_labels": ["R"]}, {}, ["7"]),
        ({"data_start": 1001, "security_labels": ["R"]}, {}, None),
        ({"data_end": 1001, "security_labels": ["R"]}, {}, ["7"]),
        ({"data_end": 1000, "security_labels": ["R"]}, {}, None),
        ({"authors": ["Practitioner/9"]}, {}, ["8"]),
        ({"instances": ["Observation/1"]}, {}, ["1"]),
        ({"related": ["Encounter/2"]}, {}, ["8"]),
    ],
)  # fmt: skip
async def test_c3_decided_on_everything_that_consents_name(
    world: World, rule: dict[str, Any], request_: dict[str, Any], released: list[str] | None
) -> None:
    """An unlabelled record (4) counts as restricted. None: nothing is permitted, or released."""

    def lab(number: int, **labels: object) -> dict[str, object]:
        return record(number, "Observation", "laboratory", labels=labels)

    await world.file(
        lab(4, confidentiality=None),
        lab(5, confidentiality="R", sensitivity=["PSY"]),
        lab(6, confidentiality="V"),
        lab(7, confidentiality="R", period_start=1000, period_end=1001),
        lab(8, authors=["Practitioner/9"], related=["Encounter/2"]),
    )
    await world.grant(**rule)
    answer = await world.ask(**request_)
    if answer["decision"] == "permit":
        out = await world.ids(answer["request_id"])
        assert [each for each in out if each not in _OTHERS.get(tuple(rule), ())] == (
            released or []
        )
    else:
        assert released is None


_OTHERS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): ("8",),
    ("recipients",): ("8",),
    ("purposes",): ("8",),
    ("categories",): ("8",),
    ("security_labels",): ("7", "8"),
}
"""What else is let out by rules that are about something else than those records' difference."""


async def test_c3_what_is_unknown_counts_against_release(world: World) -> None:
    """An Observation without category could be anything; a record without time, of any time."""
    await world.file(record(4, "Observation"), record(5, "Condition", labels={"authored": 1000}))
    types: Any = {"categories": [], "resource_types": ["Observation", "Condition"]}
    everything = await world.grant(categories=[])
    permit_id = (await world.ask(**types))["request_id"]
    assert await world.ids(permit_id) == ["1", "2", "3", "5"]
    await world.grant(categories=[], instances=["Observation/4"])
    permit_id = (await world.ask(**types))["request_id"]
    assert await world.ids(permit_id) == ["1", "2", "3", "4", "5"]
    await world.deny(categories=["survey"])  # which record 4 might be
    assert await world.ids(permit_id) == ["1", "2", "3", "5"]
    before = await world.deny(data_end=1000)  # a deny that ends just before record 5 leaves it
    assert await world.ids(permit_id) == ["5"]
    await world.patient.submit("RevokeConsent", before)
    await world.deny(data_start=1000, data_end=1001)
    assert await world.ids(permit_id) == []
    await world.patient.submit("RevokeConsent", everything)


async def test_c4_the_specific_deny_beats_the_permit(world: World) -> None:
    await world.grant(categories=["laboratory", "vital-signs"])
    both: Any = {"categories": ["laboratory", "vital-signs"]}
    permit_id = (await world.ask(**both))["request_id"]
    assert await world.ids(permit_id) == ["1", "2"]
    await world.deny(categories=["vital-signs"], recipients=[{"msp_id": CLINIC}])
    assert await world.ids(permit_id) == ["1"], "works on permits that were given before"
    assert (await world.ask(categories=["vital-signs"]))["decision"] == "deny"
    await world.deny()
    with refused("CONSENT_REVOKED"):
        await world.read(permit_id)
    assert (await world.ask(**both))["decision"] == "deny"


async def test_c4_a_later_permit_widens_nothing_that_was_decided(world: World) -> None:
    report = record(4, "DiagnosticReport", "laboratory")
    await world.file(report)
    await world.grant(resource_types=["DiagnosticReport"])
    permit_id = (await world.ask())["request_id"]
    await world.grant()
    assert await world.ids(permit_id) == ["4"]
    assert await world.ids((await world.ask())["request_id"]) == ["1", "4"]


@pytest.mark.parametrize("boundary", ["not_before", "not_after"])
async def test_c4_periods_hold_to_the_second_and_to_the_millisecond(
    world: World, boundary: str
) -> None:
    edge = world.now + HOUR
    await world.grant(**{boundary: edge})
    before, after = ("deny", "permit") if boundary == "not_before" else ("permit", "deny")
    for offset, expected in ((-1000, before), (-1, before), (0, after), (1000, after)):
        world.ledger.now += timedelta(milliseconds=edge + offset - world.now)
        assert (await world.ask())["decision"] == expected, offset


async def test_c4_a_permit_ends_with_its_consent(world: World) -> None:
    await world.grant(not_after=world.now + 5000)
    answer = await world.ask()
    assert answer["expires_at"] == world.now + 5000
    world.pass_time(4999)
    await world.read(answer["request_id"])
    world.pass_time(1)
    with refused("PERMIT_EXPIRED"):
        await world.read(answer["request_id"])


async def test_c5_no_duplicate_survives_a_revoke(world: World) -> None:
    first = await world.grant()
    with refused("DUPLICATE_CONSENT"):
        await world.grant(not_after=world.now + 2 * DAY, source="another paper")
    other = await world.grant(categories=["imaging"])
    with refused("DUPLICATE_CONSENT"):  # nor by way of an amendment
        await world.patient.submit("AmendConsent", other, consent=permit())
    revoked = await world.patient.submit("RevokeConsent", first)
    assert revoked == {"consent_id": first, "version": 2}
    assert (await world.ask())["decision"] == "deny"
    with refused("ALREADY_REVOKED"):
        await world.patient.submit("RevokeConsent", first)
    await world.grant()


async def test_c5_an_amendment_is_a_version_and_ends_permits(world: World) -> None:
    consent = await world.grant()
    permit_id = (await world.ask())["request_id"]
    narrower = permit(categories=["laboratory"], resource_types=["DiagnosticReport"])
    amended = await world.patient.submit("AmendConsent", consent, consent=narrower)
    assert amended["version"] == 2
    with refused("CONSENT_REVOKED"):
        await world.read(permit_id)
    history = await world.patient.evaluate("ReadConsent", consent)
    assert [each["version"] for each in history["versions"]] == [1, 2]
    types = [each["terms"]["rule"]["resource_types"] for each in history["versions"]]
    assert types == [[], ["DiagnosticReport"]]
    again = (await world.ask())["request_id"]
    (row,) = [
        each for each in await world.patient.evaluate("ListAccess") if each["request_id"] == again
    ]
    assert row["consents"] == [{"consent_id": consent, "version": 2}]
    await world.patient.submit("RevokeConsent", consent)
    history = await world.patient.evaluate("ReadConsent", consent)
    assert (history["status"], history["version"]) == ("revoked", 3)
    assert [each["version"] for each in history["versions"]] == [1, 2]


def appointment(person_id: str, not_after: int, *scope: str, **more: object) -> dict[str, object]:
    return {
        "msp_id": HOSPITAL, "person": person_id, "scope": list(scope), "not_after": not_after,
        "salt": SALT, **more,
    }  # fmt: skip


async def test_c6_guardians_have_a_scope_and_an_end(world: World) -> None:
    guardian = person(world.ledger, HOSPITAL, "representative", "ms-mother")
    majority = world.now + DAY
    terms = appointment("ms-mother", majority, "consent", "audit", "read", excluded_labels=["SDV"])
    foreign = person(world.ledger, CLINIC, "registrar")
    with refused("NOT_AUTHORISED"):
        await foreign.submit("AppointGuardian", PATIENT, appointment=terms)
    id_ = (await world.registrar.submit("AppointGuardian", PATIENT, appointment=terms))[
        "appointment_id"
    ]
    acting = {"patient": PATIENT, "appointment_id": id_}
    await guardian.submit("GrantConsent", consent=permit(), acting=acting)
    assert (await world.ask())["decision"] == "permit"
    assert len(await guardian.evaluate("ListAccess", acting=acting)) == 1
    with refused("NOT_AUTHORISED"):  # outside of the scope
        await guardian.submit("RequestErasure", acting=acting)
    with refused("NOT_AUTHORISED"):  # no re-delegation
        again = appointment("mr-aunt", majority, "consent")
        await guardian.submit("AppointRepresentative", appointment=again, acting=acting)
    with refused("NOT_AUTHORISED"):  # without saying for whom
        await guardian.evaluate("ListAccess")
    for stranger in (
        person(world.ledger, HOSPITAL, "representative", "ms-other"),
        person(world.ledger, CLINIC, "representative", "ms-mother"),
    ):
        with refused("NOT_AUTHORISED"):
            await stranger.evaluate("ListAccess", acting=acting)

    await world.file(
        record(6, "Observation", "laboratory", labels={"confidentiality": "R",
                                                       "sensitivity": ["SDV"]})
    )  # fmt: skip
    own = {"purpose": "PATRQT", "salt": SALT}
    read = await guardian.submit("RequestOwnAccess", request=own, acting=acting)
    assert await world.ids(read["request_id"], by=guardian) == ["1", "2", "3"]
    with refused("NOT_AUTHORISED"):  # a patient does not end a guardian
        await world.patient.submit("EndAppointment", PATIENT, id_)

    world.pass_time(DAY - 1)
    await guardian.evaluate("ListAccess", acting=acting)
    world.pass_time(1)
    for function in ("ListAccess", "ListConsents"):
        with refused("NOT_AUTHORISED"):
            await guardian.evaluate(function, acting=acting)
    with refused("NOT_AUTHORISED"):
        await world.read(read["request_id"], by=guardian)


async def test_c6_delegation_only_where_allowed_and_never_wider(world: World) -> None:
    end = world.now + DAY
    first, second = (
        person(world.ledger, HOSPITAL, "representative", name) for name in ("mr-one", "ms-two")
    )
    made = await world.patient.submit(
        "AppointRepresentative",
        appointment=appointment("mr-one", end, "audit", "delegate", may_delegate=True),
    )
    acting = {"patient": PATIENT, "appointment_id": made["appointment_id"]}
    for wider in (
        appointment("ms-two", end, "consent"),
        appointment("ms-two", end + 1, "audit"),
    ):
        with refused("NOT_AUTHORISED"):
            await first.submit("AppointRepresentative", appointment=wider, acting=acting)
    made = await first.submit(
        "AppointRepresentative", appointment=appointment("ms-two", end, "audit"), acting=acting
    )
    below = {"patient": PATIENT, "appointment_id": made["appointment_id"]}
    await second.evaluate("ListAccess", acting=below)
    assert len(await world.patient.evaluate("ListAppointments")) == 2
    # The end of the first is the end of what rests on it.
    await world.patient.submit("EndAppointment", PATIENT, acting["appointment_id"])
    with refused("NOT_AUTHORISED"):
        await second.evaluate("ListAccess", acting=below)
    with refused("ALREADY_DONE"):
        await world.patient.submit("EndAppointment", PATIENT, acting["appointment_id"])


EMERGENCY = {"reason": "found unconscious", "salt": SALT}


async def test_c7_break_glass(world: World) -> None:
    etoh = record(4, "Condition", labels={"confidentiality": "R", "sensitivity": ["ETH"]})
    await world.file(etoh)
    await world.deny()  # a general deny does not stop it
    with refused("ACCESS_DENIED"):
        await world.asker.submit("BreakGlass", PATIENT, emergency=EMERGENCY)
    with refused("INVALID_ARGUMENT"):
        await world.rescuer.submit("BreakGlass", PATIENT, emergency={**EMERGENCY, "reason": "-"})
    broken = await world.rescuer.submit("BreakGlass", PATIENT, emergency=EMERGENCY)
    assert (broken["reason"], broken["expires_at"]) == ("break-glass", world.now + 15 * 60_000)
    assert world.ledger.events[-1].name == "glass-broken"
    released = await world.read(broken["request_id"], by=world.rescuer)
    assert [each["id"][-1] for each in released["records"]] == ["1", "2", "3"]
    assert released["withheld_by"] == [{"reason": "label", "records": 1}], "Part 2 stays closed"
    assert released["obligations"] == ["NORDSLCD"]
    said = await world.rescuer.submit(
        "BreakGlass", PATIENT, emergency={**EMERGENCY, "include_part2": True}
    )
    assert len((await world.read(said["request_id"], by=world.rescuer))["records"]) == 4
    rows = await world.patient.evaluate("ListAccess")
    assert {(row["text"], row["include_part2"]) for row in rows} == {
        ("found unconscious", False), ("found unconscious", True),
    }  # fmt: skip
    world.pass_time(15 * 60_000)
    with refused("PERMIT_EXPIRED"):
        await world.read(broken["request_id"], by=world.rescuer)
    await world.deny(purposes=["BTG"], recipients=[{"msp_id": CLINIC}])
    barred = await world.rescuer.submit("BreakGlass", PATIENT, emergency=EMERGENCY)
    assert (await world.read(barred["request_id"], by=world.rescuer))["records"] == []


async def test_c7_nobody_breaks_the_glass_by_an_ordinary_request(world: World) -> None:
    """A consent that names the purpose must not open everything, without reason and review."""
    await world.grant(purposes=["BTG", "TREAT"])
    answer = await world.ask(by=world.rescuer, purpose="BTG")
    assert (answer["decision"], answer["reason"]) == ("deny", "no-consent")
    shared = {
        "recipient": {"msp_id": CLINIC, "practitioner": "dr-swift"}, "purpose": "BTG",
        "categories": ["laboratory"], "salt": SALT,
    }  # fmt: skip
    permit_id = (await world.ask())["request_id"]
    answer = await world.asker.submit("ShareOnward", PATIENT, permit_id, share=shared)
    assert answer["decision"] == "deny"


async def test_c7_reviews_are_opened_escalated_and_closed_by_others(world: World) -> None:
    first = (await world.rescuer.submit("BreakGlass", PATIENT, emergency=EMERGENCY))["request_id"]
    world.pass_time(HOUR)
    second = (await world.rescuer.submit("BreakGlass", PATIENT, emergency=EMERGENCY))["request_id"]
    reviews = await world.auditor.evaluate("ListReviews")
    assert [each["review_id"] for each in reviews] == [first, second]
    assert {each["reason"] for each in reviews} == {"found unconscious"}
    inside = person(world.ledger, CLINIC, "privacy-officer", "mr-cosy")
    with refused("NOT_AUTHORISED"):
        await inside.submit("CloseReview", PATIENT, first, note=NOTE)
    world.pass_time(71 * HOUR - 1)
    assert await world.asker.submit("EscalateReviews") == {"escalated": 0}
    world.pass_time(1)
    assert await world.asker.submit("EscalateReviews") == {"escalated": 1}
    assert world.ledger.events[-1].name == "review-escalated"
    assert await world.asker.submit("EscalateReviews") == {"escalated": 0}
    statuses = {each["review_id"]: each["status"] for each in
                await world.auditor.evaluate("ListReviews")}  # fmt: skip
    assert statuses == {first: "escalated", second: "open"}
    for review in (first, second):
        await world.auditor.submit("CloseReview", PATIENT, review, note=NOTE)
    assert await world.auditor.evaluate("ListReviews") == []
    with refused("NOT_FOUND"):
        await world.auditor.submit("CloseReview", PATIENT, first, note=NOTE)


async def test_c8_minimum_necessary_with_counts_and_obligations(world: World) -> None:
    psy = record(4, "Observation", "laboratory",
                 labels={"confidentiality": "R", "sensitivity": ["PSY"]})  # fmt: skip
    wrong = record(5, "Observation", "laboratory")
    await world.file(psy, wrong)
    withdrawn = {"items": [{"id": wrong["id"], "base_version": 1, "reason": "other patient"}],
                 "salt": SALT}  # fmt: skip
    await world.filer.submit("WithdrawRecords", PATIENT, withdrawals=withdrawn)
    consent = await world.grant(purposes=["HPAYMT"], redisclosure=True)
    permit_id = (await world.ask(purpose="HPAYMT"))["request_id"]
    released = await world.read(permit_id)
    assert [each["id"] for each in released["records"]] == [LAB["id"]]
    assert released["withheld"] == 4
    assert released["withheld_by"] == [
        {"reason": "entered-in-error", "records": 1},
        {"reason": "label", "records": 1},
        {"reason": "not-requested", "records": 2},
    ]
    assert released["obligations"] == ["MINEC"]
    explained = await world.patient.evaluate("ExplainAccess", permit_id, HOSPITAL, at=HOSPITAL)
    assert explained["consents"] == [{"consent_id": consent, "version": 1}]
    assert {"reason": "label:PSY", "records": 1} in explained["withheld_by"]
    with refused("INVALID_ARGUMENT"):
        await world.ask(categories=[])


async def test_c8_a_smart_scope_is_a_ceiling(world: World) -> None:
    await world.grant(categories=[])
    cases: Any = (
        (["patient/Observation.rs"], ["1", "2"]),
        (["patient/Observation.rs?category=laboratory"], ["1"]),
        (["user/*.r?category=http://terminology.hl7.org/x|vital-signs"], ["2"]),
        (["patient/*.rs"], ["1", "2"]),
    )
    for scopes, released in cases:
        answer = await world.ask(categories=["laboratory", "vital-signs"], scopes=scopes)
        assert await world.ids(answer["request_id"]) == released
    for scopes in (["patient/Condition.rs?category=imaging"], ["patient/*.cud"]):
        assert (await world.ask(scopes=scopes))["decision"] == "deny"
    for scope in ("launch", "patient/Observation.read", "patient/Observation.rs?date=2026"):
        with refused("INVALID_ARGUMENT"):
            await world.ask(scopes=[scope])


async def test_c9_released_only_after_the_decision_is_committed(world: World) -> None:
    await world.grant()
    endorsed = await world.asker.endorse("RequestAccess", PATIENT, request=ask())
    request_id = json.loads(endorsed.result)["request_id"]
    with refused("NOT_PERMITTED"):
        await world.read(request_id)
    world.ledger.commit(endorsed)
    assert (await world.read(request_id))["records"]
    # And a revocation that was quicker takes the decision with it.
    late = await world.asker.endorse("RequestAccess", PATIENT, request=ask())
    (consent,) = await world.patient.evaluate("ListConsents")
    await world.patient.submit("RevokeConsent", consent["consent_id"])
    assert world.ledger.commit(late) == ("MVCC_READ_CONFLICT",)


async def test_c10_a_revoke_ends_the_wrap_and_asks_for_a_new_data_key(world: World) -> None:
    async def seal(number: int, key: str) -> object:
        sealed = {"key_id": key, "wrapped_key": "w"}
        return await world.file(record(number, "Observation", "laboratory", seal=sealed))

    old, new = "a" * 32, "b" * 32
    with refused("STALE_KEY"):
        await seal(4, old)
    before = await world.filer.evaluate("ReadKeyState", PATIENT)
    assert (before["key_id"], before["rotation_due"]) == (None, False)
    await world.filer.submit("RotateKey", PATIENT, key={"key_id": old, "salt": SALT})
    await seal(4, old)
    consent = await world.grant()
    permit_id = (await world.ask())["request_id"]
    await world.filer.submit("PutKeyWrap", PATIENT, permit_id, wrap={**WRAP, "key_id": old})
    assert (await world.read(permit_id))["wrap"]["key_id"] == old

    await world.patient.submit("RevokeConsent", consent)
    with refused("CONSENT_REVOKED"):
        await world.read(permit_id)
    with refused("NOT_PERMITTED"):
        await world.filer.submit("PutKeyWrap", PATIENT, permit_id, wrap=WRAP)
    with refused("STALE_KEY"):
        await seal(5, old)
    state = await world.filer.evaluate("ReadKeyState", PATIENT)
    assert state["rotation_due"]
    with refused("CONFLICT"):
        await world.filer.submit("RotateKey", PATIENT, key={"key_id": new, "salt": SALT})
    key = {"key_id": new, "previous": old, "salt": SALT}
    await world.filer.submit("RotateKey", PATIENT, key=key)
    await seal(5, new)
    state = await world.filer.evaluate("ReadKeyState", PATIENT)
    (stale,) = state["stale_records"]
    assert (stale["id"][-1], stale["seal"]["key_id"], state["rotation_due"]) == ("4", old, False)
    rewrapped = {"id": stale["id"], "seal": {"key_id": new, "wrapped_key": "again"}}
    wraps = {"items": [rewrapped], "salt": SALT}
    await world.filer.submit("RewrapRecords", PATIENT, wraps=wraps)
    await world.filer.submit("DropKeyWraps", PATIENT, requests={"ids": [permit_id], "salt": SALT})
    assert (await world.filer.evaluate("ReadKeyState", PATIENT))["stale_records"] == []
    held = world.ledger.private(f"_implicit_org_{HOSPITAL}", HOSPITAL)
    assert not [key for key in held if "wrap" in key]
    await world.grant()
    out = (await world.read((await world.ask())["request_id"]))["records"]
    assert [(each["version"], each["seal"]) for each in out if each["seal"]] == [
        (1, {"key_id": new, "wrapped_key": "again"}), (1, {"key_id": new, "wrapped_key": "w"}),
    ]  # fmt: skip
    with refused("NOT_FOUND"):  # nothing but seals is replaced
        plain = {"items": [{"id": LAB["id"], "seal": rewrapped["seal"]}], "salt": SALT}
        await world.filer.submit("RewrapRecords", PATIENT, wraps=plain)


PURPOSES_OF = {
    "practitioner": ["TREAT", "ETREAT", "HPAYMT", "HOPERAT", "HRESCH", "CLINTRCH"],
    "claims": ["HPAYMT"],
    "researcher": ["HRESCH", "CLINTRCH"],
    "public-health": ["PUBHLTH"],
}
OBLIGATIONS = {
    "HPAYMT": ["MINEC"], "HOPERAT": ["MINEC"], "HRESCH": ["DEID", "MINEC", "NOREUSE"],
    "CLINTRCH": ["MINEC", "NOREUSE"], "PUBHLTH": ["MINEC"],
}  # fmt: skip


@pytest.mark.parametrize("role", PURPOSES_OF)
async def test_c8_each_purpose_has_its_roles_its_basis_and_its_obligations(
    world: World, role: str
) -> None:
    purposes = [
        "TREAT", "ETREAT", "HPAYMT", "HOPERAT", "HRESCH", "CLINTRCH", "PUBHLTH", "PATRQT"
    ]  # fmt: skip
    await world.grant(purposes=purposes, redisclosure=True)
    asker = person(world.ledger, CLINIC, role, "x-person")
    for purpose in purposes:
        if purpose in ("HRESCH", "CLINTRCH", "PUBHLTH"):
            with refused("INVALID_ARGUMENT"):
                await world.ask(by=asker, purpose=purpose)
        answer = await world.ask(by=asker, purpose=purpose, basis="protocol 7")
        assert answer["decision"] == ("permit" if purpose in PURPOSES_OF[role] else "deny")
        if answer["decision"] == "permit":
            released = await world.read(answer["request_id"], by=asker)
            assert released["obligations"] == OBLIGATIONS.get(purpose, [])
    reasons = {row["reason"] for row in await world.patient.evaluate("ListAccess")}
    assert reasons == {"permitted", "role-not-for-purpose"}
    rows = await world.patient.evaluate("AccountDisclosures", "0", str(world.now + 1))
    flagged = {row["purpose"] for row in rows if row["accountable"]}
    assert flagged == ({"PUBHLTH"} if role == "public-health" else set())
    assert {row["purpose"] for row in rows} == {*PURPOSES_OF[role]}
    assert await world.patient.evaluate("AccountDisclosures", "0", str(world.now)) == []


async def test_c11_denied_attempts_are_on_record(world: World) -> None:
    await world.ask()
    await world.ask(purpose="HRESCH", basis="protocol 7")
    await world.asker.submit("RequestAccess", OTHER, request=ask())  # nobody's pseudonym
    rows = await world.patient.evaluate("ListAccess")
    assert [row["decision"] for row in rows] == ["deny", "deny"]
    log = await world.auditor.evaluate("ReadLog", OTHER, "0", str(world.now + 1))
    assert [row["kind"] for row in log] == ["access-denied"]


# --- erasure -----------------------------------------------------------------------------------


async def erase_at_hospital(world: World) -> None:
    left = await world.filer.evaluate("ListErasable", PATIENT)
    portion = {**left, "last": True, "salt": SALT}
    portion["records"] = [{"id": each["id"], "version": each["version"]} for each in
                          left["records"]]  # fmt: skip
    await world.filer.submit("EraseRecords", PATIENT, records=portion)


async def test_e1_after_erasure_nothing_is_left_but_the_skeleton(world: World) -> None:
    changed = {**LAB, "base_version": 1, "reason": "wrong unit"}
    await world.filer.submit("AmendRecords", PATIENT, amendments={"items": [changed]})
    consent = await world.grant()
    await world.patient.submit(
        "AmendConsent", consent, consent=permit(resource_types=["Observation"])
    )
    permit_id = (await world.ask())["request_id"]
    await world.rescuer.submit("BreakGlass", PATIENT, emergency=EMERGENCY)
    terms = appointment("mr-one", world.now + DAY, "audit")
    await world.patient.submit("AppointRepresentative", appointment=terms)
    hold = (await world.auditor.submit("PlaceHold", PATIENT, note=NOTE))["hold_id"]
    await world.auditor.submit("ReleaseHold", PATIENT, hold, note=NOTE)

    erasure = (await world.patient.submit("RequestErasure"))["erasure_id"]
    with refused("ERASED"):
        await world.read(permit_id)
    with refused("ERASED"):
        await world.file(record(9))
    with refused("ERASED"):
        await world.grant(categories=["imaging"])
    assert (await world.ask())["reason"] == "no-consent"
    with refused("NOT_ERASED"):
        await world.patient.submit("CompleteErasure", PATIENT)
    destroyed = {"documents": 2, "digest": "d" * 64, "salt": SALT}
    with refused("NOT_ERASED"):
        await world.filer.submit("ConfirmErasure", PATIENT, destroyed=destroyed)
    await erase_at_hospital(world)
    await world.filer.submit("ConfirmErasure", PATIENT, destroyed=destroyed)
    done = await world.patient.submit("CompleteErasure", PATIENT)
    assert done == {"status": "erased", "remaining": 0}

    for msp_id in ORGANIZATIONS:
        held = world.ledger.private("consents", msp_id)
        assert [key for key in held if PATIENT in key] == []
        held = world.ledger.private(f"_implicit_org_{HOSPITAL}", msp_id)
        kinds = {Stub.split_composite_key(key)[0] for key in held}
        assert kinds <= {"filing"}, "the receipt of the erasure alone"
    certificate = await world.auditor.evaluate("ReadErasure", PATIENT)
    assert (certificate["erasure_id"], certificate["status"]) == (erasure, "erased")
    (holder,) = certificate["holders"]
    assert (holder["status"], holder["documents"], holder["digest"]) == ("erased", 2, "d" * 64)
    assert certificate["verified"]

    # Later attempts are on record, the certificate still verifies; a forged skeleton does not.
    assert (await world.ask())["decision"] == "deny"
    log = await world.auditor.evaluate("ReadLog", PATIENT, "0", str(world.now + 1))
    assert {"access-permitted", "glass-broken", "consent-amended", "erasure-completed"} <= {
        row["kind"] for row in log
    }
    assert (await world.auditor.evaluate("ReadErasure", PATIENT))["verified"]
    with refused("ALREADY_REGISTERED"):
        await world.patient.submit("RegisterPatient")
    forged = {key: value for key, value in world.ledger.state().items() if "glass-broken" not in
              value.decode()}  # fmt: skip
    copy = World(new_ledger(state=forged))
    assert not (await copy.auditor.evaluate("ReadErasure", PATIENT))["verified"]


async def test_e1_custodians_purge_in_portions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(11):
        items = [{"patient": PATIENT, "request": ask()}]
        await world.asker.submit("RequestAccessBatch", requests={"items": items})
    await world.patient.submit("RequestErasure")
    await erase_at_hospital(world)
    monkeypatch.setattr(_erasure, "MAX_PURGED", 5)
    answers = [await world.patient.submit("CompleteErasure", PATIENT) for _ in range(3)]
    assert [answer["remaining"] for answer in answers] == [7, 2, 0]
    assert [answer["status"] for answer in answers] == ["erasing", "erasing", "erased"]
    assert not [key for key in world.ledger.private("consents", HOSPITAL) if PATIENT in key]


async def test_e2_a_legal_hold_blocks_erasure(world: World) -> None:
    hold = (await world.auditor.submit("PlaceHold", PATIENT, note=NOTE))["hold_id"]
    with refused("LEGAL_HOLD"):
        await world.patient.submit("RequestErasure")
    with refused("NOT_AUTHORISED"):
        await world.officer.submit("ReleaseHold", PATIENT, hold, note=NOTE)
    await world.auditor.submit("ReleaseHold", PATIENT, hold, note=NOTE)
    await world.patient.submit("RequestErasure")
    # A hold that comes in the middle stops what has begun.
    again = (await world.officer.submit("PlaceHold", PATIENT, note=NOTE))["hold_id"]
    with refused("LEGAL_HOLD"):
        await erase_at_hospital(world)
    with refused("LEGAL_HOLD"):
        await world.patient.submit("CompleteErasure", PATIENT)
    await world.officer.submit("ReleaseHold", PATIENT, again, note=NOTE)
    await erase_at_hospital(world)
    assert (await world.patient.submit("CompleteErasure", PATIENT))["status"] == "erased"


async def test_one_organisation_alone_cannot_make_a_permit(world: World) -> None:
    await world.grant()
    endorsed = await world.ledger.endorse(
        "RequestAccess",
        PATIENT,
        caller=world.asker.identity,
        transient={"request": json.dumps(ask()).encode()},
        endorsing_organizations=[CLINIC],
    )
    assert world.ledger.commit(endorsed) == ("ENDORSEMENT_POLICY_FAILURE",)
