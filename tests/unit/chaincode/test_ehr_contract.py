"""The contract and its clients together, on a ledger in memory."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from medfab_chaincode import Stub
from medfab_chaincode._router import Router
from medfab_chaincode.ehr import EhrContract, _records
from medfab_chaincode.testing import Collection, Ledger, majority_of
from medfab_gateway.ehr import (
    AsyncPatient,
    AsyncPractitioner,
    AsyncProvider,
    ConsentType,
    ConsentVersion,
    FilingKey,
    FilingProgress,
    Purpose,
    example_bundle,
    load_bundle,
    phi_values,
)
from medfab_gateway.errors import EndorseError
from unit.chaincode.ehr_people import Caller, patient, practitioner

PATIENT = "00112233445566778899aabbccddeeff"
KEY = FilingKey(bytes(range(32)))
HOSPITAL, CLINIC, INSURER = "HospitalMSP", "ClinicMSP", "InsurerMSP"
ORGANIZATIONS = [HOSPITAL, CLINIC, INSURER]
TIMESTAMP = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@pytest.fixture
def ledger() -> Ledger:
    """As `medfab_network` deploys the contract, with everyone a custodian."""
    majority = majority_of(*ORGANIZATIONS)
    consents = Collection(name="consents", members=ORGANIZATIONS, endorsement_policy=majority)
    ledger = Ledger(EhrContract, organizations=ORGANIZATIONS, collections=[consents])
    ledger.now = TIMESTAMP
    return ledger


class World:
    """A hospital that holds records, a clinic that wants them, and the patient."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.filer = Caller(ledger, practitioner(HOSPITAL, "dr-hill"))
        self.asker = Caller(ledger, practitioner(CLINIC, "dr-cole"))
        self.self = Caller(ledger, patient(HOSPITAL, PATIENT))
        self.provider = AsyncProvider(self.filer.contract, msp_id=HOSPITAL, filing_key=KEY)
        self.practitioner = AsyncPractitioner(self.asker.contract, custodians=[HOSPITAL, CLINIC])
        self.patient = AsyncPatient(self.self.contract, custodians=[HOSPITAL, CLINIC])

    async def permit(
        self,
        *,
        categories: tuple[str, ...] = ("laboratory",),
        resource_types: tuple[str, ...] = (),
        days: int = 30,
    ) -> ConsentVersion:
        return await self.patient.grant(
            grantee_msp=CLINIC,
            purposes=[Purpose.TREATMENT],
            categories=categories,
            resource_types=resource_types,
            not_after=TIMESTAMP + timedelta(days=days),
        )

    def private(self) -> Mapping[tuple[str, str], bytes]:
        """(collection, key) → value, of all collections at all peers."""
        collections = ["consents", *(f"_implicit_org_{msp_id}" for msp_id in ORGANIZATIONS)]
        return {
            (collection, key): value
            for collection in collections
            for msp_id in ORGANIZATIONS
            for key, value in self.ledger.private(collection, msp_id).items()
        }


@pytest.fixture
async def world(ledger: Ledger) -> World:
    world = World(ledger)
    await world.patient.register()
    await world.provider.file_bundle(PATIENT, example_bundle())
    return world


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(EndorseError) as caught:
        yield
    assert caught.value.chaincode is not None
    assert caught.value.chaincode.code == code


