"""Events on the real network: what a peer does, trap by trap, and what our streams make of it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from fabric_protos.common import common_pb2

from integration.events_help import (
    ALONE,
    CHAINCODE,
    CHANNEL,
    connect,
    endpoints,
    event_network,
    open_event_streams,
    until,
)
from medfab_gateway import (
    AsyncContract,
    AsyncEventStream,
    AsyncInMemoryCheckpointer,
    AsyncNetwork,
    Checkpoint,
    DeliverError,
    Endpoint,
)
from medfab_gateway._events._requests_async import AsyncBlockEventsRequest
from medfab_gateway._messages.deliver import build_seek_payload
from medfab_network import Network

pytestmark = pytest.mark.integration


class Care:
    """The network, seen by the hospital's administrator through the first peer."""

    def __init__(self, running: Network, first: Endpoint, channel: AsyncNetwork) -> None:
        self.running = running
        self.first = first
        self.channel = channel
        self.contract: AsyncContract = channel.contract(CHAINCODE)

    async def emit(self, name: str, payload: str = "") -> int:
        """The number of its block."""
        submitted = await self.contract.submit_async("Emit", name, payload)
        return (await submitted.commit.status()).block_number

    async def quiet(self) -> Checkpoint:
        """A transaction without an event, handled."""
        submitted = await self.contract.submit_async("Quiet", "key")
        status = await submitted.commit.status()
        assert status.successful
        checkpointer = AsyncInMemoryCheckpointer()
        await checkpointer.checkpoint_transaction(status.block_number, status.transaction_id)
        checkpoint = await checkpointer.load()
        assert checkpoint is not None
        return checkpoint


@pytest.fixture(scope="module")
async def care(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Care]:
    directory = tmp_path_factory.mktemp("events") / "net"
    async with event_network(directory) as network, AsyncExitStack() as stack:
        first = endpoints(network)[0]
        gateway = await stack.enter_async_context(connect(network, first))
        yield Care(network, first, gateway.network(CHANNEL))


async def take(stream: AsyncEventStream[Any], count: int) -> list[Any]:
    async with asyncio.timeout(30):
        return [await anext(stream) for _ in range(count)]


async def test_every_kind_from_a_block_and_from_now(care: Care) -> None:
    begin = await care.emit("first", "one")
    channel = care.channel
    async with (
        channel.chaincode_events(CHAINCODE, begin) as events,
        channel.block_events(begin) as blocks,
        channel.filtered_block_events(begin) as filtered,
        channel.chaincode_events(CHAINCODE) as new_events,
        channel.filtered_block_events() as new_blocks,
    ):
        (event,) = await take(events, 1)
        assert (event.block_number, event.name, event.payload) == (begin, "first", b"one")
        (block,) = await take(blocks, 1)
        assert block.transactions[0].transaction_id == event.transaction_id
        (outcome,) = (await take(filtered, 1))[0].transactions
        assert (outcome.transaction_id, outcome.event_name) == (event.transaction_id, "first")
        news = [asyncio.create_task(take(stream, 1)) for stream in (new_events, new_blocks)]
        await asyncio.gather(*(until_begun(stream) for stream in (new_events, new_blocks)))
        second = await care.emit("second")
        (event,), (outcome_block,) = await asyncio.gather(*news)
        assert (event.name, event.block_number, outcome_block.number) == ("second", second, second)


async def until_begun(stream: AsyncEventStream[Any]) -> None:
    """Until a stream that begins now knows where that is."""
    feed: Any = stream._feed
    await until(lambda: bool(getattr(feed, "_began", False) or getattr(feed, "_next_block", None)))


async def test_private_data_is_closed_where_there_are_others_and_open_where_there_are_none(
    care: Care,
) -> None:
    collection = "_implicit_org_HospitalMSP"
    stream = care.channel.block_and_private_data_events(0)
    with pytest.raises(DeliverError, match="event/Block") as raised:
        await take(stream, 1)
    assert raised.value.code is grpc.StatusCode.PERMISSION_DENIED
    async with connect(care.running, care.first) as gateway:
        alone = gateway.network(ALONE)
        contract = alone.contract("solo")
        submitted = await contract.submit_async("PutPrivate", collection, "key", "value")
        status = await submitted.commit.status()
        number = status.block_number
        (both,) = await take(alone.block_and_private_data_events(number, number), 1)
        (written,) = both.private_data
        assert (written.namespace, written.collection) == ("solo", collection)
        assert [(write.key, write.value) for write in written.writes] == [("key", b"value")]
        (block,) = await take(alone.block_events(number, number), 1)
        assert block.transactions[0].transaction_id == status.transaction_id


