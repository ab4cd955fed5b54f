"""The eighteen defects of the ten public projects of this kind, each tried here.

Two of them are about the network and the repository rather than the contract; of those that only a
network can show, tests/integration/test_ehr_rows.py has the other half.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import medfab_chaincode.ehr
from medfab_chaincode._check import check_modules
from medfab_chaincode._router import Router
from medfab_chaincode.ehr import EhrContract
from medfab_network import load_topology
from medfab_network._deploy import collections
from unit.chaincode.ehr_ledger import (
    CLINIC,
    HOSPITAL,
    LAB,
    PATIENT,
    REGULATOR,
    SALT,
    VITAL,
    Person,
    World,
    ask,
    permit,
    person,
    record,
    refused,
)

METADATA = json.loads(Router([EhrContract()]).metadata)["contracts"]["ehr"]["transactions"]


@pytest.fixture
async def world() -> World:
    world = World()
    await world.register()
    await world.file(LAB, VITAL)
    return world


def test_no_identity_check_at_all() -> None:
    for transaction in METADATA:
        rules = transaction["access"]
        assert rules, transaction["name"]
        assert (rules[0]["kind"], rules[0]["name"]) == ("attribute", "medfab.role")
        assert rules[0]["values"], "a role without a name would be anybody's"


async def test_requester_passed_as_an_argument(world: World) -> None:
    """No function takes who calls; `patient` is whom it is about, checked against the ledger."""
    names = {
        parameter["name"]
        for transaction in METADATA
        for parameter in transaction.get("parameters", [])
    }
    given = names | {
        entry["name"] for transaction in METADATA for entry in transaction.get("transient", [])
    }
    assert not given & {"requester", "practitioner", "caller", "user", "doctor", "owner", "role"}
    await world.grant(recipients=[{"msp_id": CLINIC, "practitioner": "dr-else"}])
    with refused("INVALID_ARGUMENT"):
        await world.asker.submit("RequestAccess", PATIENT, "dr-else", request=ask())
    assert (await world.ask())["decision"] == "deny"


async def test_name_birth_date_and_results_in_public_state(world: World) -> None:
    secret = '{"name":"Zebulon","birthDate":"1931-07-09","value":151.70}'
    await world.file(record(7, "Patient", resource=secret))
    state = b"\n".join(
        part for key, value in world.ledger.state().items() for part in (key.encode(), value)
    )
    for word in (b"Zebulon", b"1931-07-09", b"151.70", b"Observation", b"laboratory"):
        assert word not in state


async def test_phi_in_events(world: World) -> None:
    await world.grant()
    await world.ask()
    assert world.ledger.events
    for event in world.ledger.events:
        told = json.loads(event.payload)
        assert set(told) == {"kind", "patient", "id", "at"}
        assert told["kind"] == event.name


def test_phi_in_arguments_instead_of_transient() -> None:
    """Arguments are ids, organisations, times, choices; whatever tells something is transient."""
    allowed = {
        "patient", "consent_id", "request_id", "record_id", "review_id", "alert_id", "hold_id",
        "appointment_id", "case_id", "proposal_id", "recovery_id", "holder_msp", "offender_msp",
        "msp_ids", "answer", "action", "vote", "since", "until",
    }  # fmt: skip
    for transaction in METADATA:
        names = {each["name"] for each in transaction.get("parameters", [])}
        assert names <= allowed, transaction["name"]


async def test_generic_query_or_history_function_that_bypasses_consent(world: World) -> None:
    names = {transaction["name"] for transaction in METADATA}
    assert not {name for name in names if "Query" in name or "GetAll" in name or "History" in name
                } - {"ReadRecordHistory"}  # fmt: skip
    with refused("NOT_PERMITTED"):
        await world.asker.evaluate(
            "ReadRecordHistory", PATIENT, "0" * 64, HOSPITAL, LAB["id"], at=HOSPITAL
        )
    await world.grant()
    permit_id = (await world.ask())["request_id"]
    args = (PATIENT, permit_id, HOSPITAL)
    assert await world.asker.evaluate("ReadRecordHistory", *args, LAB["id"], at=HOSPITAL)
    with refused("NOT_FOUND"):  # on file, but not permitted
        await world.asker.evaluate("ReadRecordHistory", *args, VITAL["id"], at=HOSPITAL)


async def test_any_patient_reads_any_patient(world: World) -> None:
    other = person(world.ledger, HOSPITAL, "patient", "f" * 32)
    await other.submit("RegisterPatient")
    own = await other.submit("RequestOwnAccess", request={"purpose": "PATRQT", "salt": SALT})
    with refused("NOT_PERMITTED"):
        await world.read(own["request_id"], by=other)
    assert await other.evaluate("ListConsents") == []
    consent = await world.grant()
    for function in ("ReadConsent", "RevokeConsent"):
        with refused("NOT_FOUND"):
            await other.submit(function, consent)
    with refused("NOT_AUTHORISED"):
        await other.evaluate("ReadLog", PATIENT, "0", "5")
    with refused("NOT_AUTHORISED"):
        acting = {"patient": PATIENT, "appointment_id": "0" * 64}
        await other.evaluate("ListAccess", acting=acting)


async def test_create_overwrites(world: World) -> None:
    held = world.ledger.private(f"_implicit_org_{HOSPITAL}", HOSPITAL)
    changed = {**LAB, "resource": "{}"}
    with refused("CONFLICT"):
        await world.file(record(8), changed)
    assert world.ledger.private(f"_implicit_org_{HOSPITAL}", HOSPITAL) == held
    assert await world.file(LAB) == {"filed": 0, "unchanged": 1}
    # What may change keeps what was.
    amendment = {**changed, "base_version": 1, "reason": "typing error"}
    await world.filer.submit("AmendRecords", PATIENT, amendments={"items": [amendment]})
    with refused("CONFLICT"):
        await world.filer.submit("AmendRecords", PATIENT, amendments={"items": [amendment]})
    await world.grant()
    permit_id = (await world.ask())["request_id"]
    versions = await world.asker.evaluate(
        "ReadRecordHistory", PATIENT, permit_id, HOSPITAL, LAB["id"], at=HOSPITAL
    )
    assert [(each["version"], each["status"], each["reason"]) for each in versions] == [
        (1, "superseded", None), (2, "current", "typing error"),
    ]  # fmt: skip
    assert versions[0]["resource"] == LAB["resource"]


async def test_duplicate_grants_defeat_revoke(world: World) -> None:
    consent = await world.grant()
    for same in (permit(not_before=5), permit(categories=["laboratory"], source="x")):
        with refused("DUPLICATE_CONSENT"):
            await world.patient.submit("GrantConsent", consent=same)
    await world.patient.submit("RevokeConsent", consent)
    assert (await world.ask())["decision"] == "deny"


async def test_reads_not_audited(world: World) -> None:
    """Nobody reads without a committed decision, and the patient sees each of them."""
    await world.grant()
    permit_id = (await world.ask())["request_id"]
    await world.read(permit_id)
    (row,) = await world.patient.evaluate("ListAccess")
    assert (row["request_id"], row["practitioner"]) == (permit_id, "dr-cole")
    readers = {"ReadRecords", "ReadRecordHistory"}
    for transaction in METADATA:
        if transaction["name"] in readers:
            assert "request_id" in {each["name"] for each in transaction.get("parameters", [])}


async def test_no_expiry(world: World) -> None:
    with refused("INVALID_ARGUMENT"):
        await world.grant(not_after=None)
    await world.grant(not_after=world.now + 400 * 24 * 3_600_000)
    answer = await world.ask()
    assert answer["expires_at"] == world.now + 3_600_000
    world.pass_time(3_600_000)
    with refused("PERMIT_EXPIRED"):
        await world.read(answer["request_id"])


def test_wall_clock_or_random_inside_the_contract() -> None:
    """`medfab-chaincode check`; and package-level counters, which it finds as well."""
    assert check_modules([medfab_chaincode.ehr.__name__]) == []


async def test_package_level_counters(world: World) -> None:
    """Each organisation's instance has seen other calls before, and they still agree."""
    for _ in range(3):
        await world.asker.ledger.evaluate(
            "ListHolders", caller=world.patient.identity, target_organizations=[HOSPITAL]
        )
    await world.grant()
    assert (await world.ask())["decision"] == "permit"
    assert not vars(EhrContract())