async def test_the_whole_story(world: World) -> None:
    ask = {"purpose": Purpose.TREATMENT, "categories": ["laboratory"]}
    denied = await world.practitioner.request_access(PATIENT, **ask)  # type: ignore[arg-type]
    assert (denied.permitted, denied.reason, denied.expires_at) == (False, "no-consent", None)

    consent = await world.permit()
    permit = await world.practitioner.request_access(PATIENT, **ask)  # type: ignore[arg-type]
    assert permit.permitted
    assert permit.expires_at == TIMESTAMP + timedelta(hours=1)
    result = await world.practitioner.read(permit, holder_msp=HOSPITAL)
    assert world.asker.organizations == [HOSPITAL]
    kinds = sorted(json.loads(text)["resourceType"] for text in result.resources)
    assert kinds == ["DiagnosticReport"] + ["Observation"] * 4
    assert result.withheld == 8
    assert any('"value":1.00,' in text for text in result.resources), "a decimal lost digits"

    assert (await world.patient.revoke(consent.consent_id)).version == 2
    with refused("CONSENT_REVOKED"):
        await world.practitioner.read(permit, holder_msp=HOSPITAL)

    accesses = await world.patient.accesses()
    assert sorted(access.permitted for access in accesses) == [False, True]
    assert {access.practitioner for access in accesses} == {"dr-cole"}
    assert {access.requester_msp for access in accesses} == {CLINIC}
    assert {access.purpose for access in accesses} == {Purpose.TREATMENT}
    (listed,) = await world.patient.consents()
    assert (listed.consent_id, listed.status, listed.version) == (consent.consent_id, "revoked", 2)
    assert listed.not_after == TIMESTAMP + timedelta(days=30)


async def test_nothing_private_is_public(world: World) -> None:
    """Public state, answers and keys: no value of the bundle, no term of a consent."""
    public: list[bytes] = []
    consent = await world.permit()
    public.append(world.self.last.result)  # type: ignore[union-attr]
    await world.practitioner.request_access(
        PATIENT, purpose="TREAT", categories=["laboratory"], resource_types=["Observation"]
    )
    public.append(world.asker.last.result)  # type: ignore[union-attr]
    await world.patient.revoke(consent.consent_id)
    await world.provider.file_bundle(PATIENT, example_bundle())
    public.append(world.filer.last.result)  # type: ignore[union-attr]
    public += (key.encode() for _, key in world.private())
    for key, value in world.ledger.state().items():
        public += (key.encode(), value)
    text = b"\n".join(public).decode()
    for phi in phi_values(load_bundle(example_bundle())):
        if len(phi.value) >= 5:
            assert phi.value not in text
    for secret in ("TREAT", "laboratory", "Observation", "dr-cole", "deny-", CLINIC + '","prac'):
        assert secret not in text


async def test_filing_writes_to_the_filers_collection_only(world: World) -> None:
    result = await world.provider.file_bundle(PATIENT, example_bundle())
    assert (result.filed, result.unchanged, result.transactions) == (0, 13, 1)
    assert world.filer.organizations == [HOSPITAL]
    assert world.filer.last is not None
    # Never without a write: the chaincode's policy would apply, not the collection's.
    assert not world.filer.last.writes
    assert list(world.filer.last.private_writes) == [f"_implicit_org_{HOSPITAL}"]
    assert json.loads(world.filer.last.result) == {"filed": 0, "unchanged": 13}


async def test_filing_never_overwrites(world: World) -> None:
    before = world.ledger.height, world.private()
    changed = example_bundle().replace(b"151.70", b"151.7")
    assert changed != example_bundle()
    with refused("CONFLICT"):
        await world.provider.file_bundle(PATIENT, changed)
    assert (world.ledger.height, world.private()) == before


async def test_a_large_bundle_is_split(ledger: Ledger) -> None:
    world = World(ledger)
    await world.patient.register()
    bundle = json.loads(example_bundle())
    weight = next(e for e in bundle["entry"] if "88.45" in json.dumps(e))
    for number in range(500):
        entry = json.loads(json.dumps(weight))
        entry["resource"]["id"] = f"copy-{number}"
        bundle["entry"].append(entry)
    seen: list[FilingProgress] = []
    result = await world.provider.file_bundle(
        PATIENT, json.dumps(bundle).encode(), progress=seen.append
    )
    assert (result.filed, result.unchanged, result.transactions) == (513, 0, 3)
    assert [step.transactions for step in seen] == [1, 2, 3]
    assert (seen[-1].records, seen[-1].of_records, seen[-1].of_transactions) == (513, 513, 3)


