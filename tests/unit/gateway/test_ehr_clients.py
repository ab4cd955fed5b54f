"""How the clients submit: order, concurrency, retries. (What they mean: test_ehr_contract.py.)"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import grpc
import pytest

import medfab_gateway.ehr
from medfab_gateway import CommitError, RetryOptions
from medfab_gateway._deadline import Deadline
from medfab_gateway._retry_async import with_retry
from medfab_gateway.ehr import (
    AccessDecision,
    AsyncPatient,
    AsyncPractitioner,
    AsyncProvider,
    FilingKey,
    FilingProgress,
    Purpose,
    example_bundle,
)
from medfab_gateway.errors import (
    ChaincodeFailure,
    EndorseError,
    ErrorDetail,
    EvaluateError,
    GatewayError,
)
from unit.gateway.forms import InThreads

PATIENT = "00112233445566778899aabbccddeeff"


class Recorder:
    """Stands where a contract does, retries included; fails as often as it is told to."""

    def __init__(self, *failures: str | GatewayError) -> None:
        self.failures = list(failures)
        self.calls: list[dict[str, bytes]] = []
        self.running = 0
        self.most_running = 0
        self.ran_beside_first = False

    async def submit(
        self,
        name: str,
        *args: str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        retry: RetryOptions | None = None,
    ) -> bytes:
        return await with_retry(lambda: self._submit(transient), retry, Deadline(None))

    async def _submit(self, transient: Mapping[str, bytes] | None) -> bytes:
        first = not self.calls
        self.calls.append(dict(transient or {}))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(0.002)
        if first:
            self.ran_beside_first = self.running > 1
        self.running -= 1
        if self.failures:
            raise self._failure()
        filed = len(json.loads(transient["records"])["items"]) if transient else 0
        return json.dumps({"filed": filed, "unchanged": 0}).encode()

    async def evaluate(
        self,
        name: str,
        *args: str,
        transient: Mapping[str, bytes] | None = None,
        target_organizations: Sequence[str] | None = None,
        retry: RetryOptions | None = None,
    ) -> bytes:
        return await with_retry(lambda: self._evaluate(args[-1]), retry, Deadline(None))

    async def _evaluate(self, holder: str) -> bytes:
        self.calls.append({})
        if self.failures:
            raise self._failure()
        record = {"id": "0" * 64, "version": 1, "resource": "{}", "seal": None}
        return json.dumps({"holder": holder, "records": [record], "withheld": 0}).encode()

    def _failure(self) -> Exception:
        failure = self.failures.pop(0)
        if isinstance(failure, str):
            return CommitError(code=failure, transaction_id="t", block_number=1)
        return failure


def refusal(code: str, kind: type[GatewayError] = EndorseError) -> GatewayError:
    answer = ChaincodeFailure(status=404, code=code, message="")
    return kind("refused", code=grpc.StatusCode.ABORTED, chaincode=answer)


def large_bundle(copies: int) -> bytes:
    bundle = json.loads(example_bundle())
    weight = next(e for e in bundle["entry"] if "88.45" in json.dumps(e))
    for number in range(copies):
        entry = json.loads(json.dumps(weight))
        entry["resource"]["id"] = f"copy-{number}"
        bundle["entry"].append(entry)
    return json.dumps(bundle).encode()


class BlockingRecorder:
    """The same for threads; the recorder itself stays in the event loop of the test."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._loop = asyncio.get_running_loop()

    def submit(self, *args: str, **options: Any) -> bytes:
        call = self._recorder.submit(*args, **options)
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(timeout=10)

    def evaluate(self, *args: str, **options: Any) -> bytes:
        call = self._recorder.evaluate(*args, **options)
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(timeout=10)


Make = Callable[..., Any]
"""A client's asynchronous class, a recorder, and the client's settings → the client."""
MakeProvider = Callable[[Recorder], AsyncProvider]


def make_async(client: type, recorder: Recorder, **settings: Any) -> Any:
    return client(recorder, **settings)


def make_blocking(client: type, recorder: Recorder, **settings: Any) -> Any:
    twin = getattr(medfab_gateway.ehr, client.__name__.removeprefix("Async"))
    return InThreads(twin(BlockingRecorder(recorder), **settings), client)


@pytest.fixture(params=[make_async, make_blocking])
def make(request: pytest.FixtureRequest) -> Make:
    make: Make = request.param
    return make


@pytest.fixture
def provider(make: Make) -> MakeProvider:
    settings = {"msp_id": "HospitalMSP", "filing_key": FilingKey(bytes(32))}
    return lambda recorder: cast(AsyncProvider, make(AsyncProvider, recorder, **settings))


async def test_the_first_batch_goes_alone_and_then_four_at_a_time(provider: MakeProvider) -> None:
    recorder = Recorder()
    seen: list[FilingProgress] = []
    result = await provider(recorder).file_bundle(PATIENT, large_bundle(2187), progress=seen.append)
    assert (result.filed, result.transactions, len(recorder.calls)) == (2200, 11, 11)
    assert not recorder.ran_beside_first
    assert recorder.most_running == 4
    assert [step.transactions for step in seen] == list(range(1, 12))
    assert seen[0].of_records == seen[-1].records == 2200