async def test_one_hot_key_for_all_permissions(world: World) -> None:
    """Grants, requests and reads about several patients, and about one, go into one block."""
    other = person(world.ledger, HOSPITAL, "patient", "f" * 32)
    await other.submit("RegisterPatient")
    block = [
        await world.patient.endorse("GrantConsent", consent=permit()),
        await other.endorse("GrantConsent", consent=permit()),
    ]
    assert world.ledger.commit(*block) == ("VALID", "VALID")
    block = [
        await who.endorse("RequestAccess", pid, request=ask())
        for who in (world.asker, world.rescuer, world.asker)
        for pid in (PATIENT, "f" * 32)
    ]
    assert world.ledger.commit(*block) == ("VALID",) * 6
    keys = {key for transaction in block for key in transaction.writes}
    assert len(keys) == 12, "each writes keys of its own"


async def test_unauthenticated_delete_all(world: World) -> None:
    everybody = [
        world.asker, world.filer, world.auditor, world.officer, world.registrar,
        person(world.ledger, CLINIC, "patient", PATIENT),
        person(world.ledger, HOSPITAL, "representative", "x"),
        person(world.ledger, REGULATOR, "administrator"),
    ]  # fmt: skip
    for who in everybody:
        with pytest.raises(Exception, match=r"ACCESS_DENIED|NOT_AUTHORISED"):
            await who.submit("RequestErasure")
    portion = {"records": [{"id": LAB["id"], "version": 1}], "salt": SALT}
    with refused("NOT_FOUND"):  # the holder itself, without the patient's wish
        await world.filer.submit("EraseRecords", PATIENT, records=portion)


