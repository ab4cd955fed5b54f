"""The transport seam over one stream of an HTTP/2 connection: gRPC messages both ways."""

import asyncio
from collections import deque
from typing import Protocol

from medfab_chaincode._http2_frames import (
    END_STREAM,
    LARGEST_FRAME,
    Code,
    Kind,
    frame,
    reset,
    response_headers,
    trailers,
    window_update,
)
from medfab_chaincode._transport import MESSAGE_BYTES

WINDOW = 4 * 1024 * 1024
"""How much a peer may send ahead on one stream. It is renewed while messages are taken."""

OK, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 0, 8, 12, 13
"""gRPC's status codes."""

_PREFIX = 5  # of a message: whether it is compressed, and its length


class Wire(Protocol):
    """What a stream needs of its connection."""

    send_window: int

    @property
    def is_writable(self) -> bool: ...

    def write(self, data: bytes) -> None: ...

    def forget(self, number: int) -> None: ...


class Http2Stream:
    """A `Stream`. The connection calls the methods that `receive` and `send` wait for."""

    def __init__(self, wire: Wire, number: int, send_window: int, peer: str) -> None:
        self.number = number
        self.send_window = send_window
        self.peer = peer
        self._wire = wire
        self._receive_window = WINDOW
        self._owed = 0  # of the receive window
        self._messages: deque[bytes] = deque()
        self._unread = 0  # bytes in it
        self._part = bytearray()
        self._wanted = 0  # bytes of a message whose begin is in `_part`
        self._reader: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._ended = False  # nothing comes any more
        self._lost = False  # and nothing can be sent

    # -- the shim's side ---------------------------------------------------------------------

    async def receive(self) -> bytes | None:
        while not self._messages:
            if self._ended:
                return None
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        message = self._messages.popleft()
        self._unread -= len(message)
        self._renew_window()
        return message

    async def send(self, message: bytes) -> None:
        data = b"\x00" + len(message).to_bytes(4, "big") + message
        sent = 0
        while True:
            if self._lost:
                raise ConnectionError("the stream to the peer ended")
            wire = self._wire
            size = min(len(data) - sent, LARGEST_FRAME, self.send_window, wire.send_window)
            if size <= 0 or not wire.is_writable:
                self._room.clear()
                await self._room.wait()
                continue
            self.send_window -= size
            wire.send_window -= size
            part = data if size == len(data) else data[sent : sent + size]
            wire.write(frame(Kind.DATA, 0, self.number, part))
            sent += size
            if sent == len(data):
                return

    def end(self, status: int = OK) -> None:
        """Nothing follows from our side; the peer is told politely."""
        if self._lost:
            return
        self._wire.write(trailers(self.number, status))
        if not self._ended:
            self._wire.write(reset(self.number, Code.NO_ERROR))
        self.lose()

    # -- the connection's side ---------------------------------------------------------------

    def begin(self) -> None:
        self._wire.write(response_headers(self.number))

    def take(self, content: bytes, on_wire: int, flags: int) -> bool:
        """Bytes of messages have come; False if the peer sent more than it may."""
        self._receive_window -= on_wire
        self._owed += on_wire
        if self._receive_window < 0:
            return False
        if self._lost:
            return True
        if content and not self._take_messages(content):
            return True
        self._renew_window()
        if flags & END_STREAM:
            self.finish()
        return True

    def _take_messages(self, content: bytes) -> bool:
        """False if the stream ended for what came."""
        part = self._part
        if not part and self._is_one_message(content):
            self._arrived(content[_PREFIX:])
            return True
        part += content
        while len(part) >= _PREFIX:
            if not self._wanted:
                self._wanted = _PREFIX + int.from_bytes(part[1:_PREFIX], "big")
                if part[0] or self._wanted > _PREFIX + MESSAGE_BYTES:
                    self.end(INTERNAL if part[0] else RESOURCE_EXHAUSTED)
                    return False
            if len(part) < self._wanted:
                break
            self._arrived(bytes(memoryview(part)[_PREFIX : self._wanted]))
            del part[: self._wanted]
            self._wanted = 0
        return True

    @staticmethod
    def _is_one_message(content: bytes) -> bool:
        return (
            len(content) >= _PREFIX
            and not content[0]
            and int.from_bytes(content[1:_PREFIX], "big") == len(content) - _PREFIX
        )

    def _arrived(self, message: bytes) -> None:
        self._messages.append(message)
        self._unread += len(message)
        self._wake_reader()

    def _renew_window(self) -> None:
        """What is not taken fills the window, and then the peer waits."""
        if self._owed >= WINDOW // 2 and self._unread < WINDOW and not self._ended:
            self._wire.write(window_update(self.number, self._owed))
            self._receive_window += self._owed
            self._owed = 0

    def finish(self) -> None:
        """The peer sends nothing more."""
        self._ended = True
        self._wake_reader()

    def lose(self) -> None:
        """The stream is over in both directions."""
        self._ended = self._lost = True
        self._messages.clear()
        self._part.clear()
        self._wake_reader()
        self._room.set()
        self._wire.forget(self.number)

    def make_room(self) -> None:
        self._room.set()

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def unimplemented(number: int) -> bytes:
    """The whole answer to a call that is not the chaincode's."""
    return trailers(number, UNIMPLEMENTED, alone=True) + reset(number, Code.NO_ERROR)