async def test_what_lost_a_race_is_submitted_again(provider: MakeProvider) -> None:
    recorder = Recorder("MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT")
    result = await provider(recorder).file_bundle(PATIENT, example_bundle())
    assert (result.filed, result.transactions, len(recorder.calls)) == (13, 1, 3)


async def test_peers_that_are_behind_are_asked_again(provider: MakeProvider) -> None:
    mismatch = EndorseError(
        "aborted",
        code=grpc.StatusCode.ABORTED,
        details=[
            ErrorDetail(
                address="peer:1",
                msp_id="HospitalMSP",
                message="ProposalResponsePayloads do not match",
            )
        ],
    )
    recorder = Recorder(mismatch, refusal("NOT_REGISTERED"), refusal("DATA_UNAVAILABLE"))
    await provider(recorder).file_bundle(PATIENT, example_bundle())
    assert len(recorder.calls) == 4
    recorder = Recorder(refusal("CONFLICT"))
    with pytest.raises(EndorseError):
        await provider(recorder).file_bundle(PATIENT, example_bundle())
    assert len(recorder.calls) == 1


@pytest.mark.parametrize(
    ("permitted", "code", "calls"),
    [(True, "NOT_PERMITTED", 2), (False, "NOT_PERMITTED", 1), (True, "CONSENT_REVOKED", 1)],
)
async def test_a_new_permit_may_still_be_on_its_way(
    permitted: bool, code: str, calls: int, make: Make
) -> None:
    recorder = Recorder(refusal(code, EvaluateError))
    permit = AccessDecision(
        patient=PATIENT, request_id="0" * 64, permitted=permitted, reason="", expires_at=None
    )
    practitioner = make(AsyncPractitioner, recorder)
    if calls == 2:
        result = await practitioner.read(permit, holder_msp="HospitalMSP")
        assert result.resources == ("{}",)
    else:
        with pytest.raises(EvaluateError):
            await practitioner.read(permit, holder_msp="HospitalMSP")
    assert len(recorder.calls) == calls


async def test_it_gives_up_in_the_end(provider: MakeProvider) -> None:
    recorder = Recorder(*["MVCC_READ_CONFLICT"] * 99)
    with pytest.raises(CommitError):
        await provider(recorder).file_bundle(PATIENT, example_bundle())
    assert len(recorder.calls) == 6


async def test_other_failures_are_not_repeated_and_come_as_they_are(provider: MakeProvider) -> None:
    recorder = Recorder("ENDORSEMENT_POLICY_FAILURE")
    with pytest.raises(CommitError):
        await provider(recorder).file_bundle(PATIENT, example_bundle())
    assert len(recorder.calls) == 1

    class Later(Recorder):
        async def submit(self, name: str, *args: str, **options: object) -> bytes:
            if len(self.calls) == 2:
                self.failures = ["ENDORSEMENT_POLICY_FAILURE"]
            return await super().submit(name, *args, **options)  # type: ignore[arg-type]

    with pytest.raises(CommitError):  # not a group of them
        await provider(Later()).file_bundle(PATIENT, large_bundle(2187))


async def test_terms_are_transient_and_salted(make: Make) -> None:
    recorder = Recorder("OTHER", "OTHER")
    patient = make(AsyncPatient, recorder)
    for _ in range(2):
        with pytest.raises(CommitError):
            await patient.grant(
                grantee_msp="ClinicMSP",
                purposes=[Purpose.TREATMENT],
                categories=["laboratory"],
                not_after=datetime.fromisoformat("2030-01-01T00:00:00.9+02:00"),
            )
    one, other = (json.loads(call["consent"]) for call in recorder.calls)
    assert one["salt"] != other.pop("salt")
    assert other.pop("rule") == {
        "recipients": [{"msp_id": "ClinicMSP"}],
        "purposes": ["TREAT"],
        "categories": ["laboratory"],
        "resource_types": [],
        "security_labels": [],
        "authors": [],
        "instances": [],
        "related": [],
        "not_after": 1893448800900,
    }
    assert other == {"type": "permit", "exceptions": [], "redisclosure": False}


async def test_a_time_needs_a_zone(make: Make) -> None:
    with pytest.raises(ValueError, match="time zone"):
        await make(AsyncPatient, Recorder()).grant(
            grantee_msp="ClinicMSP",
            purposes=["TREAT"],
            categories=["laboratory"],
            not_after=datetime(2030, 1, 1),
        )


def test_the_door_of_the_package() -> None:
    names = medfab_gateway.ehr.__all__
    assert names == sorted(names)
    public = {name for name in vars(medfab_gateway.ehr) if not name.startswith("_")}
    assert public - {"errors", "fhir", "projection"} == set(names)
