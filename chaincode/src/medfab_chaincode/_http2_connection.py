"""One HTTP/2 connection of a peer: frames in, frames out, and the streams in between.

Just as much of HTTP/2 as gRPC needs of a server, in one protocol object on the event loop: no
threads, no queue between them. A peer that breaks the protocol loses its connection.
"""

import asyncio
import logging
import ssl
import struct
from collections.abc import Callable
from typing import cast

import hpack

from medfab_chaincode._http2_frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    HEAD,
    LARGEST_FRAME,
    LARGEST_WINDOW,
    PADDED,
    PREFACE,
    WITH_PRIORITY,
    Code,
    Http2Error,
    Kind,
    Setting,
    frame,
    go_away,
    reset,
    settings,
    window_update,
)
from medfab_chaincode._http2_stream import WINDOW, Http2Stream, unimplemented

_log = logging.getLogger("medfab_chaincode.server")

PATH = b"/protos.Chaincode/Connect"

_STREAMS = 100
_HEADER_BYTES = 32 * 1024
_CONTROL_BYTES = 1024 * 1024
"""Of answers to control frames that a peer does not read: more, and it is none."""
_DEFAULT_WINDOW = 65_535

_GREETING_SECONDS = 20.0
_PING_SECONDS = 60.0
_PONG_SECONDS = 20.0

Serve = Callable[[Http2Stream], None]


