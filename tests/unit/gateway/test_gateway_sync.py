"""What the synchronous client is used for: threads, plain loops, Ctrl-C. No event loop is near it.

All else that it does is tested together with the asynchronous one, by the fixture `connect`.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from medfab_gateway import (
    ConnectionFailedError,
    DeliverError,
    Endpoint,
    Gateway,
    Network,
    OutcomeUnknownError,
    private_key_signer,
)
from unit.gateway.fake_gateway import FakeGateway, block_response, make_identity, serve

IDENTITY, KEY = make_identity()
THREADS = 16


@contextmanager
def serving(fake: FakeGateway) -> Iterator[Endpoint]:
    """`fake`, served by a thread of its own."""
    ready, stop = threading.Event(), asyncio.Event()
    found: list[Any] = []

    async def run() -> None:
        async with serve(fake) as endpoint:
            found.extend((endpoint, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    server = threading.Thread(target=lambda: asyncio.run(run()))
    server.start()
    try:
        assert ready.wait(10)
        yield found[0]
    finally:
        found[1].call_soon_threadsafe(stop.set)
        server.join(10)


@pytest.fixture
def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def endpoint(fake: FakeGateway) -> Iterator[Endpoint]:
    with serving(fake) as endpoint:
        yield endpoint


@pytest.fixture
def network(endpoint: Endpoint) -> Iterator[Network]:
    with Gateway.connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway:
        yield gateway.network("care")


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_one_gateway_for_many_threads(fake: FakeGateway, network: Network) -> None:
    fake.deliver = [block_response(number) for number in range(50)] + [None]
    contract = network.contract("ehr")
    begin = threading.Barrier(THREADS)

    def work(number: int) -> list[str]:
        begin.wait(10)
        ids = []
        with network.block_events(0) as blocks:
            for _ in range(5):
                assert contract.evaluate("Read", str(number)) == b"result"
                submitted = contract.submit_async("Move", str(number))
                assert submitted.commit.status().successful
                ids.append(submitted.transaction_id)
                assert [next(blocks).number for _ in range(10)][-1] == len(ids) * 10 - 1
        return ids

    with ThreadPoolExecutor(THREADS) as executor:
        ids = [transaction for ids in executor.map(work, range(THREADS)) for transaction in ids]
    assert len(set(ids)) == THREADS * 5
    assert fake.calls.count("Submit") == THREADS * 5
    until(lambda: fake.cancelled["Deliver"] == THREADS)


def test_waiting_threads_do_not_stop_each_other(fake: FakeGateway, network: Network) -> None:
    fake.delays["Evaluate"] = 0.3
    contract = network.contract("ehr")
    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as executor:
        assert set(executor.map(lambda _: contract.evaluate("F"), range(THREADS))) == {b"result"}
    assert time.monotonic() - began < 0.3 * THREADS / 2


def test_a_loop_that_is_left_ends_the_stream(fake: FakeGateway, network: Network) -> None:
    fake.deliver = [block_response(0), None]
    for block in network.block_events(0):
        assert block.number == 0
        break
    until(fake.deliver_ended.is_set)


def test_a_stream_that_is_closed_while_it_opens_does_not_wait(
    fake: FakeGateway, endpoint: Endpoint
) -> None:
    fake.deliver = [None]
    signer = private_key_signer(KEY)

    def closing(digest: bytes) -> bytes:
        # The last step before the call: here another thread's close() finds no stream to end.
        blocks.close()
        return signer(digest)

    with Gateway.connect(endpoint, IDENTITY, closing) as gateway:
        blocks = gateway.network("care").block_events()
        read: list[int] = []
        reader = threading.Thread(target=lambda: read.extend(b.number for b in blocks))
        reader.start()
        reader.join(5)
        ended = not reader.is_alive()
    reader.join(5)
    assert ended
    assert read == []


def test_closing_the_gateway_ends_what_other_threads_wait_for(
    fake: FakeGateway, endpoint: Endpoint
) -> None:
    fake.deliver = [block_response(0), None]
    fake.delays["Submit"] = 30
    gateway = Gateway.connect(endpoint, IDENTITY, private_key_signer(KEY))
    network = gateway.network("care")
    contract = network.contract("ehr")
    with ThreadPoolExecutor(2) as executor:
        reading = executor.submit(lambda: [*network.block_events(0)])
        submitting = executor.submit(contract.submit, "Move")
        until(lambda: {"Deliver", "Submit"} <= {*fake.calls})
        time.sleep(0.05)  # so that the reader waits for the second block
        gateway.close()
        with pytest.raises(DeliverError, match="gateway was closed"):
            reading.result(5)
        with pytest.raises(OutcomeUnknownError, match=r"(?s)gateway is closed.*not known yet"):
            submitting.result(5)
    with pytest.raises(ConnectionFailedError, match="no effect"):
        contract.evaluate("F")
    with pytest.raises(ConnectionFailedError, match="no effect"):
        next(network.block_events())


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("Evaluate", lambda network: network.contract("ehr").evaluate("F")),
        ("Deliver", lambda network: next(network.block_events())),
    ],
)
def test_ctrl_c_leaves_nothing_running(
    fake: FakeGateway, network: Network, method: str, call: Callable[[Network], object]
) -> None:
    fake.delays["Evaluate"] = 30
    fake.deliver = [None]

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            call(network)
    finally:
        signal.signal(signal.SIGALRM, before)
    until(lambda: fake.cancelled[method])


def test_a_supplied_channel_is_left_open(endpoint: Endpoint) -> None:
    with endpoint.open_blocking_channel() as channel:
        for _ in range(2):
            with Gateway.connect(channel, IDENTITY, private_key_signer(KEY)) as gateway:
                assert gateway.network("care").contract("ehr").evaluate("F") == b"result"
