"""Long lives: idle streams, many calls, many connections. `MEDFAB_SOAK=1`: in full size."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace

import psutil
import pytest

from medfab_gateway import Endpoint, EvaluateError, private_key_signer
from soak import SOAK, record
from unit.gateway.fake_gateway import FakeGateway, block_response, make_identity, serve
from unit.gateway.forms import FORMS, Connect

IDENTITY, KEY = make_identity()
CALLS = 50_000 if SOAK else 1_000
RECONNECTS = 1_000 if SOAK else 30


# A server that allows a ping each 0.3 s, as a peer does each 60 s; gRPC's own is 5 minutes.
PATIENT = (
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 300),
)


class Wire:
    """Passes connections on to a server, and counts what the client sends."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._host, _, self._port = endpoint.address.rpartition(":")
        self.sent = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def connected(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        server, to_server = await asyncio.open_connection(self._host, self._port)
        back = asyncio.create_task(self._pass(server, to_client))
        self._tasks.add(back)
        await self._pass(client, to_server, counted=True)

    async def _pass(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, counted: bool = False
    ) -> None:
        while data := await source.read(65536):
            self.sent += counted
            to.write(data)
        to.close()


async def test_an_idle_stream_survives(connect: Connect) -> None:
    """An hour at 120 s is 30 pings; here are some, half a second apart, and nothing else."""
    fake = FakeGateway(deliver=[block_response(7)], delays={"Deliver": 6})
    async with serve(fake, options=PATIENT) as endpoint:
        wire = Wire(endpoint)
        proxy = await asyncio.start_server(wire.connected, "localhost")
        port = proxy.sockets[0].getsockname()[1]
        pinging = replace(endpoint, address=f"localhost:{port}", keepalive=0.5)
        async with (
            connect(pinging, IDENTITY, private_key_signer(KEY)) as gateway,
            gateway.network("care").block_events(7) as blocks,
        ):
            reading = asyncio.create_task(anext(blocks))
            async with asyncio.timeout(30):
                while not fake.calls:
                    await asyncio.sleep(0.01)
                before = wire.sent
                assert (await reading).number == 7
        proxy.close()
    assert fake.calls == ["Deliver"]  # the same stream all the time
    assert wire.sent - before >= 4


async def test_a_server_ends_the_connection_of_who_pings_too_often(connect: Connect) -> None:
    fake = FakeGateway(delays={"Evaluate": 30})
    async with serve(fake) as endpoint:
        pinging = replace(endpoint, keepalive=0.5)
        async with connect(pinging, IDENTITY, private_key_signer(KEY)) as gateway:
            with pytest.raises(EvaluateError, match="Too many pings"):
                await gateway.network("care").contract("ehr").evaluate("F")


def used() -> tuple[int, int]:
    """Open files, and resident memory in bytes, of this process, server included."""
    gc.collect()
    process = psutil.Process()
    return process.num_fds(), process.memory_info().rss


async def test_calls_and_connections_leave_nothing_behind(connect: Connect) -> None:
    """The first tenth fills caches and pools; after that, use is flat."""
    fake = FakeGateway()
    async with serve(fake) as endpoint:

        async def call(count: int) -> None:
            async with connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway:
                contract = gateway.network("care").contract("ehr")
                for _ in range(count // 10):
                    await asyncio.gather(*(contract.evaluate("F") for _ in range(10)))
                    fake.calls.clear()
                    fake.requests.clear()

        async def reconnect(count: int) -> None:
            for _ in range(count):
                await call(10)

        await call(CALLS // 10)
        await reconnect(RECONNECTS // 10)
        files, memory = used()
        await call(CALLS)
        await reconnect(RECONNECTS)
        files_after, memory_after = used()
    assert files_after <= files + 8
    # 400 bytes for a call would be more than it keeps of anything.
    assert memory_after - memory < 10_000_000 + 400 * (CALLS + 10 * RECONNECTS)
    record(
        f"calls and connections, {'async' if connect is FORMS['async'] else 'blocking'}",
        calls=CALLS,
        reconnects=RECONNECTS,
        files=[files, files_after],
        mebibytes=[memory >> 20, memory_after >> 20],
    )
