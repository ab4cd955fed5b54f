"""Many transactions at once and many in a row, against the server as a process of its own.

CI runs a part of it; MEDFAB_SOAK=1 runs 10,000 transactions at concurrency 256, 200,000 for the
memory, and as many pings as a peer sends in an idle hour.
"""

import asyncio

import psutil

from soak import SOAK, record
from unit.chaincode.conftest import Certificates
from unit.chaincode.fake_peer import FakePeer, connect
from unit.chaincode.test_shim_cli import LEDGER, running

AT_ONCE = 256
TRANSACTIONS = 10_000 if SOAK else 2_000
IN_A_ROW = 200_000 if SOAK else 4_000
PINGS = 60 if SOAK else 8


async def swap(peer: FakePeer, number: int) -> None:
    """A transaction whose answer only it can have: its id, its channel and its key's value."""
    channel, transaction_id = ("care", "supply")[number % 2], f"tx{number // 2}"
    key, old, new = f"key{number}", f"old{number}".encode(), f"new{number}".encode()
    peer.ledger["", key] = peer.ledger["secrets", key] = old
    result = await peer.invoke(
        "Swap", key, new, channel=channel, transaction_id=transaction_id, timeout=60
    )
    assert result.payload.decode() == f"{old!r} {old!r} {[old]!r} {transaction_id} {channel}"
    assert result.writes == {("", key): new, ("secrets", key): new}
    del peer.ledger["", key], peer.ledger["secrets", key]


async def run(peer: FakePeer, numbers: range, at_once: int) -> None:
    gate = asyncio.Semaphore(at_once)

    async def one(number: int) -> None:
        async with gate:
            await swap(peer, number)

    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(one(number))


async def test_none_lost_none_doubled_none_crossed(certificates: Certificates) -> None:
    async with (
        running(certificates, LEDGER, "--log-level", "warning") as chaincode,
        connect(chaincode.address, certificates.credentials()) as peer,
    ):
        await run(peer, range(TRANSACTIONS), AT_ONCE)
        assert peer.dropped == 0
        assert len(peer.terminals) == TRANSACTIONS
        assert set(peer.terminals.values()) == {1}
    record(
        "chaincode at a mock peer",
        transactions=TRANSACTIONS,
        concurrency=AT_ONCE,
        lost_doubled_or_crossed=0,
    )


async def test_memory_stays_flat(certificates: Certificates) -> None:
    async with (
        running(certificates, LEDGER, "--log-level", "warning") as chaincode,
        connect(chaincode.address, certificates.credentials()) as peer,
    ):
        process = psutil.Process(chaincode.process.pid)
        part = IN_A_ROW // 4
        sizes = []
        for begin in range(0, IN_A_ROW, part):
            await run(peer, range(begin, begin + part), 64)
            peer.terminals.clear()
            sizes.append(process.memory_info().rss / 2**20)
    assert sizes[-1] - sizes[0] < 8, sizes
    record(
        "memory of the chaincode",
        transactions=IN_A_ROW,
        mebibytes_after_each_quarter=[round(size, 1) for size in sizes],
    )


async def test_an_idle_hour_of_pings_is_survived(certificates: Certificates) -> None:
    """A peer pings each minute; here each second. gRPC's default hangs up after the third."""
    often = (
        ("grpc.keepalive_time_ms", 1_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    )
    async with (
        running(certificates, LEDGER) as chaincode,
        connect(chaincode.address, certificates.credentials(), options=often) as peer,
    ):
        assert (await peer.invoke("Get", "a")).status == 200
        await asyncio.sleep(PINGS)  # idle, which is what is tested
        assert (await peer.invoke("Get", "a")).status == 200
    record("idle stream of the chaincode", pings=PINGS)