async def test_second_claim_overwrites_the_first(world: World) -> None:
    """Here: a second request, or consent, of the same person is one more, and changes no other."""
    await world.grant()
    first, second = await world.ask(), await world.ask()
    assert first["request_id"] != second["request_id"]
    rows = await world.patient.evaluate("ListAccess")
    assert {row["request_id"] for row in rows} == {first["request_id"], second["request_id"]}
    await world.read(first["request_id"])
    with refused("ALREADY_REGISTERED"):
        await world.patient.submit("RegisterPatient")


def test_collections_open_to_non_members_or_without_copies() -> None:
    """`memberOnlyRead` false, `requiredPeerCount` 0: what `medfab network` deploys has neither."""
    topology = load_topology(
        Path(__file__).parents[3] / "network/src/medfab_network/data/consortium.yaml"
    )
    (chaincode,) = (each for each in topology.chaincodes if each.name == "ehr")
    for collection in collections(chaincode, topology):
        assert collection["memberOnlyRead"]
        assert collection["memberOnlyWrite"]
        assert collection["requiredPeerCount"] > 0


def test_private_keys_committed() -> None:
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():
        pytest.skip("not a checkout")
    marker = "-----BEGIN " + "PRIVATE KEY-----"
    found = subprocess.run(
        ["git", "grep", "-lE", marker.replace(" PRIVATE", " (EC |RSA |ENCRYPTED )?PRIVATE")],
        cwd=root, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    assert [name for name in found if not name.endswith(".py")] == []


async def test_a_client_of_no_role_gets_nothing(world: World) -> None:
    nobody = Person(ledger=world.ledger, identity=person(world.ledger, CLINIC, "").identity)
    for transaction in METADATA:
        arguments = ["x" for _ in transaction.get("parameters", [])]
        with refused("ACCESS_DENIED"):
            await nobody.evaluate(transaction["name"], *arguments)
