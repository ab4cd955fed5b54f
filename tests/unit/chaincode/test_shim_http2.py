"""The HTTP/2 side of a peer, frame by frame: what is allowed is understood, the rest hung up on.

That a real gRPC client is understood is what every other test of the shim shows.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import hpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medfab_chaincode._http2_connection import Http2Connection
from medfab_chaincode._http2_frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    HEAD,
    LARGEST_FRAME,
    PADDED,
    PREFACE,
    WITH_PRIORITY,
    Code,
    Kind,
    Setting,
    frame,
)
from medfab_chaincode._http2_frames import settings as settings_frame
from medfab_chaincode._http2_stream import WINDOW, Http2Stream
from unit.chaincode.fake_peer import until

REQUEST = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/protos.Chaincode/Connect"),
    (":authority", "chaincode:9999"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
]
DEFAULT_WINDOW = 65_535


class Wire(asyncio.Transport):
    """What the connection writes, and whether it has hung up."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def get_write_buffer_size(self) -> int:
        return len(self.sent)


@dataclass
class Peer:
    """A client that says exactly what it is told to."""

    wire: Wire = field(default_factory=Wire)
    streams: list[Http2Stream] = field(default_factory=list)
    connections: set[Http2Connection] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.encoder = hpack.Encoder()
        self.connection = Http2Connection(self.streams.append, self.connections)
        self.connection.connection_made(self.wire)

    def says(self, *parts: bytes) -> None:
        self.connection.data_received(b"".join(parts))

    def headers(self, number: int = 1, fields: Any = REQUEST, flags: int = END_HEADERS) -> bytes:
        return frame(Kind.HEADERS, flags, number, self.encoder.encode(fields))

    def begins(self) -> Http2Stream:
        self.says(PREFACE, settings_frame({}), self.headers())
        return self.streams[0]

    async def hears(self) -> list[tuple[int, int, int, bytes]]:
        """Kind, flags, stream and content of the frames since the last time."""
        await asyncio.sleep(0)
        frames, data = [], self.wire.sent
        while data:
            high, low, kind, flags, stream = HEAD.unpack_from(data)
            end = HEAD.size + (high << 8) + low
            frames.append((kind, flags, stream, data[HEAD.size : end]))
            data = data[end:]
        self.wire.sent = b""
        return frames

    async def hears_data(self) -> bytes:
        return b"".join(content for kind, _, _, content in await self.hears() if kind == Kind.DATA)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    yield peer
    peer.connection.connection_lost(None)


def decoded(block: bytes) -> list[tuple[str, str]]:
    """Ours change no table, so that each is decoded by itself."""
    return [(str(name), str(value)) for name, value in hpack.Decoder().decode(block)]


def message(content: bytes) -> bytes:
    return b"\x00" + len(content).to_bytes(4, "big") + content


def data(content: bytes, flags: int = 0, number: int = 1) -> bytes:
    return frame(Kind.DATA, flags, number, content)


async def hung_up_for(peer: Peer) -> Code | None:
    """The reason that was given; None if the connection stands."""
    frames = await peer.hears()
    assert peer.wire.closed is any(kind == Kind.GOAWAY for kind, *_ in frames)
    if not peer.wire.closed:
        return None
    assert frames[-1][0] == Kind.GOAWAY
    return Code(struct.unpack(">II", frames[-1][3])[1])


async def test_a_call_from_greeting_to_end(peer: Peer) -> None:
    stream = peer.begins()
    peer.says(data(message(b"one") + message(b"")), data(message(b"three"), END_STREAM))
    assert [await stream.receive() for _ in range(4)] == [b"one", b"", b"three", None]
    await stream.send(b"answer")
    stream.end()
    kinds = [(kind, flags, content) for kind, flags, _, content in await peer.hears()]
    assert [kind for kind, *_ in kinds] == [
        *(Kind.SETTINGS, Kind.WINDOW_UPDATE, Kind.SETTINGS),
        *(Kind.HEADERS, Kind.DATA, Kind.HEADERS),
    ]
    assert kinds[2][1] == ACK
    assert decoded(kinds[3][2]) == [
        (":status", "200"),
        ("content-type", "application/grpc"),
    ]
    assert kinds[4][2] == message(b"answer")
    assert kinds[5][1] == END_HEADERS | END_STREAM
    assert decoded(kinds[5][2]) == [("grpc-status", "0")]


