"""One stream behind many readers: what each gets, what is kept, and how many streams there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from medfab_gateway import (
    AsyncEventStream,
    AsyncNetwork,
    GatewayOptions,
    Reconnect,
    private_key_signer,
)
from medfab_gateway._events import _shared, _shared_async
from unit.gateway.fake_gateway import make_identity, serve
from unit.gateway.fake_ledger import FakeLedger, Transaction
from unit.gateway.forms import Connect

IDENTITY, KEY = make_identity()
OPTIONS = GatewayOptions(reconnect=Reconnect(first_delay=0.01, max_delay=0.05))
KEPT, READ_AHEAD = 20, 4


@pytest.fixture
async def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
async def network(
    ledger: FakeLedger, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncNetwork]:
    """With little kept, so that a reader falls behind soon."""
    for module in (_shared, _shared_async):
        monkeypatch.setattr(module, "_KEPT_BLOCKS", KEPT)
        monkeypatch.setattr(module, "_READ_AHEAD", READ_AHEAD)
    signer = private_key_signer(KEY)
    async with (
        serve(ledger) as endpoint,
        connect(endpoint, IDENTITY, signer, options=OPTIONS) as gateway,
    ):
        yield gateway.network("care")


def emit(ledger: FakeLedger, count: int = 1, payload: bytes = b"") -> None:
    """Blocks with one event each, which is called as its block."""
    for _ in range(count):
        name = str(len(ledger.blocks))
        ledger.commit(Transaction(id=f"tx-{name}", event=name, payload=payload))


async def take(stream: AsyncEventStream[Any], count: int) -> list[int]:
    async with asyncio.timeout(60):
        return [int((await anext(stream)).name) for _ in range(count)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def test_many_readers_have_one_stream(ledger: FakeLedger, network: AsyncNetwork) -> None:
    emit(ledger, 3)
    streams = [network.chaincode_events("ehr", start) for start in (0, 0, 1, 2, 0, 1)]
    # In threads any of them may come first, and the others would want more than its stream has.
    firsts = [await take(streams[0], 1)]
    firsts += await asyncio.gather(*(take(stream, 1) for stream in streams[1:]))
    assert firsts == [[0], [0], [1], [2], [0], [1]]
    waiting = [
        asyncio.create_task(take(stream, 3 - i))
        for stream, (i,) in zip(streams, firsts, strict=True)
    ]
    emit(ledger)
    assert [received[-1] for received in await asyncio.gather(*waiting)] == [3] * 6
    assert ledger.opened == [("ChaincodeEvents", 0)]


async def test_one_stream_for_each_channel_and_chaincode(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    ledger.commit(Transaction(id="1", event="0"), Transaction(id="2", event="0", chaincode="b"))
    one, other = network.chaincode_events("ehr", 0), network.chaincode_events("b", 0)
    assert [*await asyncio.gather(take(one, 1), take(other, 1))] == [[0], [0]]
    assert ledger.open_now == 2


async def test_a_slow_reader_holds_nobody_up_and_loses_nothing(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    total = KEPT * 10
    emit(ledger, total)
    slow, fast = network.chaincode_events("ehr", 0), network.chaincode_events("ehr", 0)
    assert await take(slow, 1) == [0]
    assert await take(fast, total) == list(range(total))
    assert await take(slow, total - 1) == list(range(1, total))
    # Both at the end: they change over to the older stream, and the other one ends.
    waiting = [asyncio.create_task(take(stream, 3)) for stream in (slow, fast)]
    for _ in range(3):
        emit(ledger)
        await asyncio.sleep(0.05)
    assert await asyncio.gather(*waiting) == [[total, total + 1, total + 2]] * 2
    await until(lambda: ledger.open_now == 1)


async def test_without_readers_that_want_more_nothing_more_is_read(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    """Back-pressure: of what the peer could send, no more than a few blocks are taken in."""
    emit(ledger, 500)
    stream = network.chaincode_events("ehr", 0)
    assert await take(stream, 1) == [0]
    (shared,) = kept_streams(network)
    await until(lambda: len(shared._kept) >= READ_AHEAD)
    assert await take(stream, 1) == [1]
    assert len(shared._kept) <= 2 + READ_AHEAD
    assert await take(stream, 400) == list(range(2, 402))
    assert len(shared._kept) <= KEPT


async def test_what_is_kept_is_bounded_by_its_size_as_well(
    ledger: FakeLedger, network: AsyncNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (_shared, _shared_async):
        monkeypatch.setattr(module, "_KEPT_BYTES", 4500)
    emit(ledger, 12, payload=bytes(1000))
    stream = network.chaincode_events("ehr", 0)
    assert await take(stream, 12) == list(range(12))
    (shared,) = kept_streams(network)
    assert len(shared._kept) == 3
    assert shared._kept_bytes == 3 * (1000 + 500)


async def test_who_comes_and_goes_uses_the_stream_that_is_there(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    emit(ledger)
    for _ in range(10):
        async with network.chaincode_events("ehr", 0) as events:
            assert await take(events, 1) == [0]
    assert ledger.opened == [("ChaincodeEvents", 0)]
    emit(ledger)  # nobody is left to have it
    await until(lambda: ledger.open_now == 0)


async def test_a_dropped_reader_counts_no_longer(ledger: FakeLedger, network: AsyncNetwork) -> None:
    emit(ledger)
    async for _ in network.chaincode_events("ehr", 0):
        break
    await until(lambda: ledger.open_now == 1)
    emit(ledger)
    await until(lambda: ledger.open_now == 0)


async def test_closing_one_reader_leaves_the_others(
    ledger: FakeLedger, network: AsyncNetwork
) -> None:
    emit(ledger)
    closed, open_ = network.chaincode_events("ehr", 0), network.chaincode_events("ehr", 0)
    await asyncio.gather(take(closed, 1), take(open_, 1))
    ended = asyncio.create_task(rest_of(closed))
    waiting = asyncio.create_task(take(open_, 1))
    await asyncio.sleep(0.05)  # so that both wait
    await closed.aclose()
    async with asyncio.timeout(60):
        assert await ended == []
    emit(ledger)
    assert await waiting == [1]


async def rest_of(stream: AsyncEventStream[Any]) -> list[Any]:
    return [event async for event in stream]


def kept_streams(network: AsyncNetwork) -> list[Any]:
    inner: Any = getattr(network, "_target", network)
    (streams,) = inner._events._streams._streams.values()
    return list(streams)