async def test_filing_needs_a_registered_patient(ledger: Ledger) -> None:
    world = World(ledger)
    with refused("NOT_REGISTERED"):
        await world.provider.file_bundle(PATIENT, example_bundle())


async def test_a_patient_registers_once(world: World) -> None:
    with refused("ALREADY_REGISTERED"):
        await world.patient.register()


async def test_another_organisations_certificate_does_not_make_a_patient(world: World) -> None:
    """Every CA can write any pseudonym into a certificate."""
    forger = AsyncPatient(Caller(world.ledger, patient(INSURER, PATIENT)).contract)
    with refused("NOT_AUTHORISED"):
        await forger.accesses()
    with refused("NOT_AUTHORISED"):
        await forger.consents()
    with refused("NOT_AUTHORISED"):
        await forger.grant(
            grantee_msp=INSURER,
            purposes=["HPAYMT"],
            categories=["laboratory"],
            not_after=TIMESTAMP + timedelta(days=1),
        )
    consent = await world.permit()
    with refused("NOT_AUTHORISED"):
        await forger.revoke(consent.consent_id)


async def test_patients_see_their_own_only(world: World) -> None:
    await world.permit()
    other = AsyncPatient(Caller(world.ledger, patient(HOSPITAL, "f" * 32)).contract)
    with refused("NOT_REGISTERED"):
        await other.accesses()
    await other.register()
    assert await other.accesses() == ()
    assert await other.consents() == ()
    (consent,) = await world.patient.consents()
    with refused("NOT_FOUND"):
        await other.revoke(consent.consent_id)


def test_every_function_says_who_may_call_it() -> None:
    metadata = json.loads(Router([EhrContract()]).metadata)
    for transaction in metadata["contracts"]["ehr"]["transactions"]:
        role, name = transaction["access"]
        assert (role["kind"], role["name"]) == ("attribute", "medfab.role")
        assert name["name"] == f"medfab.{role['values'][0]}"


@pytest.mark.parametrize(
    "function", ["RegisterPatient", "GrantConsent", "RevokeConsent", "ListConsents", "ListAccess"]
)
async def test_what_only_patients_may(world: World, function: str) -> None:
    args = ["0" * 64] if function == "RevokeConsent" else []
    with refused("ACCESS_DENIED"):
        await world.filer.submit(function, *args)


@pytest.mark.parametrize("function", ["FileRecords", "RequestAccess", "ReadRecords"])
async def test_what_only_practitioners_may(world: World, function: str) -> None:
    args = ["0" * 64, HOSPITAL] if function == "ReadRecords" else []
    with refused("ACCESS_DENIED"):
        await world.self.submit(function, PATIENT, *args)


async def test_a_permit_is_its_requesters_alone(world: World) -> None:
    await world.permit()
    permit = await world.practitioner.request_access(
        PATIENT, purpose="TREAT", categories=["laboratory"]
    )
    for thief in (
        practitioner(CLINIC, "dr-else"),
        practitioner(INSURER, "dr-cole"),
        # The same client id under another MSP: names of CAs are anybody's choice.
        practitioner(INSURER, "dr-cole", issuer=f"ca.{CLINIC}"),
    ):
        with refused("NOT_PERMITTED"):
            await AsyncPractitioner(Caller(world.ledger, thief).contract).read(
                permit, holder_msp=HOSPITAL
            )


async def test_a_denial_and_an_unknown_id_are_refused_alike(world: World) -> None:
    denial = await world.practitioner.request_access(
        PATIENT, purpose="TREAT", categories=["laboratory"]
    )
    with refused("NOT_PERMITTED"):
        await world.practitioner.read(denial, holder_msp=HOSPITAL)
    with refused("NOT_PERMITTED"):
        await world.asker.evaluate("ReadRecords", PATIENT, "0" * 64, HOSPITAL)