async def test_byte_by_byte(peer: Peer) -> None:
    says = PREFACE + settings_frame({}) + peer.headers() + data(message(b"one") + message(b"two"))
    for number in range(len(says)):
        peer.says(says[number : number + 1])
    assert [await peer.streams[0].receive() for _ in range(2)] == [b"one", b"two"]


async def test_padding_priority_continuations_and_what_is_unknown(peer: Peer) -> None:
    block = peer.encoder.encode(REQUEST)
    peer.says(
        PREFACE,
        settings_frame({}),
        frame(Kind.PRIORITY, 0, 1, bytes(5)),
        frame(Kind.HEADERS, PADDED | WITH_PRIORITY, 1, b"\x03" + bytes(5) + block[:9] + bytes(3)),
        frame(Kind.CONTINUATION, 0, 1, block[9:12]),
        frame(Kind.CONTINUATION, END_HEADERS, 1, block[12:]),
        frame(77, 0xFF, 1, b"of the future"),  # type: ignore[arg-type]
        data(b"\x02" + message(b"padded") + bytes(2), PADDED),
    )
    assert await peer.streams[0].receive() == b"padded"
    assert await hung_up_for(peer) is None


async def test_a_message_over_many_frames(peer: Peer) -> None:
    stream = peer.begins()
    content = bytes(range(256)) * 40_000  # 10 MB: more than the window
    whole = message(content) + message(b"next")
    given, sent = 2 * WINDOW, 0  # what the connection's window was widened to at the start
    await peer.hears()
    room = {0: given, 1: WINDOW}
    while sent < len(whole):
        size = min(len(whole) - sent, LARGEST_FRAME, *room.values())
        assert size > 0
        peer.says(data(whole[sent : sent + size]))
        sent += size
        for number in room:
            room[number] -= size
        for kind, _, number, increment in await peer.hears():
            assert kind == Kind.WINDOW_UPDATE
            room[number] += int.from_bytes(increment, "big")
    assert await stream.receive() == content
    assert await stream.receive() == b"next"


