"""What only a network can show of the rows of the rules, the matrix, and the model by the dozen.

The contract is called by hand, with JSON; its clients have tests of their own (test_ehr.py).
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ehr_matrix
from integration.conftest import Consortium
from integration.handmade import propose
from medfab_gateway import AsyncContract
from medfab_gateway._retry_options import RetryOptions
from medfab_gateway.errors import EvaluateError, GatewayError
from unit.chaincode.ehr_cases import record_labels, requests, terms
from unit.chaincode.ehr_ledger import (
    CLINIC,
    DAY,
    HOLDER_ENDORSES,
    HOSPITAL,
    LAB,
    NOW,
    SALT,
    ask,
    permit,
    record,
)
from unit.chaincode.ehr_model import Asker, Entry, Model

pytestmark = pytest.mark.integration

CHANNEL, CHAINCODE = "care", "ehr"
RETRY = RetryOptions(
    chaincode_codes=frozenset({"DATA_UNAVAILABLE", "NOT_FOUND", "NOT_REGISTERED"}),
    different_answers=True,
)


@dataclass(kw_only=True)
class Client:
    """Somebody with a certificate of the network."""

    consortium: Consortium
    contract: AsyncContract
    msp_id: str

    async def submit(self, function: str, *args: str, **transient: Any) -> Any:
        holder = [self.msp_id] if function in HOLDER_ENDORSES else None
        answer = await self.contract.submit(
            function,
            *args,
            transient=_encoded(transient),
            endorsing_organizations=holder,
            retry=RETRY,
        )
        await self.consortium.level(CHANNEL)
        return json.loads(answer) if answer else None

    async def evaluate(
        self, function: str, *args: str, at: str | None = None, **transient: Any
    ) -> Any:
        answer = await self.contract.evaluate(
            function, *args, transient=_encoded(transient),
            target_organizations=[at or self.msp_id],
        )  # fmt: skip
        return json.loads(answer)


def _encoded(transient: dict[str, Any]) -> dict[str, bytes]:
    return {name: json.dumps(value).encode() for name, value in transient.items()}


async def client(consortium: Consortium, org: str, role: str, name: str, **more: str) -> Client:
    subject = {"patient": "medfab.patient", "representative": "medfab.representative"}
    attributes = {
        "medfab.role": role,
        subject.get(role, "medfab.practitioner"): name,
        **{f"medfab.{key}": value for key, value in more.items()},
    }
    user = await consortium.enrol_user(org, role=role, attributes=attributes)
    contract = await consortium.contract(org, user, CHANNEL, CHAINCODE)
    return Client(consortium=consortium, contract=contract, msp_id=consortium.msp_id(org))


@dataclass(kw_only=True)
class Scene:
    """A new patient of the hospital, with the laboratory record that everything is about."""

    consortium: Consortium
    pid: str
    patient: Client
    filer: Client
    asker: Client

    async def read(self, request_id: str, *, by: Client | None = None) -> Any:
        reader = by or self.asker
        return await reader.evaluate("ReadRecords", self.pid, request_id, HOSPITAL, at=HOSPITAL)


@pytest.fixture
async def scene(consortium: Consortium) -> Scene:
    return await new_scene(consortium, [LAB])


async def new_scene(consortium: Consortium, items: list[dict[str, Any]]) -> Scene:
    pid = secrets.token_hex(16)
    scene = Scene(
        consortium=consortium,
        pid=pid,
        patient=await client(consortium, "hospital", "patient", pid),
        filer=await client(consortium, "hospital", "practitioner", "dr-hill"),
        asker=await client(
            consortium, "clinic", "practitioner", "dr-cole", functions="physician,emergency"
        ),
    )
    await scene.patient.submit("RegisterPatient")
    await scene.filer.submit("FileRecords", pid, records={"items": items})
    return scene


def now() -> int:
    return time.time_ns() // 1_000_000


def code_of(error: GatewayError) -> str | None:
    return error.chaincode.code if error.chaincode else None


async def test_every_role_tries_every_function(consortium: Consortium) -> None:
    outcomes: dict[tuple[str, str], bool] = {}
    metadata: bytes | None = None
    for role in ehr_matrix.ROLES:
        user = await consortium.enrol_user(
            "hospital", role=role.role or "nobody", attributes=role.attributes
        )
        contract = await consortium.contract("hospital", user, CHANNEL, CHAINCODE)
        if metadata is None:
            metadata = await contract.evaluate("org.hyperledger.fabric:GetMetadata")
        for call in ehr_matrix.calls(metadata.decode()):
            code: str | None = None
            try:
                await contract.evaluate(call.function, *call.args, transient=call.transient)
            except EvaluateError as error:
                code = code_of(error) or "no refusal of the contract"
            assert code not in ("INVALID_ARGUMENT", "no refusal of the contract"), call.function
            outcomes[call.function, role.name] = code != "ACCESS_DENIED"
    ehr_matrix.check(outcomes)
    ehr_matrix.check_page(outcomes)


async def test_c4_periods_hold_at_a_second_against_any_clock_of_the_client(scene: Scene) -> None:
    """The time is the proposal's: to the second before and after the end, and no further back."""
    end = now() + 120_000
    await scene.patient.submit("GrantConsent", consent=permit(not_after=end))

    async def decided(at: int) -> str:
        asked = {"request": json.dumps(ask()).encode()}
        minutes = (at - now()) / 60_000
        proposal = propose(
            scene.asker.contract, "RequestAccess", scene.pid, transient=asked, minutes=minutes
        )
        return str(json.loads((await proposal.endorse()).result)["decision"])

    # A moment passes between reading the clock and building the proposal: 900 ms are room for it.
    assert await decided(end - 1900) == "permit"
    assert await decided(end + 1000) == "deny"
    with pytest.raises(GatewayError, match="incorrect timestamp"):
        await decided(now() - 20 * 60_000)