async def test_a_permit_ends_to_the_millisecond(world: World) -> None:
    await world.permit()
    permit = await world.practitioner.request_access(
        PATIENT, purpose="TREAT", categories=["laboratory"]
    )
    world.ledger.now = TIMESTAMP + timedelta(hours=1, milliseconds=-1)
    await world.practitioner.read(permit, holder_msp=HOSPITAL)
    world.ledger.now = TIMESTAMP + timedelta(hours=1)
    with refused("PERMIT_EXPIRED"):
        await world.practitioner.read(permit, holder_msp=HOSPITAL)


async def test_a_deny_after_the_permit_works_at_once(world: World) -> None:
    await world.permit(categories=("laboratory", "vital-signs"))
    permit = await world.practitioner.request_access(
        PATIENT, purpose="TREAT", categories=["laboratory", "vital-signs"]
    )
    assert (await world.practitioner.read(permit, holder_msp=HOSPITAL)).withheld == 6
    await world.patient.grant(
        type=ConsentType.DENY,
        grantee_msp=None,
        purposes=[],
        resource_types=["DiagnosticReport"],
        not_after=None,
    )
    assert (await world.practitioner.read(permit, holder_msp=HOSPITAL)).withheld == 7
    await world.patient.grant(
        type=ConsentType.DENY, grantee_msp=CLINIC, purposes=[], not_after=None
    )
    with refused("CONSENT_REVOKED"):
        await world.practitioner.read(permit, holder_msp=HOSPITAL)
    refusal = await world.practitioner.request_access(
        PATIENT, purpose="TREAT", categories=["laboratory"]
    )
    assert refusal.reason == "no-consent"  # what the channel may know
    assert "denied-by-patient" in {access.reason for access in await world.patient.accesses()}


async def test_the_requester_cannot_guess_the_exact_reason_from_its_hash(world: World) -> None:
    await world.permit()
    await world.patient.grant(
        type=ConsentType.DENY, grantee_msp=CLINIC, purposes=[], not_after=None
    )
    request = {
        "purpose": "TREAT", "categories": ["laboratory"], "resource_types": [], "salt": "0" * 32
    }  # fmt: skip
    await world.asker.submit(
        "RequestAccess", PATIENT, transient={"request": json.dumps(request).encode()}
    )
    assert world.asker.last is not None
    (written,) = (
        json.loads(value)
        for value in world.asker.last.private_writes["consents"].values()
        if value is not None
    )
    assert written["reason"] == "denied-by-patient"
    assert written["request"] == request
    # All that is left to know is a salt, and it is made of what only custodians hold.
    terms = [
        json.loads(value)
        for (collection, key), value in world.private().items()
        if collection == "consents" and "consent" in key
    ]
    salts = ["0" * 32, *sorted(term["salt"] for term in terms)]
    assert len(salts) == 3
    assert written["salt"] == hashlib.sha256("/".join(salts).encode()).hexdigest()


async def test_a_revoked_consent_ends_the_permit_though_another_would_do(world: World) -> None:
    consent = await world.permit()
    permit = await world.practitioner.request_access(
        PATIENT, purpose="TREAT", categories=["laboratory"]
    )
    await world.permit(categories=("laboratory", "vital-signs"))
    await world.practitioner.read(permit, holder_msp=HOSPITAL)
    await world.patient.revoke(consent.consent_id)
    with refused("CONSENT_REVOKED"):
        await world.practitioner.read(permit, holder_msp=HOSPITAL)


async def test_a_repeated_grant_is_refused_until_the_first_is_revoked(world: World) -> None:
    first = await world.permit(days=30)
    with refused("DUPLICATE_CONSENT"):
        await world.permit(days=60)
    await world.permit(categories=("vital-signs",))
    await world.patient.revoke(first.consent_id)
    with refused("ALREADY_REVOKED"):
        await world.patient.revoke(first.consent_id)
    await world.permit(days=60)


async def test_an_unregistered_patient_is_answered_like_one_without_consent(world: World) -> None:
    decision = await world.practitioner.request_access(
        "e" * 32, purpose="TREAT", categories=["laboratory"]
    )
    assert decision.reason == "no-consent"