async def test_messages_that_nobody_takes_hold_the_peer_back(peer: Peer) -> None:
    stream = peer.begins()
    await peer.hears()
    part = message(bytes(LARGEST_FRAME - 5))
    renewed, sent = 0, 0
    while sent + len(part) <= WINDOW + renewed:
        peer.says(data(part))
        sent += len(part)
        frames = await peer.hears()
        renewed += sum(int.from_bytes(f[3], "big") for f in frames if f[2] == 1)
    assert sent <= 2 * WINDOW
    assert await hung_up_for(peer) is None
    for _ in range(sent // len(part)):
        await stream.receive()
    frames = await peer.hears()
    assert sum(int.from_bytes(f[3], "big") for f in frames if f[2] == 1) > WINDOW // 2


async def test_what_is_sent_keeps_to_the_windows_of_the_peer(peer: Peer) -> None:
    stream = peer.begins()
    content = bytes(range(256)) * 400
    sending = asyncio.create_task(stream.send(content))
    await until(lambda: len(peer.wire.sent) > DEFAULT_WINDOW)
    heard = await peer.hears_data()
    assert len(heard) == DEFAULT_WINDOW
    peer.says(frame(Kind.WINDOW_UPDATE, 0, 1, (30_000).to_bytes(4, "big")))
    assert await peer.hears_data() == b""  # the connection has a window, too
    peer.says(frame(Kind.WINDOW_UPDATE, 0, 0, (100_000).to_bytes(4, "big")))
    await until(lambda: len(peer.wire.sent) > 30_000)
    heard += await peer.hears_data()
    assert len(heard) == DEFAULT_WINDOW + 30_000
    peer.says(settings_frame({Setting.INITIAL_WINDOW_SIZE: DEFAULT_WINDOW + 50_000}))
    await sending
    heard += await peer.hears_data()
    assert heard == message(content)


async def test_a_peer_that_does_not_read_is_waited_for(peer: Peer) -> None:
    stream = peer.begins()
    peer.connection.pause_writing()
    sending = asyncio.create_task(stream.send(b"answer"))
    assert await peer.hears_data() == b""
    peer.connection.resume_writing()
    await sending
    assert await peer.hears_data() == message(b"answer")


@pytest.mark.parametrize("end", ["reset", "connection lost"])
async def test_a_stream_that_is_lost(peer: Peer, end: str) -> None:
    stream = peer.begins()
    peer.connection.pause_writing()
    waiting = asyncio.gather(stream.receive(), stream.send(b"answer"), return_exceptions=True)
    await asyncio.sleep(0)
    if end == "reset":
        peer.says(frame(Kind.RST_STREAM, 0, 1, (8).to_bytes(4, "big")))
    else:
        peer.connection.connection_lost(None)
    received, sent = await waiting
    assert received is None
    assert isinstance(sent, ConnectionError)
    stream.end()  # nobody is told anything
    peer.says(data(message(b"late")))
    assert [kind for kind, *_ in await peer.hears()][4:] == []


async def test_pings_are_answered(peer: Peer) -> None:
    peer.begins()
    await peer.hears()
    peer.says(frame(Kind.PING, 0, 0, b"12345678"), frame(Kind.PING, ACK, 0, b"87654321"))
    assert await peer.hears() == [(Kind.PING, ACK, 0, b"12345678")]


@pytest.mark.parametrize(
    "changed", [{":path": "/protos.Chaincode/Other"}, {":method": "GET"}, {":path": None}]
)
async def test_other_calls_are_not_implemented(peer: Peer, changed: dict[str, str | None]) -> None:
    fields = [(name, changed.get(name, value)) for name, value in REQUEST]
    wanted = [(name, value) for name, value in fields if value is not None]
    peer.says(PREFACE, settings_frame({}), peer.headers(fields=wanted))
    assert peer.streams == []
    [answer] = [f for f in await peer.hears() if f[0] == Kind.HEADERS]
    assert ("grpc-status", "12") in decoded(answer[3])
    peer.says(peer.headers(3))
    assert len(peer.streams) == 1


@pytest.mark.parametrize(
    ("prefix", "status"), [(b"\x01" + bytes(4), "13"), (b"\x00\x06\x40\x00\x01", "8")]
)
async def test_compressed_and_too_large_messages(peer: Peer, prefix: bytes, status: str) -> None:
    """100 MiB and a byte; the peer was not asked to compress."""
    stream = peer.begins()
    await peer.hears()
    peer.says(data(prefix))
    assert await stream.receive() is None
    frames = await peer.hears()
    assert decoded(frames[0][3]) == [("grpc-status", status)]
    assert await hung_up_for(peer) is None


async def test_more_streams_than_a_peer_needs(peer: Peer) -> None:
    peer.begins()
    for number in range(3, 203, 2):
        peer.says(peer.headers(number))
    assert len(peer.streams) == 100
    frames = await peer.hears()
    assert frames[-1][0] == Kind.RST_STREAM
    assert frames[-1][2] == 201
    peer.streams[0].end()
    peer.says(peer.headers(203))
    assert len(peer.streams) == 101


async def test_no_stream_after_a_farewell(peer: Peer) -> None:
    stream = peer.begins()
    peer.connection.refuse_streams()
    peer.says(peer.headers(3), data(message(b"goes on")))
    assert await stream.receive() == b"goes on"
    assert len(peer.streams) == 1


WRONG: dict[str, tuple[Code, Callable[[Peer], list[bytes]]]] = {
    "HTTP/1.1": (Code.PROTOCOL_ERROR, lambda peer: [b"GET / HTTP/1.1\r\n\r\n"]),
    "too large a frame": (
        Code.FRAME_SIZE_ERROR,
        lambda peer: [PREFACE, data(bytes(LARGEST_FRAME + 1))],
    ),
    "data of no stream": (Code.PROTOCOL_ERROR, lambda peer: [PREFACE, data(b"x", number=7)]),
    "data of stream 0": (Code.PROTOCOL_ERROR, lambda peer: [PREFACE, data(b"x", number=0)]),
    "an even stream": (Code.PROTOCOL_ERROR, lambda peer: [PREFACE, peer.headers(2)]),
    "a stream again": (
        Code.PROTOCOL_ERROR,
        lambda peer: [PREFACE, peer.headers(5), peer.headers(3)],
    ),
    "more padding than frame": (
        Code.PROTOCOL_ERROR,
        lambda peer: [PREFACE, peer.headers(), data(b"\x05abc", PADDED)],
    ),
    "a continuation of nothing": (
        Code.PROTOCOL_ERROR,
        lambda peer: [PREFACE, frame(Kind.CONTINUATION, END_HEADERS, 1)],
    ),
    "an interrupted header block": (
        Code.PROTOCOL_ERROR,
        lambda peer: [PREFACE, peer.headers(flags=0), frame(Kind.PING, 0, 0, bytes(8))],
    ),
    "headers without end": (
        Code.ENHANCE_YOUR_CALM,
        lambda peer: [
            PREFACE,
            peer.headers(flags=0),
            *[frame(Kind.CONTINUATION, 0, 1, bytes(LARGEST_FRAME))] * 3,
        ],
    ),
    "a header block that is none": (
        Code.COMPRESSION_ERROR,
        lambda peer: [PREFACE, frame(Kind.HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff")],
    ),
    "a header block that unpacks without end": (
        Code.COMPRESSION_ERROR,
        # One long value in the table, and then its index again and again.
        lambda peer: [
            PREFACE,
            frame(
                Kind.HEADERS,
                END_HEADERS,
                1,
                b"\x40\x01a\x7f\xa1\x1e" + bytes(4000) + b"\xbe" * 10_000,
            ),
        ],
    ),
    "a push": (Code.PROTOCOL_ERROR, lambda peer: [PREFACE, frame(Kind.PUSH_PROMISE, 0, 1)]),
    "a short ping": (Code.FRAME_SIZE_ERROR, lambda peer: [PREFACE, frame(Kind.PING, 0, 0)]),
    "settings of a stream": (
        Code.PROTOCOL_ERROR,
        lambda peer: [PREFACE, frame(Kind.SETTINGS, 0, 1)],
    ),
    "short settings": (
        Code.FRAME_SIZE_ERROR,
        lambda peer: [PREFACE, frame(Kind.SETTINGS, 0, 0, bytes(5))],
    ),
    "an impossible window": (
        Code.FLOW_CONTROL_ERROR,
        lambda peer: [PREFACE, settings_frame({Setting.INITIAL_WINDOW_SIZE: 2**31})],
    ),
    "a window update of nothing": (
        Code.PROTOCOL_ERROR,
        lambda peer: [PREFACE, frame(Kind.WINDOW_UPDATE, 0, 0, bytes(4))],
    ),
    "too large a window": (
        Code.FLOW_CONTROL_ERROR,
        lambda peer: [PREFACE, frame(Kind.WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff")],
    ),
    "a reset of no stream": (
        Code.PROTOCOL_ERROR,
        lambda peer: [PREFACE, frame(Kind.RST_STREAM, 0, 1, bytes(4))],
    ),
    "more than the window": (
        Code.FLOW_CONTROL_ERROR,
        lambda peer: [
            PREFACE,
            peer.headers(),
            *[data(message(bytes(LARGEST_FRAME - 5)))] * (2 * WINDOW // LARGEST_FRAME + 1),
        ],
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_who_breaks_the_protocol_is_hung_up_on(peer: Peer, wrong: str) -> None:
    code, says = WRONG[wrong]
    peer.says(*says(peer))
    assert await hung_up_for(peer) == code
    peer.says(frame(Kind.PING, 0, 0, bytes(8)))
    assert await peer.hears() == []


async def test_who_asks_on_and_does_not_read_the_answers_is_hung_up_on(peer: Peer) -> None:
    peer.begins()
    peer.connection.pause_writing()
    for _ in range(200):
        peer.says(frame(Kind.PING, 0, 0, bytes(8)) * 500)
        await asyncio.sleep(0)
    assert peer.wire.closed
    assert len(peer.wire.sent) < 2 * 1024 * 1024


pieces = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda kind, flags, number, content: frame(kind, flags, number, content),
        st.integers(0, 11),
        st.integers(0, 255),
        st.integers(0, 5),
        st.binary(max_size=40),
    ),
    st.builds(lambda content: data(message(content)), st.binary(max_size=40)),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(pieces, max_size=12), st.integers(1, 50))
def test_no_bytes_break_the_connection_otherwise(parts: list[bytes], size: int) -> None:
    """It stands, or it is hung up on; nothing else, however the bytes arrive."""

    async def run() -> None:
        peer = Peer()
        says = PREFACE + settings_frame({}) + peer.headers() + b"".join(parts)
        for begin in range(0, len(says), size):
            peer.says(says[begin : begin + size])
        await hung_up_for(peer)
        peer.connection.connection_lost(None)
        for stream in peer.streams:
            assert await asyncio.wait_for(stream.receive(), 60) is None

    asyncio.run(run())