async def test_c5_c10_after_a_revoke_nothing_is_released_and_the_key_is_stale(scene: Scene) -> None:
    key, pid = secrets.token_hex(16), scene.pid
    await scene.filer.submit("RotateKey", pid, key={"key_id": key, "salt": SALT})
    seal = {"key_id": key, "wrapped_key": "w"}
    sealed = record(5, "Observation", "laboratory", seal=seal)
    await scene.filer.submit("FileRecords", pid, records={"items": [sealed]})
    consent = (await scene.patient.submit("GrantConsent", consent=permit(now())))["consent_id"]
    asked = await scene.asker.submit("RequestAccess", pid, request=ask())
    wrap = {"key_id": key, "recipient": "d" * 64, "sealed": "x", "salt": SALT}
    await scene.filer.submit("PutKeyWrap", pid, asked["request_id"], wrap=wrap)
    released = await scene.read(asked["request_id"])
    assert (len(released["records"]), released["wrap"]) == (2, wrap)
    await scene.patient.submit("RevokeConsent", consent)
    with pytest.raises(EvaluateError) as caught:
        await scene.read(asked["request_id"])
    assert code_of(caught.value) == "CONSENT_REVOKED"
    another = record(6, "Observation", "laboratory", seal=seal)
    with pytest.raises(GatewayError) as refusal:
        await scene.filer.submit("FileRecords", pid, records={"items": [another]})
    assert code_of(refusal.value) == "STALE_KEY"


async def test_c7_break_glass_works_where_the_requesters_peer_holds_nothing(scene: Scene) -> None:
    emergency = {"reason": "found unconscious", "salt": SALT}
    broken = await scene.asker.submit("BreakGlass", scene.pid, emergency=emergency)
    assert len((await scene.read(broken["request_id"]))["records"]) == 1
    args = (scene.pid, broken["request_id"], HOSPITAL)
    with pytest.raises(EvaluateError) as caught:
        await scene.asker.evaluate("ReadRecords", *args, at=CLINIC)
    assert code_of(caught.value) == "DATA_UNAVAILABLE"
    auditor = await client(scene.consortium, "regulator", "auditor", "ms-gray")
    note = {"text": "justified", "salt": SALT}
    review = await auditor.submit("CloseReview", scene.pid, broken["request_id"], note=note)
    assert review == {"status": "closed"}


