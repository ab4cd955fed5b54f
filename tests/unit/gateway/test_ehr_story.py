"""The clients and the contract together, on a ledger in memory: sealed records and plain ones."""

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519

from ehr_on_ledger import CLINIC, HOSPITAL, PATIENT, START, EhrWorld, new_world
from medfab_gateway.ehr import (
    AccessDecision,
    AsyncCustodian,
    AsyncKeyRecovery,
    AsyncPractitioner,
    BundleError,
    ConsentStatus,
    ConsentVersion,
    DataKeyError,
    FhirVersion,
    OnwardRecipient,
    Purpose,
    RecoveryCustodian,
    ShareError,
    TamperError,
    example_bundle,
    load_bundle,
    write_consent,
)
from medfab_gateway.ehr._unavailable import unavailable_holder
from medfab_gateway.errors import ErrorDetail, EvaluateError, GatewayError

ADDRESSES = {
    entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
    for entry in json.loads(example_bundle())["entry"]
}
LABORATORY = [
    r for r in load_bundle(example_bundle()).resources if r.labels.categories == ("laboratory",)
]


@pytest.fixture(params=["sealed", "plain"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> EhrWorld:
    return new_world(tmp_path if request.param == "sealed" else None)


@pytest.fixture
def sealed(tmp_path: Path) -> EhrWorld:
    return new_world(tmp_path)


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(GatewayError) as caught:
        yield
    assert caught.value.chaincode is not None, caught.value
    assert caught.value.chaincode.code == code


async def grant(world: EhrWorld, *categories: str) -> ConsentVersion:
    return await world.patient().grant(
        grantee_msp=CLINIC,
        purposes=[Purpose.TREATMENT],
        categories=categories or ["laboratory"],
        not_after=START + timedelta(days=30),
    )


async def begin(world: EhrWorld, data: bytes | None = None) -> None:
    await world.patient().register()
    await world.provider().file_bundle(PATIENT, data or example_bundle())


async def ask(practitioner: AsyncPractitioner, *categories: str) -> AccessDecision:
    return await practitioner.request_access(
        PATIENT, purpose=Purpose.TREATMENT, categories=categories or ["laboratory"]
    )


async def test_the_whole_story(world: EhrWorld) -> None:
    await world.patient().register()
    filed = await world.provider().file_bundle(PATIENT, example_bundle())
    assert (filed.filed, filed.unchanged) == (13, 0)
    again = await world.provider().file_bundle(PATIENT, example_bundle())
    assert (again.filed, again.unchanged) == (0, 13)

    practitioner = world.practitioner()
    denied = await ask(practitioner)
    assert (denied.permitted, denied.reason) == (False, "no-consent")
    consent = await grant(world)
    permit = await ask(practitioner)
    assert permit.permitted
    if world.keys is not None:
        assert await world.run_key_agent() == ["access-permitted: wrapped"]

    result = await practitioner.read(permit, holder_msp=HOSPITAL)
    assert sorted(result.resources) == sorted(r.text for r in LABORATORY)
    assert result.withheld == 8
    assert [(each.consent_id, each.records) for each in result.permitted_by] == [
        (consent.consent_id, 5)
    ]
    assert result.obligations == ("NORDSLCD",)

    await world.patient().revoke(consent.consent_id)
    with refused("CONSENT_REVOKED"):
        await practitioner.read(permit, holder_msp=HOSPITAL)
    accesses = await world.patient().accesses()
    assert [access.permitted for access in accesses] == [True, False]
    assert {access.practitioner for access in accesses} == {"dr-cole"}
    (listed,) = await world.patient().consents()
    assert (listed.status, listed.version) == (ConsentStatus.REVOKED, 2)
    assert "access-permitted" in {row.kind for row in await world.auditor().log(PATIENT)}


async def test_f2_the_key_of_a_permit_opens_with_the_requesters_key_alone(
    sealed: EhrWorld,
) -> None:
    await begin(sealed)
    await grant(sealed)
    practitioner = sealed.practitioner(private_key=ec.generate_private_key(ec.SECP256R1()))
    permit = await ask(practitioner)
    await sealed.run_key_agent()
    other_key = sealed.practitioner(private_key=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(DataKeyError, match="for another key"):
        await other_key.read(permit, holder_msp=HOSPITAL)
    assert len((await practitioner.read(permit, holder_msp=HOSPITAL)).records) == 5


async def test_nothing_readable_of_a_sealed_record_is_in_any_collection(sealed: EhrWorld) -> None:
    await begin(sealed)
    stored = b"".join(sealed.ledger.private(f"_implicit_org_{HOSPITAL}", HOSPITAL).values())
    assert len(stored) > 10_000
    for word in (b"Quenneville", b"151.70", b"Marisol"):
        assert word not in stored
    assert b"laboratory" in stored, "labels are outside, or the contract could not filter"


async def test_a_permit_without_its_key_says_what_must_run(sealed: EhrWorld) -> None:
    await begin(sealed)
    await grant(sealed)
    practitioner = sealed.practitioner()
    permit = await ask(practitioner)
    with pytest.raises(DataKeyError, match="medfab ehr keys serve"):
        await practitioner.read(permit, holder_msp=HOSPITAL, key_timeout=0.3)


async def test_c10_after_a_revocation_the_old_key_opens_nothing(sealed: EhrWorld) -> None:
    """A new data key; every record's key under it; the old key and its wraps are gone."""
    assert sealed.keys is not None
    await begin(sealed)
    practitioner = sealed.practitioner()
    consent = await grant(sealed)
    permit = await ask(practitioner)
    await sealed.run_key_agent()
    await practitioner.read(permit, holder_msp=HOSPITAL)
    old = sealed.keys.key_ids(PATIENT)

    await sealed.patient().revoke(consent.consent_id)
    assert await sealed.run_key_agent() == ["consent-revoked: rotated"]
    new = sealed.keys.key_ids(PATIENT)
    assert len(old) == len(new) == 1
    assert old != new
    stored = sealed.ledger.private(f"_implicit_org_{HOSPITAL}", HOSPITAL)
    seals = [json.loads(value).get("seal") for value in stored.values()]
    assert {seal["key_id"] for seal in seals if seal} == set(new)

    await grant(sealed)
    permit = await ask(practitioner)
    await sealed.run_key_agent()
    assert len((await practitioner.read(permit, holder_msp=HOSPITAL)).records) == 5


async def test_c10_who_still_has_a_permit_is_given_the_new_key(sealed: EhrWorld) -> None:
    """One practitioner's consent is revoked; the other one's permit goes on."""
    assert sealed.keys is not None
    await begin(sealed)
    granted = []
    for name in ("dr-cole", "dr-kim"):
        consent = await sealed.patient().grant(
            grantee_msp=CLINIC,
            practitioner=name,
            purposes=["TREAT"],
            categories=["laboratory"],
            not_after=START + timedelta(days=1),
        )
        granted.append(consent.consent_id)
    cole, kim = sealed.practitioner("dr-cole"), sealed.practitioner("dr-kim")
    of_cole, of_kim = await ask(cole), await ask(kim)
    assert (await sealed.run_key_agent()).count("access-permitted: wrapped") == 2
    await kim.read(of_kim, holder_msp=HOSPITAL)

    await sealed.patient().revoke(granted[0])
    assert await sealed.run_key_agent() == ["consent-revoked: rotated"]
    assert len((await kim.read(of_kim, holder_msp=HOSPITAL)).records) == 5
    assert sealed.keys.permits(PATIENT) == (of_kim.request_id,)
    with refused("CONSENT_REVOKED"):
        await cole.read(of_cole, holder_msp=HOSPITAL)


async def test_filing_after_a_revocation_makes_the_new_key_itself(sealed: EhrWorld) -> None:
    await begin(sealed)
    consent = await grant(sealed)
    await sealed.patient().revoke(consent.consent_id)
    again = await sealed.provider().file_bundle(PATIENT, example_bundle())
    assert again.unchanged == 13


def large_bundle(letters: int) -> bytes:
    bundle = json.loads(example_bundle())
    patient = load_bundle(example_bundle()).patient.key
    content = base64.b64encode(secrets.token_bytes(letters * 3 // 4)).decode()
    document = {
        "resourceType": "DocumentReference",
        "id": "scan",
        "status": "current",
        "subject": {"reference": patient},
        "date": "2024-03-04T05:06:07Z",
        "content": [{"attachment": {"contentType": "image/png", "data": content}}],
    }
    bundle["entry"].append({"resource": document})
    return json.dumps(bundle).encode()


async def consent_to_documents(world: EhrWorld) -> None:
    await world.patient().grant(
        grantee_msp=CLINIC,
        purposes=["TREAT"],
        resource_types=["DocumentReference"],
        not_after=START + timedelta(days=1),
    )


async def read_documents(world: EhrWorld) -> tuple[AsyncPractitioner, AccessDecision]:
    practitioner = world.practitioner()
    permit = await practitioner.request_access(
        PATIENT, purpose="TREAT", resource_types=["DocumentReference"]
    )
    await world.run_key_agent()
    return practitioner, permit


async def test_what_is_large_is_kept_off_the_chain_and_comes_back(sealed: EhrWorld) -> None:
    assert sealed.documents is not None
    data = large_bundle(3_000_000)
    await sealed.patient().register()
    filed = await sealed.provider().file_bundle(PATIENT, data)
    assert (filed.filed, filed.documents) == (14, 1)
    again = await sealed.provider().file_bundle(PATIENT, data)
    assert (again.unchanged, len(sealed.documents.names())) == (14, 1)
    await consent_to_documents(sealed)
    practitioner, permit = await read_documents(sealed)
    (text,) = (await practitioner.read(permit, holder_msp=HOSPITAL)).resources
    assert text == load_bundle(data).resources[-1].text


async def test_r3_a_changed_document_raises_an_alert_that_the_patient_sees(
    sealed: EhrWorld,
) -> None:
    assert sealed.documents is not None
    await begin(sealed, large_bundle(200_000))
    await consent_to_documents(sealed)
    practitioner, permit = await read_documents(sealed)
    (path,) = sealed.documents._files.find(sealed.documents._root)
    content = bytearray(sealed.documents._files.cat_file(path))
    content[1000] ^= 1
    sealed.documents._files.pipe_file(path, bytes(content))
    with pytest.raises(TamperError) as caught:
        await practitioner.read(permit, holder_msp=HOSPITAL)
    assert caught.value.kind == "document"
    assert caught.value.intact is not None
    (holder,) = await sealed.patient().holders()
    assert holder.open_alerts == 1
    assert caught.value.alert_id is not None
    await sealed.auditor().resolve_alert(PATIENT, caught.value.alert_id, text="disk was replaced")
    (holder,) = await sealed.patient().holders()
    assert holder.open_alerts == 0


async def test_patients_read_their_own(world: EhrWorld) -> None:
    await begin(world)
    patient = world.patient(private_key=x25519.X25519PrivateKey.generate())
    permit = await patient.request_own(PATIENT)
    if world.keys is not None:
        await world.run_key_agent()
    result = await patient.read(permit, holder_msp=HOSPITAL)
    assert sorted(result.resources) == sorted(
        r.text for r in load_bundle(example_bundle()).resources
    )


@pytest.mark.parametrize("version", FhirVersion)
async def test_a_fhir_consent_goes_in_and_comes_out(world: EhrWorld, version: FhirVersion) -> None:
    await begin(world)
    terms = (await world.patient().consents(), None)[1]
    assert terms is None
    granted = await grant(world)
    exported = await world.patient().export_consent(
        granted.consent_id, version=version, patient=PATIENT
    )
    assert (exported["id"], exported["meta"]["versionId"]) == (granted.consent_id, "1")
    await world.patient().revoke(granted.consent_id)
    exported.pop("id")
    exported.pop("meta")
    again = await world.patient().grant_consent(json.dumps(exported))
    (listed, revoked) = await world.patient().consents()
    assert listed.consent_id == again.consent_id
    assert listed.rule == revoked.rule
    back = await world.patient().export_consent(again.consent_id, version=version)
    assert {k: v for k, v in back.items() if k not in ("id", "meta")} == exported
    amended = await world.patient().amend_consent(
        again.consent_id, write_consent(listed.terms, version=version) | {"language": "de"}
    )
    history = await world.patient().consent(again.consent_id)
    assert [each.version for each in history.versions] == [1, amended.version]
    other = next(v for v in FhirVersion if v is not version)
    in_other = await world.patient().export_consent(again.consent_id, version=other)
    assert in_other["language"] == "de"


async def test_amended_and_withdrawn_records_keep_their_history(world: EhrWorld) -> None:
    await begin(world)
    await grant(world)
    provider, practitioner = world.provider(), world.practitioner()
    original = next(r for r in LABORATORY if "151.70" in r.text)
    corrected = original.text.replace("151.70", "15.17")

    async def amend(reason: str) -> None:
        await provider.amend(
            PATIENT, corrected.encode(), base_version=1, reason=reason, references=ADDRESSES
        )

    await amend("comma")
    with refused("CONFLICT"):
        await amend("again")
    with pytest.raises(BundleError, match="in its bundle only"):
        await provider.amend(PATIENT, corrected.encode(), base_version=2, reason="x")
    permit = await ask(practitioner)
    if world.keys is not None:
        await world.run_key_agent()
    result = await practitioner.read(permit, holder_msp=HOSPITAL)
    assert corrected in result.resources
    record_id = provider.record_id(PATIENT, original.key)
    history = await practitioner.history(permit, holder_msp=HOSPITAL, record_id=record_id)
    assert [(v.version, v.status, v.text) for v in history] == [
        (1, "superseded", original.text),
        (2, "current", corrected),
    ]
    await provider.withdraw(PATIENT, original.key, base_version=2, reason="other patient's")
    result = await practitioner.read(permit, holder_msp=HOSPITAL)
    assert len(result.records) == 4
    assert "entered-in-error" in {each.reason for each in result.withheld_by}
    trace = await world.patient().trace(HOSPITAL, record_id)
    assert [s.kind for s in trace if s.kind in ("filed", "amended", "withdrawn")] == [
        "filed",
        "amended",
        "withdrawn",
    ]
    filings = await world.patient().filings(HOSPITAL)
    assert "amended" in {filing.kind for filing in filings}


async def test_break_glass(world: EhrWorld) -> None:
    await begin(world)
    rescuer = world.practitioner("dr-swift", functions="physician,emergency")
    permit = await rescuer.break_glass(PATIENT, reason="unconscious after an accident")
    assert (permit.permitted, permit.reason) == (True, "break-glass")
    if world.keys is not None:
        assert await world.run_key_agent() == ["glass-broken: wrapped"]
    result = await rescuer.read(permit, holder_msp=HOSPITAL)
    assert len(result.records) > 5
    (access,) = await world.patient().accesses()
    assert access.text == "unconscious after an accident"
    assert access.text not in repr(access)
    (review,) = await world.auditor().reviews()
    await world.auditor().close_review(review.patient, review.review_id, text="justified")
    assert await world.auditor().reviews() == ()
    (row,) = await world.patient().disclosures()
    assert row.accountable
    with refused("ACCESS_DENIED"):
        await world.practitioner().break_glass(PATIENT, reason="out of curiosity")


async def test_worklists_and_explanations(world: EhrWorld) -> None:
    await begin(world)
    consent = await grant(world)
    practitioner = world.practitioner()
    other = secrets.token_hex(16)
    permitted, denied = await practitioner.request_access_batch(
        [PATIENT, other], purpose="TREAT", categories=["laboratory"]
    )
    assert (permitted.patient, permitted.permitted) == (PATIENT, True)
    assert (denied.patient, denied.permitted) == (other, False)
    if world.keys is not None:
        assert "access-permitted: wrapped" in await world.run_key_agent()
    await practitioner.read(permitted, holder_msp=HOSPITAL)
    explained = await world.patient().explain(permitted.request_id, holder_msp=HOSPITAL)
    assert [each.consent_id for each in explained.consents] == [consent.consent_id]
    assert sum(each.records for each in explained.permitted_by) == 5
    onward = await practitioner.share_onward(
        permitted,
        recipient=OnwardRecipient(msp_id=HOSPITAL, practitioner="dr-who"),
        purpose="TREAT",
        categories=["laboratory"],
    )
    assert not onward.permitted


async def test_a_second_holder_is_announced_and_accepted(world: EhrWorld) -> None:
    await begin(world)
    clinic = world.provider(CLINIC)
    if world.keys is not None:
        clinic = world.provider(CLINIC)
    await clinic.file_bundle(PATIENT, example_bundle())
    holders = {holder.holder_msp: holder.status for holder in await world.patient().holders()}
    assert holders == {HOSPITAL: "live", CLINIC: "pending"}
    await world.patient().accept_holder(CLINIC)
    holders = {holder.holder_msp: holder.status for holder in await world.patient().holders()}
    assert holders == {HOSPITAL: "live", CLINIC: "live"}


async def test_a_representative_acts_within_the_appointment(world: EhrWorld) -> None:
    from medfab_gateway.ehr import Acting

    await begin(world)
    appointment = await world.patient().appoint(
        msp_id=CLINIC,
        person="son-1",
        scope=["consent", "audit"],
        not_after=START + timedelta(days=9),
    )
    son = world.representative("son-1", Acting(patient=PATIENT, appointment_id=appointment))
    await son.grant(
        grantee_msp=CLINIC,
        purposes=["TREAT"],
        categories=["laboratory"],
        not_after=START + timedelta(days=1),
    )
    assert len(await son.consents()) == 1
    with refused("NOT_AUTHORISED"):
        await son.request_own(PATIENT)
    (listed,) = await world.patient().appointments()
    assert (listed.person, listed.scope) == ("son-1", ("consent", "audit"))
    await world.patient().end_appointment(PATIENT, appointment)
    with refused("NOT_AUTHORISED"):
        await son.consents()


async def test_r5_a_lost_key_comes_back_from_two_of_three_custodians(world: EhrWorld) -> None:
    await world.patient().register()
    keys = [x25519.X25519PrivateKey.generate() for _ in range(3)]
    people = ["notary-1", "notary-2", "notary-3"]
    lost = secrets.token_bytes(32)
    mine = AsyncKeyRecovery(world.contract(HOSPITAL, "patient", PATIENT))
    set_id = await mine.enrol(
        PATIENT,
        lost,
        [
            RecoveryCustodian(msp_id=CLINIC, person=person, public_key=key.public_key())
            for person, key in zip(people, keys, strict=True)
        ],
        threshold=2,
    )

    def custodian(number: int) -> AsyncCustodian:
        contract = world.contract(CLINIC, "practitioner", people[number])
        return AsyncCustodian(contract, private_key=keys[number])

    with pytest.raises(ShareError, match="no recovery"):
        await custodian(0).approve(PATIENT)
    new_key = x25519.X25519PrivateKey.generate()
    recovery_id = await mine.request(new_key.public_key())
    await custodian(0).approve(PATIENT)
    with pytest.raises(ShareError, match="1 custodians have approved, and 2 must"):
        await mine.recover(PATIENT, recovery_id, new_key)
    await custodian(2).approve(PATIENT)
    assert await mine.recover(PATIENT, recovery_id, new_key, set_id=set_id) == lost
    with pytest.raises(DataKeyError):
        await mine.recover(PATIENT, recovery_id, x25519.X25519PrivateKey.generate())


async def test_e1_after_an_erasure_nothing_is_left_and_documents_cannot_be_opened(
    sealed: EhrWorld,
) -> None:
    assert sealed.keys is not None
    assert sealed.documents is not None
    await begin(sealed, large_bundle(200_000))
    await grant(sealed)
    permit = await ask(sealed.practitioner())
    await sealed.run_key_agent()
    await sealed.patient().request_erasure()
    purged = await sealed.provider().erase(PATIENT)
    assert purged >= 14
    erased = await sealed.patient().complete_erasure(PATIENT)
    assert (erased.status, erased.verified) == ("erased", True)
    assert [(h.holder_msp, h.documents) for h in erased.holders] == [(HOSPITAL, 1)]
    stored = sealed.ledger.private(f"_implicit_org_{HOSPITAL}", HOSPITAL)
    assert not [value for value in stored.values() if b"medfab-sealed" in value]
    assert sealed.documents.names() == ()
    assert sealed.keys.key_ids(PATIENT) == ()
    with pytest.raises(GatewayError):
        await sealed.practitioner().read(permit, holder_msp=HOSPITAL)
    assert {row.kind for row in await sealed.auditor().log(PATIENT)} >= {"erasure-completed"}


async def test_e2_a_legal_hold_blocks_the_erasure(world: EhrWorld) -> None:
    await begin(world)
    hold = await world.auditor().place_hold(PATIENT, text="litigation 7/26")
    with refused("LEGAL_HOLD"):
        await world.patient().request_erasure()
    await world.auditor().release_hold(PATIENT, hold, text="settled")
    await world.patient().request_erasure()


async def test_m2_a_violation_suspends_at_once(world: EhrWorld) -> None:
    await begin(world)
    await grant(world)
    case = await world.auditor().report_violation(CLINIC, text="sold a list", person="dr-cole")
    denied = await ask(world.practitioner())
    assert (denied.permitted, denied.reason) == (False, "suspended")
    assert case in {sanction.case_id for sanction in await world.auditor().sanctions()}


@pytest.mark.parametrize(
    ("message", "msp_id", "code", "unavailable"),
    [
        ("failed to find any endorsing peers for org(s): HospitalMSP", None, "UNAVAILABLE", True),
        ("no peers available to evaluate chaincode ehr", None, "UNAVAILABLE", True),
        ("connection refused", HOSPITAL, "UNAVAILABLE", True),
        ("connection refused", CLINIC, "UNAVAILABLE", False),
        ("something else", HOSPITAL, "INTERNAL", False),
    ],
)
def test_a_holders_peer_that_is_down_is_said_so(
    message: str, msp_id: str | None, code: str, unavailable: bool
) -> None:
    details = [ErrorDetail(address="peer:1", msp_id=msp_id, message=message)] if msp_id else []
    error = EvaluateError(message, code=grpc.StatusCode[code], details=details)
    found = unavailable_holder(error, HOSPITAL)
    assert (found is not None) is unavailable
    if found is not None:
        assert "no peer of HospitalMSP answers" in str(found)
    assert unavailable_holder(error, None) is None