async def test_a_holder_without_records_and_a_peer_without_the_data(world: World) -> None:
    await world.permit()
    permit = await world.practitioner.request_access(
        PATIENT, purpose="TREAT", categories=["laboratory"]
    )
    with refused("NO_RECORDS"):
        await world.practitioner.read(permit, holder_msp=INSURER)
    missing = Stub.create_composite_key("access", [PATIENT, permit.request_id])
    world.ledger.forget("consents", missing, HOSPITAL)
    with refused("DATA_UNAVAILABLE"):
        await world.practitioner.read(permit, holder_msp=HOSPITAL)
    with refused("DATA_UNAVAILABLE"):
        await world.patient.accesses()


@pytest.mark.parametrize(
    "change",
    [
        {"purposes": []},
        {"grantee_msp": None},
        {"not_after": None},
        {"categories": []},
        {"not_after": TIMESTAMP},
        {"not_before": TIMESTAMP + timedelta(days=2)},
        {"purposes": ["BTG"]},
        {"categories": ["laboratory", "laboratory"]},
        {"categories": ["a lab"]},
        {"not_before": datetime(1969, 12, 31, tzinfo=UTC)},
    ],
)
async def test_a_permit_needs_its_parts(world: World, change: dict[str, object]) -> None:
    grant: dict[str, object] = {
        "grantee_msp": CLINIC,
        "purposes": ["TREAT"],
        "categories": ["laboratory"],
        "not_after": TIMESTAMP + timedelta(days=1),
    }
    with refused("INVALID_ARGUMENT"):
        await world.patient.grant(**(grant | change))  # type: ignore[arg-type]


async def test_a_time_beyond_all_calendars_is_refused(world: World) -> None:
    """It would be kept, and no client could list the patient's consents any more."""
    terms = {
        "type": "deny", "purposes": [], "categories": [], "resource_types": [],
        "not_after": 253_402_300_800_000, "salt": "0" * 32,
    }  # fmt: skip
    with refused("INVALID_ARGUMENT"):
        await world.self.submit("GrantConsent", transient={"consent": json.dumps(terms).encode()})
    terms["not_after"] = 253_402_300_799_999
    await world.self.submit("GrantConsent", transient={"consent": json.dumps(terms).encode()})
    (consent,) = await world.patient.consents()
    assert consent.not_after is not None
    assert consent.not_after.year == 9999


async def test_a_record_is_never_too_large_to_be_read(world: World) -> None:
    """A hundred records, a peer's batch, must fit into one message of 100 MiB."""

    def records(size: int) -> dict[str, bytes]:
        item = {
            "id": f"{size:064x}",
            "labels": {"resource_type": "Binary", "categories": [], "security": []},
            "resource": "x" * size,
            "salt": "0" * 32,
        }
        return {"records": json.dumps({"items": [item]}).encode()}

    with refused("INVALID_ARGUMENT"):
        await world.filer.submit("FileRecords", PATIENT, transient=records(1_000_000))
    await world.filer.submit("FileRecords", PATIENT, transient=records(999_000))
    largest = max(len(value) for value in world.private().values())
    assert 999_000 < largest <= 1_000_000


async def test_more_than_one_answer_holds_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.permit()
    permit = await world.practitioner.request_access(
        PATIENT, purpose="TREAT", categories=["laboratory"]
    )
    monkeypatch.setattr(_records, "MAX_RELEASED_BYTES", 3000)
    with refused("TOO_LARGE"):
        await world.practitioner.read(permit, holder_msp=HOSPITAL)


async def test_a_submit_never_asks_for_a_private_range(world: World) -> None:
    """Fabric forbids it beside writes, and answers nothing on a peer without the data."""
    await world.permit()
    await world.practitioner.request_access(PATIENT, purpose="TREAT", categories=["laboratory"])
    # The ledger refuses such a mixture, as a peer does: that it went through is the proof.
    assert world.asker.last is not None
    assert len(world.asker.last.writes) == 1
    assert list(world.asker.last.private_writes) == ["consents"]