async def test_only_valid_transactions_have_events(care: Care) -> None:
    """Of two that change what both have read, one is in the block and without effect."""
    begin = await care.emit("before")
    proposals = [care.contract.proposal("Touch", "contended") for _ in range(2)]
    endorsed = [await proposal.endorse() for proposal in proposals]
    commits = [await transaction.submit() for transaction in endorsed]
    statuses = [await commit.status() for commit in commits]
    assert sorted(status.code for status in statuses) == ["MVCC_READ_CONFLICT", "VALID"]
    await care.emit("after")
    async with care.channel.chaincode_events(CHAINCODE, begin) as events:
        names = [event.name for event in await take(events, 3)]
    assert names == ["before", "touched", "after"]


async def test_a_peer_asked_to_go_on_after_a_transaction_without_event_is_silent_for_ever(
    care: Care,
) -> None:
    """gateway.md §2.13, of the peer; then that our checkpoints are not caught in it.

    At the second peer: such a stream never has anything to send, so that its permit is never
    given back, and other tests count those of the first.
    """
    checkpoint = await care.quiet()
    async with connect(care.running, endpoints(care.running)[1]) as gateway:
        channel = gateway.network(CHANNEL)
        request = channel.chaincode_events_request(
            CHAINCODE, checkpoint.block_number, after_transaction_id=checkpoint.transaction_id
        )
        trapped = request.events()
        ours = channel.chaincode_events(CHAINCODE, checkpoint=checkpoint)
        silent = asyncio.create_task(anext(trapped))
        for name in ("one", "two", "three"):
            await care.emit(name)
        assert [event.name for event in await take(ours, 3)] == ["one", "two", "three"]
        done, _ = await asyncio.wait([silent], timeout=1)
        assert not done
        silent.cancel()


async def test_after_transaction_id_overrides_the_start_position(care: Care) -> None:
    """gateway.md §2.13: its block is where the peer begins, whatever was asked for."""
    await care.emit("early")
    begin = await care.emit("middle")
    await care.emit("late")
    (middle,) = await take(care.channel.chaincode_events(CHAINCODE, begin), 1)
    request = care.channel.chaincode_events_request(
        CHAINCODE, 0, after_transaction_id=middle.transaction_id
    )
    assert [event.name for event in await take(request.events(), 1)] == ["late"]


async def test_going_on_within_a_block(care: Care) -> None:
    """Many transactions in one block: a checkpoint in its middle is gone on with exactly there."""
    begin = await care.emit("before")
    await asyncio.gather(*(care.emit(f"together-{number}") for number in range(20)))
    async with care.channel.chaincode_events(CHAINCODE, begin) as events:
        all_of_them = await take(events, 21)
    assert any(
        one.block_number == next_one.block_number
        for one, next_one in itertools.pairwise(all_of_them)
    )
    for index in range(0, 20, 3):
        checkpointer = AsyncInMemoryCheckpointer()
        await checkpointer.checkpoint_chaincode_event(all_of_them[index])
        stream = care.channel.chaincode_events(CHAINCODE, checkpoint=await checkpointer.load())
        async with stream as rest:
            assert await take(rest, 20 - index) == all_of_them[index + 1 :]


async def test_a_cancelled_stream_keeps_its_permit_until_the_next_event(care: Care) -> None:
    """gateway.md §3, by the peer's own count: the reason for sharing one stream."""
    await until_all_ended(care)
    for number in range(3):
        stream = care.channel.chaincode_events_request(CHAINCODE).events()
        reader = asyncio.create_task(anext(stream))
        await until_open(care, number + 1)
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await reader
    await care.contract.submit("Quiet", "key")  # a block, but no event: none is given back
    assert await open_event_streams(care.running) == 3
    await care.emit("this one cannot be sent")
    await until_open(care, 0)


async def until_all_ended(care: Care) -> None:
    """Emits until the peer has given back all permits: each event ends those cancelled before."""
    async with asyncio.timeout(30):
        while await open_event_streams(care.running):
            await care.emit("so that nothing older is open")


async def until_open(care: Care, count: int) -> None:
    async with asyncio.timeout(30):
        while await open_event_streams(care.running) != count:
            await asyncio.sleep(0.05)


