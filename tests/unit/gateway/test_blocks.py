"""The stream of blocks: what a peer answers, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from medfab_gateway import (
    AsyncEventStream,
    AsyncNetwork,
    Block,
    ConnectionFailedError,
    DeliverError,
    Endpoint,
    Hash,
    RequestLimitError,
    SigningError,
    private_key_signer,
)
from unit.gateway.fake_gateway import (
    LIMITER_TEXT,
    Failure,
    FakeGateway,
    block_response,
    filtered_response,
    make_identity,
    read_seek,
    serve,
    status_response,
)
from unit.gateway.forms import Connect, only_async

IDENTITY, KEY = make_identity()


@pytest.fixture
async def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def network(fake: FakeGateway, connect: Connect) -> AsyncIterator[AsyncNetwork]:
    async with (
        serve(fake) as endpoint,
        connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        yield gateway.network("care")


async def ended(fake: FakeGateway) -> bool:
    async with asyncio.timeout(60):
        return await fake.deliver_ended.wait()


async def test_blocks_of_a_range(fake: FakeGateway, network: AsyncNetwork) -> None:
    fake.deliver = [block_response(3), block_response(4), status_response(200)]
    numbers = [block.number async for block in network.block_events(3, 4)]
    assert numbers == [3, 4]
    header, seek = read_seek(fake.requests[0])
    assert (header.channel_id, header.type, header.tls_cert_hash) == ("care", 5, b"")
    assert (seek.start.specified.number, seek.stop.specified.number) == (3, 4)
    assert await ended(fake)


async def test_where_blocks_are_closed_they_are_fetched_one_by_one(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    """`event/Block` is closed in channels with private data, for all are given it with it."""
    fake.deliver = [status_response(403)]
    fake.deliver_filtered = [filtered_response(3), filtered_response(4), status_response(200)]
    numbers = [block.number async for block in network.block_events(3, 4)]
    assert numbers == [3, 4]
    assert fake.calls == ["Deliver", "DeliverFiltered", "ProcessProposal", "ProcessProposal"]
    assert fake.requests[0] == fake.requests[1]  # signed once


async def test_who_may_read_no_blocks_at_all(fake: FakeGateway, network: AsyncNetwork) -> None:
    fake.deliver = fake.deliver_filtered = [status_response(403)]
    with pytest.raises(DeliverError, match="FORBIDDEN"):
        await anext(network.block_events(3))
    assert fake.calls == ["Deliver", "DeliverFiltered"]
    fake.deliver_filtered = [filtered_response(3)]
    fake.qscc_refusal = "access denied for [GetBlockByNumber]"
    with pytest.raises(
        DeliverError, match=r"(?s)Reading block 3 .*qscc/GetBlockByNumber"
    ) as raised:
        await anext(network.block_events(3))
    assert raised.value.code is grpc.StatusCode.PERMISSION_DENIED


async def test_a_request_is_for_the_next_block_by_default(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.deliver = [status_response(200)]
    async for _ in network.block_events_request().events():
        pytest.fail("no block was sent")
    _, seek = read_seek(fake.requests[0])
    assert seek.start.WhichOneof("Type") == "next_commit"


async def test_leaving_ends_the_stream_at_the_peer(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.deliver = [block_response(0), None]
    async with network.block_events(start_block=0) as blocks:
        async for block in blocks:
            assert block.number == 0
            break
        assert not fake.deliver_ended.is_set()
    assert await ended(fake)
    with pytest.raises(StopAsyncIteration):
        await anext(blocks)
    await blocks.aclose()


async def test_a_dropped_iterator_ends_the_stream_too(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.deliver = [block_response(0), None]
    async for _ in network.block_events(start_block=0):
        break
    assert await ended(fake)


@only_async
async def test_cancelling_the_reader_ends_the_stream(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.deliver = [None]
    blocks = network.block_events()
    reading = asyncio.create_task(anext(blocks))
    async with asyncio.timeout(60):
        while not fake.calls:
            await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await ended(fake)
    with pytest.raises(StopAsyncIteration):
        await anext(blocks)


async def test_closing_from_another_task_ends_the_iteration(
    fake: FakeGateway, network: AsyncNetwork
) -> None:
    fake.deliver = [block_response(0), None]
    blocks = network.block_events(0)
    reader = asyncio.create_task(collect(blocks))
    await until_begun(fake)
    await blocks.aclose()
    async with asyncio.timeout(60):
        assert await reader == [0]


async def test_closing_the_gateway_is_told_and_cancels_no_task(
    fake: FakeGateway, connect: Connect
) -> None:
    fake.deliver = [block_response(0), None]
    async with serve(fake) as endpoint:
        gateway = connect(endpoint, IDENTITY, private_key_signer(KEY))
        reader = asyncio.create_task(collect(gateway.network("care").block_events(0)))
        await until_begun(fake)
        await gateway.close()
        async with asyncio.timeout(60):
            with pytest.raises(DeliverError, match="gateway was closed"):
                await reader


async def collect(blocks: AsyncEventStream[Block]) -> list[int]:
    return [block.number async for block in blocks]


async def until_begun(fake: FakeGateway) -> None:
    async with asyncio.timeout(60):
        while not fake.calls:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # so that the reader waits for the second block


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, grpc.StatusCode.INVALID_ARGUMENT, r"(?s)BAD_REQUEST.*clock"),
        (403, grpc.StatusCode.PERMISSION_DENIED, r"(?s)FORBIDDEN.*member of an organisation"),
        (404, grpc.StatusCode.NOT_FOUND, r"(?s)NOT_FOUND.*joined"),
        (503, grpc.StatusCode.UNAVAILABLE, r"(?s)SERVICE_UNAVAILABLE.*later"),
        (500, grpc.StatusCode.INTERNAL, "INTERNAL_SERVER_ERROR"),
        (299, grpc.StatusCode.INTERNAL, "status 299"),
    ],
)
async def test_refusals(
    fake: FakeGateway, network: AsyncNetwork, status: int, code: grpc.StatusCode, words: str
) -> None:
    fake.deliver = [block_response(0), status_response(status)]
    blocks = network.block_events_request(0).events()
    assert (await anext(blocks)).number == 0
    with pytest.raises(DeliverError, match=words) as raised:
        await anext(blocks)
    assert raised.value.code is code
    assert "channel care from localhost:" in str(raised.value)
    with pytest.raises(StopAsyncIteration):
        await anext(blocks)


async def test_a_peer_that_stops(fake: FakeGateway, network: AsyncNetwork) -> None:
    fake.deliver = [block_response(0)]
    blocks = network.block_events_request(0).events()
    await anext(blocks)
    with pytest.raises(DeliverError, match="without saying why") as raised:
        await anext(blocks)
    assert raised.value.code is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("failure", "error_type"),
    [
        (Failure(code=grpc.StatusCode.UNAVAILABLE, text="shutting down"), DeliverError),
        (Failure(code=grpc.StatusCode.UNKNOWN, text=LIMITER_TEXT), RequestLimitError),
    ],
)
async def test_failures_of_the_call(
    fake: FakeGateway, network: AsyncNetwork, failure: Failure, error_type: type[Exception]
) -> None:
    fake.failures["Deliver"] = failure
    with pytest.raises(error_type, match="Reading the blocks of channel care"):
        await anext(network.block_events_request().events())


async def test_nobody_at_the_address(connect: Connect) -> None:
    endpoint = Endpoint("localhost:1", insecure=True)
    async with connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway:
        with pytest.raises(ConnectionFailedError):
            await anext(gateway.network("care").block_events())


async def test_bytes_and_digest_without_a_signer(connect: Connect) -> None:
    endpoint = Endpoint("localhost:1", insecure=True)
    async with connect(endpoint, IDENTITY) as gateway:
        request = gateway.network("care").block_events_request()
        assert len(request.digest) == len(Hash.SHA256.digest(b""))
        assert request.bytes
        with pytest.raises(SigningError):
            await anext(request.events())


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (None, 2**64), (5, 4)])
async def test_ranges_that_cannot_be(
    network: AsyncNetwork, start: int | None, stop: int | None
) -> None:
    with pytest.raises(ValueError, match="lock"):
        network.block_events(start, stop)
