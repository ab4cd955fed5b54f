"""Whatever is at the other end: a typed error, within its time, and no hang."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import grpc
import grpc.aio
import pytest
from fabric_protos.common import common_pb2

from medfab_gateway import (
    AsyncGateway,
    CommitStatusError,
    ConnectionFailedError,
    DeliverError,
    EndorseError,
    Endpoint,
    EvaluateError,
    GatewayError,
    GatewayOptions,
    OutcomeUnknownError,
    Reconnect,
    private_key_signer,
)
from unit.gateway.fake_gateway import FakeGateway, make_identity, serve
from unit.gateway.forms import FORMS, Connect
from unit.gateway.hostile_servers import (
    Talk,
    answering,
    say_garbage,
    say_nothing,
    send_headers_without_end,
    speak_http_1,
    stop_in_a_message,
    talking,
)

IDENTITY, KEY = make_identity()

SECONDS = 2.0
"""What a call is given."""

AT_MOST = 60.0
"""What it may take, on a machine that is busy."""

Server = Callable[[], AbstractAsyncContextManager[Endpoint]]
Call = Callable[[AsyncGateway, bytes], Awaitable[object]]


async def evaluate(gateway: AsyncGateway, endorsed: bytes) -> object:
    return await gateway.network("care").contract("ehr").evaluate("F", timeout=SECONDS)


async def endorse(gateway: AsyncGateway, endorsed: bytes) -> object:
    return await gateway.network("care").contract("ehr").proposal("F").endorse(timeout=SECONDS)


async def submit(gateway: AsyncGateway, endorsed: bytes) -> object:
    return await gateway.offline.transaction(endorsed).submit(timeout=SECONDS)


async def ask_for_status(gateway: AsyncGateway, endorsed: bytes) -> object:
    return await gateway.network("care").commit("5e" * 32).status(timeout=SECONDS)


async def follow_chaincode_events(gateway: AsyncGateway, endorsed: bytes) -> object:
    async with gateway.network("care").chaincode_events("ehr") as events:
        return await anext(aiter(events))


async def follow_blocks(gateway: AsyncGateway, endorsed: bytes) -> object:
    async with gateway.network("care").block_events(0) as blocks:
        return await anext(aiter(blocks))


CALLS: dict[Call, type[GatewayError]] = {
    evaluate: EvaluateError,
    endorse: EndorseError,
    submit: OutcomeUnknownError,
    ask_for_status: CommitStatusError,
    follow_chaincode_events: DeliverError,
    follow_blocks: DeliverError,
}
"""Every kind of call, with what it raises where an answer is not worth anything."""


@pytest.fixture
async def endorsed() -> bytes:
    """A transaction that an honest peer has endorsed."""
    async with (
        serve(FakeGateway()) as endpoint,
        AsyncGateway.connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        return (await gateway.network("care").contract("ehr").proposal("F").endorse()).bytes


@asynccontextmanager
async def connected(endpoint: Endpoint, connect: Connect) -> AsyncIterator[AsyncGateway]:
    """A gateway with a connection of its own, which finds out in seconds, not minutes, that the
    peer is not there: streams have no deadline."""
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.min_reconnect_backoff_ms", 2000),
        ("grpc.keepalive_time_ms", 2000),
        ("grpc.keepalive_timeout_ms", 2000),
        ("grpc.http2.ping_timeout_ms", 2000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.max_receive_message_length", 1_000_000),
    ]
    is_async = connect is FORMS["async"]
    open_channel: Any = grpc.aio.secure_channel if is_async else grpc.secure_channel
    credentials = grpc.ssl_channel_credentials(endpoint.tls_root_certificates)
    channel = open_channel(endpoint.address, credentials, options=options)
    try:
        yield connect(
            channel,
            IDENTITY,
            private_key_signer(KEY),
            options=GatewayOptions(evaluate_timeout=SECONDS, reconnect=Reconnect(give_up_after=0)),
        )
    finally:
        closing = channel.close()
        if is_async:
            await closing


async def failure(
    call: Call, endpoint: Endpoint, connect: Connect, endorsed: bytes
) -> GatewayError:
    async with asyncio.timeout(AT_MOST), connected(endpoint, connect) as gateway:
        with pytest.raises(GatewayError) as caught:
            await call(gateway, endorsed)
    return caught.value


async def failures(
    server: Server, connect: Connect, endorsed: bytes
) -> list[tuple[Call, GatewayError]]:
    """What each kind of call raises."""
    async with server() as endpoint:
        errors = await asyncio.gather(
            *(failure(call, endpoint, connect, endorsed) for call in CALLS)
        )
    return list(zip(CALLS, errors, strict=True))


UNREACHABLE: dict[str, Server] = {
    "a certificate of somebody else": partial(answering, b"", trusted=False),
    "a certificate of another name": partial(answering, b"", made_out_to="other.example"),
    "an expired certificate": partial(answering, b"", expired=True),
    "gRPC in plaintext": partial(answering, b"", plaintext=True),
    "HTTP/1.1 in plaintext": partial(talking, speak_http_1, tls=False),
    "garbage instead of TLS": partial(talking, say_garbage, tls=False),
    "silence instead of TLS": partial(talking, say_nothing, tls=False),
    "silence over TLS": partial(talking, say_nothing),
    "garbage over TLS": partial(talking, say_garbage),
}


@pytest.mark.parametrize("server", UNREACHABLE)
async def test_no_connection_comes_about(server: str, connect: Connect, endorsed: bytes) -> None:
    for call, error in await failures(UNREACHABLE[server], connect, endorsed):
        if not isinstance(error, ConnectionFailedError):
            assert type(error) is CALLS[call]
            assert error.code is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("server", [name for name in UNREACHABLE if "certificate" in name])
async def test_no_certificate_but_the_right_one(server: str, connect: Connect) -> None:
    async with (
        UNREACHABLE[server]() as endpoint,
        connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        expired = "expired" in server
        advice = "renew the certificate" if expired else "TLS did not come about"
        with pytest.raises(ConnectionFailedError, match=advice):
            await gateway.network("care").contract("ehr").evaluate("F", timeout=AT_MOST)


ANSWERS: dict[str, bytes] = {
    "garbage": b"\xff" * 20,
    "truncated": common_pb2.Envelope(payload=b"p" * 99).SerializeToString()[:-1],
    "too large": bytes(2_000_000),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_answers_that_cannot_be_read(answer: str, connect: Connect, endorsed: bytes) -> None:
    for call, error in await failures(partial(answering, ANSWERS[answer]), connect, endorsed):
        assert type(error) is CALLS[call]
        assert error.code in {grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED}


OTHER_MESSAGES: dict[str, bytes] = {
    "nothing": b"",
    "a number": b"\x78\x07",  # field 15
    "a block": common_pb2.Block(
        header=common_pb2.BlockHeader(number=7, previous_hash=b"p" * 32)
    ).SerializeToString(),
}


@pytest.mark.parametrize("answer", OTHER_MESSAGES)
async def test_answers_of_another_kind(answer: str, connect: Connect, endorsed: bytes) -> None:
    """They can be read as a message, in which everything is missing: above all, they are no
    success. What a submission is answered has no content: anything is as good."""
    async with answering(OTHER_MESSAGES[answer]) as endpoint:
        for call in CALLS.keys() - {submit}:
            error = await failure(call, endpoint, connect, endorsed)
            assert type(error) is CALLS[call]


@pytest.mark.parametrize("talk", [send_headers_without_end, stop_in_a_message])
async def test_answers_without_end(talk: Talk, connect: Connect, endorsed: bytes) -> None:
    for call, error in await failures(partial(talking, talk), connect, endorsed):
        assert isinstance(error, ConnectionFailedError) or type(error) is CALLS[call]


async def test_more_than_100_mib_is_not_read(connect: Connect) -> None:
    """The limit of an `Endpoint` itself."""
    async with (
        answering(bytes(100 * 1024 * 1024 + 1)) as endpoint,
        connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        with pytest.raises(EvaluateError) as caught:
            await gateway.network("care").contract("ehr").evaluate("F", timeout=AT_MOST)
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