async def test_e1_erased_on_every_peer_and_the_skeleton_verifies(scene: Scene) -> None:
    pid = scene.pid
    await scene.patient.submit("GrantConsent", consent=permit(now()))
    permit_id = (await scene.asker.submit("RequestAccess", pid, request=ask()))["request_id"]
    changed = {**LAB, "base_version": 1, "reason": "wrong unit"}
    await scene.filer.submit("AmendRecords", pid, amendments={"items": [changed]})
    auditor = await client(scene.consortium, "regulator", "auditor", "ms-gray")
    note = {"text": "lawsuit", "salt": SALT}
    hold = (await auditor.submit("PlaceHold", pid, note=note))["hold_id"]
    with pytest.raises(GatewayError) as refusal:  # E2
        await scene.patient.submit("RequestErasure")
    assert code_of(refusal.value) == "LEGAL_HOLD"
    await auditor.submit("ReleaseHold", pid, hold, note=note)

    await scene.patient.submit("RequestErasure")
    left = await scene.filer.evaluate("ListErasable", pid)
    assert [(each["id"], each["version"]) for each in left["records"]] == [(LAB["id"], 2)]
    await scene.filer.submit("EraseRecords", pid, records={**left, "last": True, "salt": SALT})
    await scene.filer.submit("ConfirmErasure", pid, destroyed={"documents": 0, "salt": SALT})
    done = await scene.patient.submit("CompleteErasure", pid)
    assert done == {"status": "erased", "remaining": 0}

    for msp_id in (HOSPITAL, CLINIC, "RegulatorMSP"):
        certificate = await auditor.evaluate("ReadErasure", pid, at=msp_id)
        assert certificate["status"] == "erased"
        assert certificate["verified"]
        log = await auditor.evaluate("ReadLog", pid, "0", str(now() + DAY), at=msp_id)
        assert {"consent-granted", "access-permitted", "erasure-completed"} <= {
            row["kind"] for row in log
        }
    with pytest.raises(EvaluateError) as caught:
        await scene.read(permit_id)
    assert code_of(caught.value) == "ERASED"
    assert (await scene.asker.submit("RequestAccess", pid, request=ask()))["decision"] == "deny"


# --- the model, by the dozen ---------------------------------------------------------------------


@settings(
    max_examples=12, deadline=None, database=None, suppress_health_check=[*HealthCheck],
    derandomize=True,
)  # fmt: skip
@given(labels=record_labels(), data=st.data())
async def test_against_the_model(
    consortium: Consortium, labels: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Grant, ask, read, revoke, ask, read: every answer is the model's."""
    items = [record(n, labels=each) for n, each in enumerate(labels, start=16)]
    scene, model = await new_scene(consortium, items), Model()
    for _ in range(data.draw(st.integers(1, 3))):
        wanted = _moved(data.draw(terms()))
        try:
            granted = await scene.patient.submit("GrantConsent", consent=wanted)
        except GatewayError as error:
            SEEN.add(f"refused: {code_of(error)}")
            continue
        model.consents[granted["consent_id"]] = Entry(wanted)
    await _compare(scene, model, labels, data)
    active = sorted(model.consents)
    if active:
        gone = data.draw(st.sampled_from(active))
        await scene.patient.submit("RevokeConsent", gone)
        model.consents[gone].active = False
        await _compare(scene, model, labels, data)


async def _compare(
    scene: Scene, model: Model, labels: list[dict[str, Any]], data: st.DataObject
) -> None:
    request = data.draw(requests())
    asker = Asker(CLINIC, "dr-cole", ("physician", "emergency"))
    answer = await scene.asker.submit("RequestAccess", scene.pid, request=request)
    wanted = model.decide(request, asker, now())
    assert answer["decision"] == ("deny" if wanted is None else "permit")
    SEEN.add(answer["decision"])
    if wanted is None:
        return
    released = await scene.read(answer["request_id"])
    out = {int(each["id"], 16) - 16 for each in released["records"]}
    expected = {n for n, each in enumerate(labels) if model.releases(wanted, each, now())}
    assert out == expected
    SEEN.add("released" if out else "withheld")


def _moved(consent: dict[str, Any]) -> dict[str, Any]:
    """The same consent around this moment, with a second stretched to an hour."""
    began = now()

    def moved(time_: int | None) -> int | None:
        return None if time_ is None else began + min((time_ - NOW) * 3600, 10 * DAY)

    def rule(found: dict[str, Any]) -> dict[str, Any]:
        times: dict[str, Any] = {
            name: moved(found[name]) for name in ("not_before", "not_after") if name in found
        }
        return {**found, **times}

    exceptions = [{**each, "rule": rule(each["rule"])} for each in consent["exceptions"]]
    return {**consent, "rule": rule(consent["rule"]), "exceptions": exceptions}


SEEN: set[str] = set()


def test_the_model_has_seen_every_outcome() -> None:
    assert {"permit", "deny", "released"} <= SEEN
    refused = {each for each in SEEN if each.startswith("refused")}
    assert refused <= {"refused: DUPLICATE_CONSENT", "refused: INVALID_ARGUMENT"}
