"""Lost answers, conflicts, and the peers' limit; on one peer. Several: test_failover."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2

from medfab_gateway import (
    AsyncContract,
    CommitError,
    CommitStatusError,
    EndorseError,
    Endpoint,
    EvaluateError,
    GatewayOptions,
    OutcomeUnknownError,
    RequestLimitError,
    RetryOptions,
    SubmitError,
    private_key_signer,
)
from unit.gateway.fake_gateway import LIMITER_TEXT, Failure, FakeGateway, make_identity, serve
from unit.gateway.forms import Connect, only_async

IDENTITY, KEY = make_identity()
MVCC = transaction_pb2.MVCC_READ_CONFLICT


@pytest.fixture
async def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def endpoint(fake: FakeGateway) -> AsyncIterator[Endpoint]:
    async with serve(fake) as endpoint:
        yield endpoint


@pytest.fixture
async def contract(endpoint: Endpoint, connect: Connect) -> AsyncIterator[AsyncContract]:
    async with connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway:
        yield gateway.network("care").contract("ehr")


def asked_about(fake: FakeGateway) -> set[str]:
    """The transaction ids of all that was sent."""
    return {
        gateway_pb2.CommitStatusRequest.FromString(request.request).transaction_id
        if method == "CommitStatus"
        else request.transaction_id
        for method, request in zip(fake.calls, fake.requests, strict=True)
    }


# A submission whose answer is lost


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL],
)
async def test_a_lost_submission_that_was_ordered(
    fake: FakeGateway, contract: AsyncContract, code: grpc.StatusCode
) -> None:
    fake.failures["Submit"] = Failure(code=code, text="lost")
    assert await contract.submit("F") == b"result"
    assert fake.calls == ["Endorse", "Submit", "CommitStatus"]
    assert len(asked_about(fake)) == 1


async def test_a_lost_submission_that_is_invalid(
    fake: FakeGateway, contract: AsyncContract
) -> None:
    fake.failures["Submit"] = Failure(code=grpc.StatusCode.UNAVAILABLE, text="lost")
    fake.code = MVCC
    with pytest.raises(CommitError):
        await contract.submit("F")


async def test_a_submission_that_took_too_long(
    fake: FakeGateway, endpoint: Endpoint, connect: Connect
) -> None:
    fake.delays["Submit"] = 60
    options = GatewayOptions(submit_timeout=1)
    async with connect(endpoint, IDENTITY, private_key_signer(KEY), options=options) as gateway:
        assert await gateway.network("care").contract("ehr").submit("F") == b"result"
    assert fake.calls == ["Endorse", "Submit", "CommitStatus"]


async def test_a_lost_submission_of_which_nobody_knows(
    fake: FakeGateway, contract: AsyncContract
) -> None:
    fake.failures["Submit"] = Failure(code=grpc.StatusCode.UNAVAILABLE, text="lost")
    fake.delays["CommitStatus"] = 60
    with pytest.raises(OutcomeUnknownError, match="ask") as raised:
        await contract.submit("F", timeout=3)
    assert isinstance(raised.value, CommitStatusError)
    assert {raised.value.transaction_id} == asked_about(fake)
    assert raised.value.result == b"result"
    assert fake.calls.count("Endorse") == fake.calls.count("Submit") == 1


@pytest.mark.parametrize(
    ("code", "orderers", "unknown"),
    [
        (grpc.StatusCode.ABORTED, 1, False),
        # The first of two may have taken it, and its answer have been lost.
        (grpc.StatusCode.ABORTED, 2, True),
        (grpc.StatusCode.NOT_FOUND, 0, False),
        (grpc.StatusCode.UNAVAILABLE, 0, True),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 0, True),
    ],
)
async def test_when_a_transaction_certainly_was_not_ordered(
    fake: FakeGateway, contract: AsyncContract, code: grpc.StatusCode, orderers: int, unknown: bool
) -> None:
    fake.failures["Submit"] = Failure(
        code=code, text="no", details=[("orderer:7050", "OrdererMSP", "no")] * orderers
    )
    with pytest.raises(OutcomeUnknownError if unknown else SubmitError):
        await contract.submit_async("F")


# The outcome is asked for until there is one


async def test_a_commit_status_is_asked_again_while_the_peer_is_away(
    fake: FakeGateway, contract: AsyncContract
) -> None:
    fake.failures["CommitStatus"] = Failure(code=grpc.StatusCode.UNAVAILABLE, text="away")

    def come_back(method: str) -> None:
        if fake.calls.count("CommitStatus") == 3:
            fake.failures.clear()

    fake.before = come_back
    assert await contract.submit("F") == b"result"
    assert Counter(fake.calls) == {"Endorse": 1, "Submit": 1, "CommitStatus": 3}


# Conflicts


async def test_a_conflict_is_an_error_unless_asked(
    fake: FakeGateway, contract: AsyncContract
) -> None:
    fake.code = MVCC
    with pytest.raises(CommitError):
        await contract.submit("F")
    assert fake.calls.count("Endorse") == 1


async def test_a_conflict_is_tried_again_as_a_new_proposal(
    fake: FakeGateway, contract: AsyncContract
) -> None:
    fake.code = MVCC

    def win(method: str) -> None:
        if fake.calls.count("Endorse") == 3:
            fake.code = transaction_pb2.VALID

    fake.before = win
    assert await contract.submit("F", retry=RetryOptions(first_pause=0.01)) == b"result"
    assert fake.calls == ["Endorse", "Submit", "CommitStatus"] * 3
    assert len(asked_about(fake)) == 3


@pytest.mark.parametrize("code", [MVCC, transaction_pb2.PHANTOM_READ_CONFLICT])
async def test_there_is_an_end_to_trying(
    fake: FakeGateway, contract: AsyncContract, code: int
) -> None:
    fake.code = code
    with pytest.raises(CommitError):
        await contract.submit("F", retry=RetryOptions(attempts=2, first_pause=0.01))
    assert fake.calls.count("Submit") == 2


async def test_no_second_attempt_after_the_deadline(
    fake: FakeGateway, contract: AsyncContract
) -> None:
    fake.code = MVCC
    with pytest.raises(CommitError):
        await contract.submit("F", retry=RetryOptions(first_pause=60, longest_pause=60), timeout=20)
    assert fake.calls.count("Submit") == 1


async def test_other_invalid_transactions_are_not_repeated(
    fake: FakeGateway, contract: AsyncContract
) -> None:
    fake.code = transaction_pb2.ENDORSEMENT_POLICY_FAILURE
    with pytest.raises(CommitError):
        await contract.submit("F", retry=RetryOptions())
    assert fake.calls.count("Submit") == 1


async def test_an_unknown_outcome_is_not_repeated(
    fake: FakeGateway, contract: AsyncContract
) -> None:
    fake.failures["Submit"] = Failure(code=grpc.StatusCode.UNAVAILABLE, text="lost")
    fake.delays["CommitStatus"] = 60
    with pytest.raises(OutcomeUnknownError):
        await contract.submit("F", retry=RetryOptions(), timeout=3)
    assert fake.calls.count("Endorse") == 1


REFUSED = Failure(
    code=grpc.StatusCode.ABORTED,
    text="failed",
    details=[("a:1", "AMSP", 'chaincode response 404, {"code":"NOT_FOUND","message":"x"}')],
)
DIFFERENT = Failure(
    code=grpc.StatusCode.ABORTED,
    text="failed",
    details=[("a:1", "AMSP", "ProposalResponsePayloads do not match (base64): x")],
)


@pytest.mark.parametrize(
    ("failure", "retry", "attempts"),
    [
        (REFUSED, {"chaincode_codes": frozenset({"NOT_FOUND"})}, 2),
        (REFUSED, {"chaincode_codes": frozenset({"OTHER"})}, 1),
        (DIFFERENT, {"different_answers": True}, 2),
        (DIFFERENT, {}, 1),
    ],
)
async def test_peers_that_are_behind(
    fake: FakeGateway, contract: AsyncContract, failure: Failure, retry: Any, attempts: int
) -> None:
    fake.failures["Endorse"] = fake.failures["Evaluate"] = failure
    options = RetryOptions(attempts=2, first_pause=0.01, **retry)
    with pytest.raises(EndorseError):
        await contract.submit("F", retry=options)
    with pytest.raises(EvaluateError):
        await contract.evaluate("F", retry=options)
    assert Counter(fake.calls) == {"Endorse": attempts, "Evaluate": attempts}


@pytest.mark.parametrize(
    "settings", [{"attempts": 0}, {"first_pause": -1.0}, {"first_pause": 3.0, "longest_pause": 2.0}]
)
def test_retry_options_that_make_no_sense(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="attempts"):
        RetryOptions(**settings)


# The peer's limit, and ours


async def test_a_busy_peer_is_asked_again(fake: FakeGateway, contract: AsyncContract) -> None:
    busy = Failure(code=grpc.StatusCode.UNKNOWN, text=LIMITER_TEXT)
    fake.failures = dict.fromkeys(("Endorse", "Submit", "CommitStatus"), busy)

    def relax(method: str) -> None:
        if fake.calls.count(method) == 3:
            fake.failures.pop(method, None)

    fake.before = relax
    assert await contract.submit("F") == b"result"
    assert Counter(fake.calls) == {"Endorse": 3, "Submit": 3, "CommitStatus": 3}
    assert len(asked_about(fake)) == 1


async def test_an_orderer_that_comes_or_goes_is_no_refusal(
    fake: FakeGateway, contract: AsyncContract
) -> None:
    """The peer turns to any; the next time it may be one that is on the channel."""
    said = "received unsuccessful response from orderer: status=BAD_REQUEST, info="
    fake.failures["Submit"] = Failure(
        code=grpc.StatusCode.ABORTED, text=f"{said}channel does not exist"
    )

    def join(method: str) -> None:
        if fake.calls.count("Submit") == 3:
            fake.failures.pop("Submit", None)

    fake.before = join
    assert await contract.submit("F") == b"result"
    assert Counter(fake.calls) == {"Endorse": 1, "Submit": 3, "CommitStatus": 1}
    fake.before = None
    fake.failures["Submit"] = Failure(code=grpc.StatusCode.ABORTED, text=f"{said}anything else")
    with pytest.raises(SubmitError):
        await contract.submit("F")
    assert fake.calls.count("Submit") == 4


class Gauge:
    """How many calls of a method are at the server at a time."""

    def __init__(self, fake: FakeGateway) -> None:
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        begin = fake._begin

        async def counted(method: str, request: Any, context: Any) -> None:
            self.now[method] += 1
            self.most[method] = max(self.most[method], self.now[method])
            try:
                await begin(method, request, context)
            finally:
                self.now[method] -= 1

        fake._begin = counted  # type: ignore[method-assign]


@only_async  # threads enough for the other form: test_gateway_resilience on the live network
async def test_waiting_for_outcomes_takes_nothing_from_calls(
    fake: FakeGateway, endpoint: Endpoint, connect: Connect
) -> None:
    fake.delays["CommitStatus"] = 60
    gauge = Gauge(fake)
    options = GatewayOptions(concurrent_calls=4, concurrent_status_waits=3)
    async with connect(endpoint, IDENTITY, private_key_signer(KEY), options=options) as gateway:
        network = gateway.network("care")
        waits = [
            asyncio.create_task(network.commit(f"{n:02x}").status(timeout=60)) for n in range(8)
        ]
        async with asyncio.timeout(60):
            while gauge.now["CommitStatus"] < 3:
                await asyncio.sleep(0.01)
        fake.delays["Evaluate"] = 0.02
        contract = network.contract("ehr")
        assert await asyncio.gather(*(contract.evaluate("F") for _ in range(12)))
        fake.delays.clear()
        # The three that wait give their turn to the others after some seconds.
        outcomes = await asyncio.gather(*waits, return_exceptions=True)
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) >= 5
    assert gauge.most["CommitStatus"] == 3
    assert gauge.most["Evaluate"] == 4


async def test_no_room_within_the_deadline(
    fake: FakeGateway, endpoint: Endpoint, connect: Connect
) -> None:
    fake.delays["Evaluate"] = 60
    options = GatewayOptions(concurrent_calls=1)
    async with connect(endpoint, IDENTITY, private_key_signer(KEY), options=options) as gateway:
        contract = gateway.network("care").contract("ehr")
        first = asyncio.create_task(contract.evaluate("F", timeout=6))
        async with asyncio.timeout(60):
            while not fake.calls:
                await asyncio.sleep(0.01)
        with pytest.raises(RequestLimitError, match="this gateway makes at a time"):
            await contract.evaluate("F", timeout=0.1)
        with pytest.raises(EvaluateError):
            await first
    assert fake.calls == ["Evaluate"]


def test_limits_below_one() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        GatewayOptions(concurrent_calls=0)


@only_async
@pytest.mark.parametrize("method", ["Evaluate", "Endorse", "Submit", "CommitStatus"])
async def test_cancelling_leaves_nothing_running(
    fake: FakeGateway, endpoint: Endpoint, connect: Connect, method: str
) -> None:
    """No call at the peer and no permit of ours, whatever step it is in."""
    fake.delays[method] = 60
    gauge = Gauge(fake)
    options = GatewayOptions(concurrent_calls=2, concurrent_status_waits=2)
    async with connect(endpoint, IDENTITY, private_key_signer(KEY), options=options) as gateway:
        contract = gateway.network("care").contract("ehr")
        call = contract.evaluate if method == "Evaluate" else contract.submit
        tasks = [asyncio.create_task(call("F")) for _ in range(5)]
        async with asyncio.timeout(60):
            while gauge.now[method] < 2:
                await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        async with asyncio.timeout(60):
            while gauge.now.total():
                await asyncio.sleep(0.01)
        fake.delays.clear()
        assert await asyncio.gather(*(contract.submit("F") for _ in range(4)))
