"""Streams of events that go on where their connection broke, at a peer with a growing ledger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from medfab_gateway import (
    AsyncEventStream,
    AsyncNetwork,
    Checkpoint,
    CheckpointError,
    ConnectionFailedError,
    DeliverError,
    Endpoint,
    GatewayOptions,
    Reconnect,
    Write,
    private_key_signer,
)
from unit.gateway.fake_gateway import (
    LIMITER_TEXT,
    Failure,
    make_identity,
    serve,
    status_response,
)
from unit.gateway.fake_ledger import FakeLedger, Transaction
from unit.gateway.forms import Connect

IDENTITY, KEY = make_identity()
OPTIONS = GatewayOptions(reconnect=Reconnect(first_delay=0.01, max_delay=0.05))
NOBODY = Endpoint("localhost:1", insecure=True)
KINDS: dict[str, tuple[str, Callable[[Any], int]]] = {
    "block_events": ("Deliver", lambda block: block.number),
    "filtered_block_events": ("DeliverFiltered", lambda block: block.number),
    "block_and_private_data_events": ("DeliverWithPrivateData", lambda both: both.block.number),
}


@pytest.fixture
async def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
async def network(ledger: FakeLedger, connect: Connect) -> AsyncIterator[AsyncNetwork]:
    signer = private_key_signer(KEY)
    async with (
        serve(ledger) as endpoint,
        connect(endpoint, IDENTITY, signer, options=OPTIONS) as gateway,
    ):
        yield gateway.network("care")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def take(stream: AsyncEventStream[Any], count: int) -> list[Any]:
    async with asyncio.timeout(60):
        return [await anext(stream) for _ in range(count)]


def emit(ledger: FakeLedger, *names: str) -> None:
    """A block with an event of each name; the transaction is called as its event."""
    ledger.commit(*(Transaction(id=f"tx-{name}", event=name) for name in names))


async def test_chaincode_events_say_all_that_a_consumer_needs(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    ledger.commit(Transaction(id="0", event="other", chaincode="another"))
    ledger.commit(
        Transaction(id="1", event="bad", valid=False),
        Transaction(id="2", event="filed", payload=b"secret"),
        Transaction(id="3"),
    )
    async with network.chaincode_events("ehr", 0) as events:
        (event,) = await take(events, 1)
    assert (event.block_number, event.transaction_id) == (1, "2")
    assert (event.chaincode_name, event.name, event.payload) == ("ehr", "filed", b"secret")
    assert "secret" not in repr(event)


async def test_the_next_commit_is_pinned_before_the_stream_is_opened(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    """What is committed while the first connection is lost is not missed either."""
    emit(ledger, "old")
    async with network.chaincode_events("ehr") as events:
        waiting = asyncio.create_task(take(events, 2))
        await until(lambda: ledger.open_now == 1)
        ledger.failures["ChaincodeEvents"] = Failure(
            code=grpc.StatusCode.UNAVAILABLE, text="going down"
        )
        ledger.break_streams()
        await until(lambda: ledger.open_now == 0)
        emit(ledger, "while away")
        ledger.failures.clear()
        emit(ledger, "back")
        assert [event.name for event in await waiting] == ["while away", "back"]
    assert ledger.opened == [("ChaincodeEvents", 1), ("ChaincodeEvents", 1)]


@pytest.mark.parametrize("kind", KINDS)
async def test_blocks_of_each_kind_go_on_after_a_break(
    ledger: FakeLedger, network: AsyncNetwork, kind: str
) -> None:
    method, number_of = KINDS[kind]
    for _ in range(3):
        emit(ledger, "a")
    stream = getattr(network, kind)(1)
    async with stream:
        first = await take(stream, 2)
        waiting = asyncio.create_task(take(stream, 2))
        await until(lambda: ledger.open_now == 1)
        ledger.break_streams()
        emit(ledger, "b")
        emit(ledger, "c")
        numbers = [number_of(block) for block in (*first, *await waiting)]
    assert numbers == [1, 2, 3, 4]
    assert ledger.opened == [(method, 1), (method, 3)]
    await until(lambda: ledger.open_now == 0)


async def test_block_requests_are_made_anew_for_each_connection(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    """Peers refuse a request that is more than 15 minutes old."""
    emit(ledger, "a")
    async with network.block_events(0) as blocks:
        await take(blocks, 1)
        waiting = asyncio.create_task(take(blocks, 1))
        ledger.break_streams()
        emit(ledger, "b")
        await waiting
    first, second = ledger.requests
    assert first.header.channel_header != second.header.channel_header


async def test_closed_blocks_are_read_by_number_and_go_on_too(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    ledger.closed_to_deliver = True
    emit(ledger, "a")
    async with network.block_events(0) as blocks:
        first = await take(blocks, 1)
        waiting = asyncio.create_task(take(blocks, 1))
        await until(lambda: ledger.open_now == 1)
        ledger.break_streams()
        emit(ledger, "b")
        assert [block.number for block in (*first, *await waiting)] == [0, 1]


async def test_private_data_closed_is_a_typed_error(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    ledger.closed_to_deliver = True
    emit(ledger, "a")
    with pytest.raises(DeliverError, match="event/Block in their ACLs") as raised:
        await take(network.block_and_private_data_events(0), 1)
    assert raised.value.code is grpc.StatusCode.PERMISSION_DENIED


async def test_private_data_and_filtered_blocks_are_typed(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    ledger.commit(Transaction(id="1"), Transaction(id="2", event="filed", valid=False))
    (both,) = await take(network.block_and_private_data_events(0, 0), 1)
    assert [t.transaction_id for t in both.block.transactions] == ["1", "2"]
    second = both.private_data[1]
    assert (second.transaction_number, second.namespace) == (1, "ehr")
    assert second.collection == "consents"
    assert second.writes == (Write(key="key", value=b"value", is_delete=False),)
    assert "value" not in repr(both)
    (filtered,) = await take(network.filtered_block_events(0, 0), 1)
    assert (filtered.number, filtered.channel_id) == (0, "care")
    assert [
        (t.transaction_id, t.type, t.validation_code, t.chaincode_name, t.event_name)
        for t in filtered.transactions
    ] == [
        ("1", "ENDORSER_TRANSACTION", "VALID", None, None),
        ("2", "ENDORSER_TRANSACTION", "MVCC_READ_CONFLICT", "ehr", "filed"),
    ]


async def test_a_range_that_breaks_ends_where_it_should(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    for _ in range(3):
        emit(ledger, "a")
    assert [block.number async for block in network.block_events(0, 1)] == [0, 1]


async def test_another_peer_takes_over(connect: Connect) -> None:
    first, second = FakeLedger(), FakeLedger()
    emit(first, "a")
    second.blocks = first.blocks
    signer = private_key_signer(KEY)
    async with (
        serve(first) as one,
        serve(second) as other,
        connect([NOBODY, one, other], IDENTITY, signer, options=OPTIONS) as gateway,
        gateway.network("care").chaincode_events("ehr", 0) as events,
    ):
        await take(events, 1)
        waiting = asyncio.create_task(take(events, 1))
        first.failures["ChaincodeEvents"] = Failure(
            code=grpc.StatusCode.UNAVAILABLE, text="going down"
        )
        first.break_streams()
        await until(lambda: second.open_now == 1)
        emit(second, "b")
        assert [event.name for event in await waiting] == ["b"]


async def test_a_peer_that_is_behind_is_waited_for(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    """It answers NOT_FOUND for a block that the other one has delivered before."""
    for name in "abc":
        emit(ledger, name)
    async with network.block_events(0) as blocks:
        await take(blocks, 3)
        waiting = asyncio.create_task(take(blocks, 1))
        await until(lambda: ledger.open_now == 1)
        ledger.lag = 2
        ledger.break_streams()
        await until(lambda: len(ledger.opened) >= 1 and ledger.calls.count("Deliver") >= 3)
        emit(ledger, "d")
        ledger.catch_up()
        assert [block.number for block in await waiting] == [3]
    with pytest.raises(DeliverError, match="NOT_FOUND"):
        await take(network.block_events(17), 1)


REFUSALS: list[Callable[[FakeLedger], None]] = [
    lambda ledger: ledger.break_streams(grpc.StatusCode.PERMISSION_DENIED, "revoked"),
    lambda ledger: ledger.break_streams(grpc.StatusCode.INVALID_ARGUMENT, "the clock"),
]


@pytest.mark.parametrize("refuse", REFUSALS)
async def test_what_does_not_pass_is_raised(
    ledger: FakeLedger, network: AsyncNetwork, refuse: Callable[[FakeLedger], None]
) -> None:
    emit(ledger, "a")
    async with network.chaincode_events("ehr", 0) as events:
        await take(events, 1)
        waiting = asyncio.create_task(take(events, 1))
        await until(lambda: ledger.open_now == 1)
        refuse(ledger)
        with pytest.raises(DeliverError):
            await waiting
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_a_busy_peer_is_waited_for(ledger: FakeLedger, network: AsyncNetwork) -> None:
    emit(ledger, "a")
    ledger.failures["ChaincodeEvents"] = Failure(code=grpc.StatusCode.UNKNOWN, text=LIMITER_TEXT)
    waiting = asyncio.create_task(take(network.chaincode_events("ehr", 0), 1))
    await until(lambda: ledger.calls.count("ChaincodeEvents") >= 2)
    ledger.failures.clear()
    assert [event.name for event in await waiting] == ["a"]


async def test_an_address_at_which_nobody_ever_answered_is_wrong(connect: Connect) -> None:
    signer = private_key_signer(KEY)
    async with connect(NOBODY, IDENTITY, signer, options=OPTIONS) as gateway:
        network = gateway.network("care")
        for stream in (network.chaincode_events("ehr", 0), network.block_events()):
            with pytest.raises(ConnectionFailedError):
                await take(stream, 1)


async def test_giving_up(ledger: FakeLedger, connect: Connect) -> None:
    options = GatewayOptions(reconnect=Reconnect(first_delay=0.01, give_up_after=0.2))
    emit(ledger, "a")
    signer = private_key_signer(KEY)
    async with (
        serve(ledger) as endpoint,
        connect(endpoint, IDENTITY, signer, options=options) as gateway,
        gateway.network("care").chaincode_events("ehr", 0) as events,
    ):
        await take(events, 1)
        ledger.failures["ChaincodeEvents"] = Failure(
            code=grpc.StatusCode.UNAVAILABLE, text="going down"
        )
        ledger.break_streams()
        with pytest.raises(DeliverError, match="going down"):
            await take(events, 1)
    assert ledger.calls.count("ChaincodeEvents") >= 3


async def test_each_interruption_is_logged_without_payloads(
    ledger: FakeLedger, network: AsyncNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.commit(Transaction(id="1", event="filed", payload=b"Ada Lovelace"))
    with caplog.at_level(logging.DEBUG, "medfab_gateway"):
        async with network.chaincode_events("ehr", 0) as events:
            await take(events, 1)
            waiting = asyncio.create_task(take(events, 1))
            await until(lambda: ledger.open_now == 1)
            ledger.break_streams()
            emit(ledger, "b")
            await waiting
    (record,) = [r for r in caplog.records if r.name == "medfab_gateway.events"]
    assert "Reading the events of chaincode ehr on care failed" in record.message
    assert "Trying again in" in record.message
    assert "Ada" not in caplog.text


async def test_closing_ends_a_stream_that_waits_for_its_next_attempt(
    ledger: FakeLedger, connect: Connect
) -> None:
    options = GatewayOptions(reconnect=Reconnect(first_delay=60, max_delay=60))
    emit(ledger, "a")
    signer = private_key_signer(KEY)
    async with (
        serve(ledger) as endpoint,
        connect(endpoint, IDENTITY, signer, options=options) as gateway,
    ):
        network = gateway.network("care")
        for stream in (network.block_events(0), network.chaincode_events("ehr", 0)):
            events: AsyncEventStream[Any] = stream
            await take(events, 1)
            reader = asyncio.create_task(rest_of(events))
            await until(lambda: ledger.open_now == 1)
            ledger.break_streams()
            await until(lambda: ledger.open_now == 0)
            await events.aclose()
            async with asyncio.timeout(60):
                assert await reader == []


async def rest_of(stream: AsyncEventStream[Any]) -> list[Any]:
    return [event async for event in stream]


async def test_closing_the_gateway_ends_the_streams(ledger: FakeLedger, connect: Connect) -> None:
    emit(ledger, "a")
    async with serve(ledger) as endpoint:
        gateway = connect(endpoint, IDENTITY, private_key_signer(KEY), options=OPTIONS)
        events = gateway.network("care").chaincode_events("ehr", 0)
        await take(events, 1)
        reader = asyncio.create_task(rest_of(events))
        await until(lambda: ledger.open_now == 1)
        await gateway.close()
        async with asyncio.timeout(60):
            with pytest.raises(DeliverError, match="gateway was closed"):
                await reader
        await until(lambda: ledger.open_now == 0)


@pytest.mark.parametrize(
    ("checkpoint", "expected"),
    [
        (None, ["a", "b", "c", "d"]),
        (Checkpoint(block_number=1), ["d"]),
        (Checkpoint(block_number=0, transaction_id="tx-a"), ["b", "c", "d"]),
        # A transaction without an event: asked to go on after it, a peer would be silent for ever.
        (Checkpoint(block_number=0, transaction_id="silent"), ["c", "d"]),
        (Checkpoint(block_number=0, transaction_id="tx-c"), ["d"]),
    ],
)
async def test_going_on_after_a_checkpoint(
    ledger: FakeLedger,
    network: AsyncNetwork,
    checkpoint: Checkpoint | None,
    expected: list[str],
) -> None:
    ledger.commit(
        Transaction(id="tx-a", event="a"),
        Transaction(id="tx-b", event="b"),
        Transaction(id="silent"),
        Transaction(id="tx-c", event="c"),
    )
    emit(ledger, "d")
    async with network.chaincode_events("ehr", 0, checkpoint=checkpoint) as events:
        assert [event.name for event in await take(events, len(expected))] == expected
        waiting = asyncio.create_task(take(events, 1))
        emit(ledger, "e")
        assert [event.name for event in await waiting] == ["e"]


async def test_block_streams_deliver_the_block_of_a_checkpointed_transaction_again(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    for name in "ab":
        emit(ledger, name)
    checkpoint = Checkpoint(block_number=1, transaction_id="tx-b")
    (block,) = await take(network.block_events(0, checkpoint=checkpoint), 1)
    assert block.number == 1
    handled = Checkpoint(block_number=2)
    assert [b async for b in network.block_events(0, 1, checkpoint=handled)] == []


async def test_a_checkpoint_of_another_channel(ledger: FakeLedger, network: AsyncNetwork) -> None:
    emit(ledger, "a")
    checkpoint = Checkpoint(block_number=0, transaction_id="elsewhere")
    with pytest.raises(CheckpointError, match="block 0 there has no transaction elsewhere"):
        await take(network.chaincode_events("ehr", checkpoint=checkpoint), 1)


async def test_a_checkpoint_further_than_the_peer(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    for name in "abc":
        emit(ledger, name)
    ledger.lag = 2
    checkpoint = Checkpoint(block_number=2, transaction_id="tx-c")
    waiting = asyncio.create_task(take(network.chaincode_events("ehr", checkpoint=checkpoint), 1))
    await until(lambda: ledger.calls.count("ProcessProposal") >= 2)
    ledger.catch_up()
    emit(ledger, "d")
    assert [event.name for event in await waiting] == ["d"]


async def test_a_request_signed_elsewhere_gives_events_over_one_connection(
    ledger: FakeLedger, connect: Connect
) -> None:
    emit(ledger, "a")
    emit(ledger, "b")
    async with (
        serve(ledger) as endpoint,
        connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        network = gateway.network("care")
        request = network.chaincode_events_request("ehr", 0, after_transaction_id="tx-a")
        assert request.bytes
        async with request.events() as events:
            assert [event.name for event in await take(events, 1)] == ["a"]
        (asked,) = ledger.requests
        assert asked.after_transaction_id == "tx-a"
        stream = network.filtered_block_events_request(0).events()
        await take(stream, 2)
        ledger.break_streams()
        with pytest.raises(DeliverError, match="going down"):
            await take(stream, 1)


async def test_in_band_statuses_that_pass(ledger: FakeLedger, network: AsyncNetwork) -> None:
    emit(ledger, "a")
    whole, statuses = ledger._whole, [503, 500]

    def answer(number: int) -> Any:
        return status_response(statuses.pop()) if statuses else whole(number)

    ledger._whole = answer  # type: ignore[method-assign]
    assert [block.number for block in await take(network.block_events(0), 1)] == [0]


@pytest.mark.parametrize("kind", ["block_events", "filtered_block_events"])
async def test_one_bad_writer_does_not_stop_every_reader(
    ledger: FakeLedger, network: AsyncNetwork, kind: str
) -> None:
    """What the peer cannot filter is read by its number, at the beginning and later."""
    ledger.closed_to_deliver = True
    for name in "abcd":
        emit(ledger, name)
    ledger.unfilterable = {0, 2}
    blocks = await take(getattr(network, kind)(0), 4)
    assert [block.number for block in blocks] == [0, 1, 2, 3]
    assert [block.transactions[0].transaction_id for block in blocks] == [
        "tx-a",
        "tx-b",
        "tx-c",
        "tx-d",
    ]


async def test_a_refused_request_for_filtered_blocks_is_told_as_that(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    ledger.unfilterable = {0}
    emit(ledger, "a")
    ledger.failures["ProcessProposal"] = Failure(
        code=grpc.StatusCode.UNKNOWN, text="incorrect timestamp"
    )
    with pytest.raises(DeliverError, match="BAD_REQUEST"):
        await take(network.filtered_block_events(0), 1)
