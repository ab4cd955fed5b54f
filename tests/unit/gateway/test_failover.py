"""Several endpoints: which one is called, what is repeated at another, and the way back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import grpc
import pytest

from medfab_gateway import (
    AsyncGateway,
    ConnectionFailedError,
    EndorseError,
    Endpoint,
    EndpointError,
    EvaluateError,
    OutcomeUnknownError,
    private_key_signer,
)
from unit.gateway.fake_gateway import Failure, FakeGateway, make_identity, serve
from unit.gateway.forms import Connect

IDENTITY, KEY = make_identity()
NOBODY = Endpoint("localhost:1", insecure=True)
GOING_AWAY = Failure(code=grpc.StatusCode.UNAVAILABLE, text="going away")


@dataclass
class Pair:
    """Two peers and a gateway that prefers the first."""

    first: FakeGateway
    second: FakeGateway
    gateway: AsyncGateway

    @property
    def calls(self) -> tuple[list[str], list[str]]:
        return self.first.calls, self.second.calls


@pytest.fixture
async def pair(connect: Connect) -> AsyncIterator[Pair]:
    first, second = FakeGateway(), FakeGateway()
    async with (
        serve(first) as one,
        serve(second) as other,
        connect([one, other], IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        yield Pair(first, second, gateway)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_the_first_is_preferred(pair: Pair) -> None:
    assert await pair.gateway.network("care").contract("ehr").submit("F") == b"result"
    assert pair.calls == (["Endorse", "Submit", "CommitStatus"], [])


async def test_nobody_at_the_first(connect: Connect) -> None:
    fake = FakeGateway()
    async with (
        serve(fake) as endpoint,
        connect([NOBODY, endpoint], IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        assert await gateway.network("care").contract("ehr").submit("F") == b"result"
    assert fake.calls == ["Endorse", "Submit", "CommitStatus"]


async def test_a_lost_connection_is_no_lost_call(connect: Connect) -> None:
    """The first peer dies while it evaluates and endorses: the second one does it."""
    for method, answers in (("Evaluate", ["Evaluate"]), ("Endorse", ["Endorse", "Submit"])):
        first, second = FakeGateway(delays={method: 60}), FakeGateway()
        async with contextlib.AsyncExitStack() as stack:
            dying = contextlib.AsyncExitStack()
            one = await dying.enter_async_context(serve(first))
            other = await stack.enter_async_context(serve(second))
            gateway = await stack.enter_async_context(
                connect([one, other], IDENTITY, private_key_signer(KEY))
            )
            contract = gateway.network("care").contract("ehr")
            call = contract.evaluate if method == "Evaluate" else contract.submit_async
            task = asyncio.create_task(call("F"))
            await until(first.calls.__len__)
            await dying.aclose()
            await task
        assert first.calls == [method]
        assert second.calls == answers


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,  # of a process that ends
        grpc.StatusCode.FAILED_PRECONDITION,
    ],
)
@pytest.mark.parametrize("method", ["Evaluate", "Endorse"])
async def test_what_a_peer_cannot_do_now_another_one_does(
    pair: Pair, method: str, code: grpc.StatusCode
) -> None:
    pair.first.failures[method] = Failure(code=code, text="no peers")
    contract = pair.gateway.network("care").contract("ehr")
    call = contract.evaluate if method == "Evaluate" else contract.submit_async
    await call("F")
    assert pair.calls[1][0] == method


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.ABORTED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED]
)
async def test_an_answer_is_an_answer(pair: Pair, code: grpc.StatusCode) -> None:
    pair.first.failures["Evaluate"] = Failure(code=code, text="chaincode response 400, no")
    with pytest.raises(EvaluateError):
        await pair.gateway.network("care").contract("ehr").evaluate("F")
    assert pair.calls == (["Evaluate"], [])


async def test_the_peer_that_said_something_is_quoted(connect: Connect) -> None:
    fake = FakeGateway(failures={"Endorse": GOING_AWAY})
    for order in (0, 1):
        async with serve(fake) as endpoint:
            endpoint = replace(endpoint, msp_id="HospitalMSP")
            endpoints = [NOBODY, endpoint] if order else [endpoint, NOBODY]
            async with connect(endpoints, IDENTITY, private_key_signer(KEY)) as gateway:
                with pytest.raises(EndorseError, match="going away") as raised:
                    await gateway.network("care").contract("ehr").submit("F")
            assert raised.value.address == endpoint.address
            assert raised.value.msp_id == "HospitalMSP"
            assert f"at {endpoint.address} (HospitalMSP)" in str(raised.value)


async def test_a_submission_is_never_sent_twice(pair: Pair) -> None:
    pair.first.failures["Submit"] = GOING_AWAY
    with pytest.raises(OutcomeUnknownError, match="may have been ordered") as raised:
        await pair.gateway.network("care").contract("ehr").submit_async("F")
    assert pair.calls == (["Endorse", "Submit"], [])
    assert raised.value.transaction_id == pair.first.requests[0].transaction_id


async def test_a_lost_submission_is_asked_for_at_the_other_peer(pair: Pair) -> None:
    pair.first.failures["Submit"] = GOING_AWAY
    pair.first.failures["CommitStatus"] = GOING_AWAY
    assert await pair.gateway.network("care").contract("ehr").submit("F") == b"result"
    assert pair.first.calls[:2] == ["Endorse", "Submit"]
    assert pair.second.calls == ["CommitStatus"]
    assert pair.second.requests[0].request  # of the same transaction: see test_resilience


async def test_the_way_back(connect: Connect) -> None:
    """The first is left alone for a while after a failure, then it is the first again."""
    first, second = FakeGateway(failures={"Evaluate": GOING_AWAY}), FakeGateway()
    async with (
        serve(first) as one,
        serve(second) as other,
        connect([one, other], IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        contract = gateway.network("care").contract("ehr")
        for _ in range(5):
            await contract.evaluate("F")
        assert len(second.calls) == 5
        assert len(first.calls) < 5
        first.failures.clear()
        async with asyncio.timeout(60):
            while len(second.calls) < 1000:
                before = len(second.calls)
                await contract.evaluate("F")
                if len(second.calls) == before:
                    break
                await asyncio.sleep(0.02)
        calls = len(second.calls)
        await contract.evaluate("F")
        assert len(second.calls) == calls


async def test_nobody_anywhere(connect: Connect) -> None:
    other = Endpoint("localhost:2", insecure=True)
    async with connect([NOBODY, other], IDENTITY, private_key_signer(KEY)) as gateway:
        with pytest.raises(ConnectionFailedError, match="cannot be reached"):
            await gateway.network("care").contract("ehr").evaluate("F")


async def test_a_list_of_no_endpoints(connect: Connect) -> None:
    with pytest.raises(EndpointError, match="empty"):
        connect([], IDENTITY)


async def test_closed_is_closed_at_all(pair: Pair) -> None:
    contract = pair.gateway.network("care").contract("ehr")
    await contract.evaluate("F")
    await pair.gateway.close()
    with pytest.raises(ConnectionFailedError, match="gateway is closed"):
        await contract.evaluate("F")