async def test_many_readers_have_one_stream_at_the_peer(care: Care) -> None:
    """Two hundred of them, some of them from further back; and one that comes and goes."""
    await until_all_ended(care)
    begin = await care.emit("begin")
    await care.emit("begun")
    channel = care.channel
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(channel.chaincode_events(CHAINCODE, begin + number % 2))
            for number in range(200)
        ]
        first = await asyncio.gather(*(take(stream, 1) for stream in streams))
        assert {event.name for (event,) in first} == {"begin", "begun"}
        for _ in range(20):
            async with channel.chaincode_events(CHAINCODE, begin) as polling:
                await take(polling, 1)
        assert await open_event_streams(care.running) == 1
        waiting = [asyncio.create_task(take(s, 1 + (n + 1) % 2)) for n, s in enumerate(streams)]
        await care.emit("for all")
        received = await asyncio.gather(*waiting)
        assert {events[-1].name for events in received} == {"for all"}
    await until_all_ended(care)  # nobody is left, and so the stream ends


@pytest.mark.parametrize(
    ("minutes", "code"),
    [(16, grpc.StatusCode.INVALID_ARGUMENT), (-16, grpc.StatusCode.INVALID_ARGUMENT)],
)
async def test_block_requests_expire(care: Care, minutes: int, code: grpc.StatusCode) -> None:
    """gateway.md §2.13: the reason why each connection has a request of its own."""
    client = care.channel._client
    payload = build_seek_payload(
        identity=client.identity,
        channel_id=CHANNEL,
        start_block=0,
        stop_block=None,
        timestamp_ns=time.time_ns() + minutes * 60_000_000_000,
        tls_certificate_hash=None,
    )
    envelope = common_pb2.Envelope(payload=payload)
    request = AsyncBlockEventsRequest(client, envelope, channel_name=CHANNEL)
    with pytest.raises(DeliverError, match=r"(?s)BAD_REQUEST.*clock") as raised:
        await take(request.events(), 1)
    assert raised.value.code is code


async def test_chaincode_event_requests_do_not_expire_and_are_usable_again(care: Care) -> None:
    """gateway.md §2.11: they hold neither time nor nonce."""
    begin = await care.emit("again")
    request = care.channel.chaincode_events_request(CHAINCODE, begin)
    for _ in range(2):
        async with request.events() as events:
            assert [event.name for event in await take(events, 1)] == ["again"]


async def test_refusals_are_typed(care: Care) -> None:
    """gateway.md §3: in-band for blocks, as a gRPC status for chaincode events."""
    async with (
        connect(care.running, care.first) as ours,
        connect(care.running, care.first, organization="clinic") as theirs,
    ):
        nowhere, forbidden = ours.network("nowhere"), theirs.network(ALONE)
        for network, code in (
            (nowhere, grpc.StatusCode.NOT_FOUND),
            (forbidden, grpc.StatusCode.PERMISSION_DENIED),
        ):
            with pytest.raises(DeliverError) as raised:
                await take(network.chaincode_events("solo", 0), 1)
            # The gateway service looks for the policy first, and finds none.
            assert raised.value.code is grpc.StatusCode.PERMISSION_DENIED
            for stream in (
                network.block_events(0),
                network.filtered_block_events(0),
                network.block_and_private_data_events(0),
            ):
                events: AsyncEventStream[Any] = stream
                with pytest.raises(DeliverError) as raised:
                    await take(events, 1)
                assert raised.value.code is code
        with pytest.raises(DeliverError, match="NOT_FOUND"):
            await take(care.channel.filtered_block_events(10_000), 1)


async def test_one_bad_writer_does_not_stop_every_reader(care: Care) -> None:
    """A transaction that nobody can take apart: the peer answers `BAD_REQUEST` for its block."""
    proposal = care.contract.proposal("Emit", "broken", "")
    transaction = await proposal.endorse()
    envelope = transaction._message.envelope
    payload = common_pb2.Payload.FromString(envelope.payload)
    payload.data = b"\xff\xff\xff"
    client = care.channel._client
    envelope.payload = payload.SerializeToString()
    envelope.signature = await client.sign(envelope.payload)
    status = await (await transaction.submit()).status()
    assert status.code == "INVALID_ENDORSER_TRANSACTION"
    bad = status.block_number
    after = await care.emit("after")
    for stream in (care.channel.filtered_block_events(bad, after), care.channel.block_events(bad)):
        events: AsyncEventStream[Any] = stream
        blocks = await take(events, after - bad + 1)
        assert blocks[0].transactions[0].transaction_id == status.transaction_id
        assert [block.number for block in blocks] == list(range(bad, after + 1))
    (event,) = await take(care.channel.chaincode_events(CHAINCODE, bad), 1)
    assert event.name == "after"