class Http2Connection(asyncio.Protocol):
    """`serve` is called with each stream that the peer opens."""

    def __init__(self, serve: Serve, connections: set["Http2Connection"]) -> None:
        self.send_window = _DEFAULT_WINDOW
        self.lost = asyncio.get_running_loop().create_future()
        """Done when the connection is over."""
        self._serve = serve
        self._connections = connections
        self._transport: asyncio.Transport  # from `connection_made` on
        self._peer = ""
        self._streams: dict[int, Http2Stream] = {}
        self._initial_window = _DEFAULT_WINDOW
        self._receive_window = _DEFAULT_WINDOW
        self._last = 0  # number of the newest stream
        self._rest = b""  # of a frame that is not complete
        self._greeted = False
        self._refuses = False
        self._headers: tuple[int, int, bytes] | None = None  # stream, flags, block so far
        self._decoder = hpack.Decoder(max_header_list_size=_HEADER_BYTES)
        self._out: list[bytes] = []
        self._paused = False
        self._heard = True  # since the last look
        self._asked = False  # by a ping of ours
        self._watch: asyncio.TimerHandle | None = None

    # -- what asyncio calls ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            self._transport.abort()
            return
        self._peer = str(transport.get_extra_info("peername"))
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(_GREETING_SECONDS, self._look)
        ours = {
            Setting.MAX_CONCURRENT_STREAMS: _STREAMS,
            Setting.INITIAL_WINDOW_SIZE: WINDOW,
            Setting.MAX_HEADER_LIST_SIZE: _HEADER_BYTES,
        }
        self.write(settings(ours))
        self._renew_window(at_least=1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if not self.lost.done():
            self.lost.set_result(None)
        if self._watch is not None:
            self._watch.cancel()
        for stream in list(self._streams.values()):
            stream.lose()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._heard = True
        if self._rest:
            data = self._rest + data
        try:
            self._rest = data[self._take_frames(data) :]
        except Http2Error as error:
            _log.warning("hung up on a peer: %s", error, extra={"peer": self._peer})
            self.close(error.code)

    # -- what streams call -------------------------------------------------------------------

    @property
    def is_writable(self) -> bool:
        return not self._paused

    def write(self, data: bytes) -> None:
        """Everything that is written in one turn of the event loop is sent at once."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(data)

    def _flush(self) -> None:
        out = self._out
        if out:
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))
            out.clear()

    def forget(self, number: int) -> None:
        self._streams.pop(number, None)

    # -- the end -----------------------------------------------------------------------------

    def refuse_streams(self) -> None:
        """Those that are open go on."""
        self._refuses = True
        self.write(go_away(self._last, Code.NO_ERROR))

    def close(self, code: Code = Code.NO_ERROR) -> None:
        """Send what there is to send, then hang up."""
        transport = self._transport
        if transport.is_closing():
            return
        self.write(go_away(self._last, code))
        self._flush()
        transport.close()
        # A peer that reads nothing would keep it open for ever.
        asyncio.get_running_loop().call_later(1, transport.abort)

    def _look(self) -> None:
        """A peer that vanished without a word is noticed by a ping."""
        if not self._greeted or (self._asked and not self._heard):
            self._transport.abort()
            return
        self._asked = not self._heard
        if self._asked:
            self.write(frame(Kind.PING, 0, 0, bytes(8)))
        self._heard = False
        seconds = _PONG_SECONDS if self._asked else _PING_SECONDS
        self._watch = asyncio.get_running_loop().call_later(seconds, self._look)

    # -- frames ------------------------------------------------------------------------------

    def _take_frames(self, data: bytes) -> int:
        """Handle the frames that are complete; returns where the rest begins."""
        position, available = 0, len(data)
        if not self._greeted:
            if data[: len(PREFACE)] != PREFACE[:available]:
                raise Http2Error(Code.PROTOCOL_ERROR, "no HTTP/2")
            if available < len(PREFACE):
                return 0
            self._greeted = True
            position = len(PREFACE)
        while available - position >= HEAD.size:
            high, low, kind, flags, stream = HEAD.unpack_from(data, position)
            length = (high << 8) + low
            if length > LARGEST_FRAME:
                raise Http2Error(Code.FRAME_SIZE_ERROR, "a frame is too large")
            begin = position + HEAD.size
            position = begin + length
            if position > available:
                return begin - HEAD.size
            content = data[begin:position]
            if self._headers is not None and kind != Kind.CONTINUATION:
                raise Http2Error(Code.PROTOCOL_ERROR, "a header block is interrupted")
            stream &= LARGEST_WINDOW  # the first bit means nothing
            if kind == Kind.DATA:
                self._take_data(stream, flags, content)
            else:
                self._take_other(kind, flags, stream, content)
        return position

    def _take_data(self, number: int, flags: int, content: bytes) -> None:
        self._receive_window -= len(content)
        if self._receive_window < 0:
            raise Http2Error(Code.FLOW_CONTROL_ERROR, "more than the window of the connection")
        self._renew_window(at_least=WINDOW // 2)
        stream = self._streams.get(number)
        if stream is None:
            if not 0 < number <= self._last:
                raise Http2Error(Code.PROTOCOL_ERROR, "data of no stream")
            return  # of one that has ended here
        message = _without_padding(content, flags) if flags & PADDED else content
        if not stream.take(message, len(content), flags):
            raise Http2Error(Code.FLOW_CONTROL_ERROR, "more than the window of the stream")

    def _renew_window(self, *, at_least: int) -> None:
        """The streams' own windows hold back who sends too much."""
        owed = 2 * WINDOW - self._receive_window
        if owed >= at_least:
            self.write(window_update(0, owed))
            self._receive_window += owed

    def _take_other(self, kind: int, flags: int, number: int, content: bytes) -> None:
        match kind:
            case Kind.HEADERS:
                self._take_headers(flags, number, content)
            case Kind.CONTINUATION:
                self._take_continuation(flags, number, content)
            case Kind.WINDOW_UPDATE:
                self._take_window_update(number, content)
            case Kind.PING:
                self._take_ping(flags, number, content)
            case Kind.SETTINGS:
                self._take_settings(flags, number, content)
            case Kind.RST_STREAM:
                _require(len(content) == 4, Code.FRAME_SIZE_ERROR, "a reset of another size")
                _require(0 < number <= self._last, Code.PROTOCOL_ERROR, "a reset of no stream")
                if (stream := self._streams.get(number)) is not None:
                    stream.lose()
            case Kind.PUSH_PROMISE:
                raise Http2Error(Code.PROTOCOL_ERROR, "clients do not push")
            # PRIORITY, GOAWAY (of a client: nothing new comes), and what we do not know

    def _take_ping(self, flags: int, number: int, content: bytes) -> None:
        _require(len(content) == 8, Code.FRAME_SIZE_ERROR, "a ping of another size")
        _require(number == 0, Code.PROTOCOL_ERROR, "a ping of a stream")
        if not flags & ACK:
            self._answer(frame(Kind.PING, ACK, 0, content))

    def _take_settings(self, flags: int, number: int, content: bytes) -> None:
        _require(number == 0, Code.PROTOCOL_ERROR, "settings of a stream")
        _require(len(content) % 6 == 0, Code.FRAME_SIZE_ERROR, "settings of another size")
        if flags & ACK:
            return
        for name, value in struct.iter_unpack(">HI", content):
            if name == Setting.INITIAL_WINDOW_SIZE:
                _require(value <= LARGEST_WINDOW, Code.FLOW_CONTROL_ERROR, "an impossible window")
                for stream in self._streams.values():
                    stream.send_window += value - self._initial_window
                self._initial_window = value
        self._answer(frame(Kind.SETTINGS, ACK, 0))
        self._make_room()

    def _answer(self, data: bytes) -> None:
        """To a control frame. Who asks on and on and does not read the answers is no peer."""
        if self._paused and self._transport.get_write_buffer_size() > _CONTROL_BYTES:
            raise Http2Error(Code.ENHANCE_YOUR_CALM, "too many questions")
        self.write(data)

    def _take_window_update(self, number: int, content: bytes) -> None:
        _require(len(content) == 4, Code.FRAME_SIZE_ERROR, "a window update of another size")
        size = int.from_bytes(content, "big") & LARGEST_WINDOW
        _require(size > 0, Code.PROTOCOL_ERROR, "a window update of nothing")
        if number == 0:
            self.send_window += size
            _require(
                self.send_window <= LARGEST_WINDOW, Code.FLOW_CONTROL_ERROR, "too large a window"
            )
            self._make_room()
        elif (stream := self._streams.get(number)) is not None:
            stream.send_window += size
            _require(
                stream.send_window <= LARGEST_WINDOW, Code.FLOW_CONTROL_ERROR, "too large a window"
            )
            stream.make_room()

    def _make_room(self) -> None:
        for stream in self._streams.values():
            stream.make_room()

    # -- header blocks -----------------------------------------------------------------------

    def _take_headers(self, flags: int, number: int, content: bytes) -> None:
        if flags & PADDED:
            content = _without_padding(content, flags)
        if flags & WITH_PRIORITY:
            content = content[5:]
        self._collect(number, flags, content, flags)

    def _take_continuation(self, flags: int, number: int, content: bytes) -> None:
        if self._headers is None or self._headers[0] != number:
            raise Http2Error(Code.PROTOCOL_ERROR, "a continuation of nothing")
        _, first_flags, begun = self._headers
        self._collect(number, first_flags, begun + content, flags)

    def _collect(self, number: int, first_flags: int, block: bytes, flags: int) -> None:
        _require(len(block) <= _HEADER_BYTES, Code.ENHANCE_YOUR_CALM, "headers without end")
        if not flags & END_HEADERS:
            self._headers = (number, first_flags, block)
            return
        self._headers = None
        try:
            fields = dict(self._decoder.decode(block, raw=True))
        except hpack.HPACKError as error:
            raise Http2Error(Code.COMPRESSION_ERROR, "a header block that is none") from error
        self._open(number, first_flags, fields)

    def _open(self, number: int, flags: int, fields: dict[bytes, bytes]) -> None:
        if (stream := self._streams.get(number)) is not None:
            if flags & END_STREAM:  # trailers; gRPC's clients have none
                stream.finish()
            return
        _require(
            number % 2 == 1 and number > self._last, Code.PROTOCOL_ERROR, "a stream out of order"
        )
        self._last = number
        if self._refuses or len(self._streams) >= _STREAMS:
            self._answer(reset(number, Code.REFUSED_STREAM))
        elif fields.get(b":path") != PATH or fields.get(b":method") != b"POST":
            self._answer(unimplemented(number))
        else:
            stream = Http2Stream(self, number, self._initial_window, self._peer)
            self._streams[number] = stream
            stream.begin()
            if flags & END_STREAM:
                stream.finish()
            self._serve(stream)


def _without_padding(content: bytes, flags: int) -> bytes:
    _require(
        bool(content) and content[0] < len(content), Code.PROTOCOL_ERROR, "more padding than frame"
    )
    return content[1 : len(content) - content[0]]


def _require(condition: bool, code: Code, what: str) -> None:
    if not condition:
        raise Http2Error(code, what)
