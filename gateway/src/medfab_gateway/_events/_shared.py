# Made by scripts/make_sync.py from _shared_async.py: change that, and run it.
"""One stream of chaincode events behind many readers.

A peer counts every stream of chaincode events against its limit of requests, and goes on counting
one that was cancelled until it has a further event to send. So a gateway has one stream for a
chaincode, not one for each reader.

Readers are served from the newest blocks, which are kept. The stream is read on while the fastest
reader wants more, and waits otherwise. A reader that is slower than that, or begins further back,
neither holds up the others nor makes more be kept: it takes another stream, at its own position,
and changes over once the older stream still has what comes next for it.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol
from weakref import WeakSet

import grpc

from medfab_gateway._events._blocking import Background, Change, Lock, in_new_background
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._feed import Batch, Feed
from medfab_gateway.errors import DeliverError

_KEPT_BLOCKS = 1000
_KEPT_BYTES = 16 * 1024 * 1024  # a single block may be larger
_EVENT_BYTES = 500  # what an event takes besides its payload, about
_READ_AHEAD = 16  # blocks
_NEAR = 100  # blocks: how far behind a reader a stream may be without holding it up


class Reader(Protocol):
    """Who reads from a shared stream."""

    next_block: int
    """The number of the first block not read yet."""

    cursor: int
    """For the stream: which of its blocks comes next."""

    @property
    def closed(self) -> bool: ...


class SharedStream:
    """One stream, read on by a background of its own until nobody is left."""

    def __init__(self, feed: Feed[CommittedEvent], *, start_block: int) -> None:
        self._feed = feed
        self._lock = Lock()
        self._arrived = Change()  # for the readers
        self._wanted = Change()  # for the background
        self._readers: WeakSet[Reader] = WeakSet()  # one that was dropped counts no longer
        self._kept: deque[Batch[CommittedEvent]] = deque()
        self._kept_bytes = 0
        self._first_cursor = 0
        self._complete_from = start_block
        self._reached = start_block
        self._failure: Exception | None = None
        self._background: Background | None = None
        self.ended: bool = False

    def join(self, reader: Reader) -> bool:
        """Whether the stream suits the reader, which then has a cursor in it."""
        with self._lock:
            if self.ended or not self._suits(reader.next_block):
                return False
            older = sum(batch.number < reader.next_block for batch in self._kept)
            reader.cursor = self._first_cursor + older
            self._readers.add(reader)
            if self._background is None:
                self._background = in_new_background(self._read_on)
        self._wanted.tell()
        return True

    def _suits(self, next_block: int) -> bool:
        return self._complete_from <= next_block <= self._reached + _NEAR

    def leave(self, reader: Reader) -> None:
        """After the last one has left, the stream ends at its next event: ending it earlier would
        give nothing back at the peer, and whoever comes before that can still have it."""
        with self._lock:
            self._readers.discard(reader)
        self._wanted.tell()
        self._arrived.tell()  # the reader itself may be waiting

    def take(self, reader: Reader) -> Batch[CommittedEvent] | None:
        """The next block for the reader; None: it has been closed, or has fallen behind.

        Raises what the stream has failed with.
        """
        while True:
            seen = self._arrived.count
            with self._lock:
                index = reader.cursor - self._first_cursor
                if reader.closed or index < 0:
                    return None
                if index < len(self._kept):
                    reader.cursor += 1
                    batch = self._kept[index]
                    break
                if self._failure is not None:
                    raise self._failure
            self._arrived.wait(seen)
        self._wanted.tell()
        return batch

    def _read_on(self) -> None:
        try:
            while self._is_wanted():
                batch = self._feed.next()
                if batch is None:
                    raise DeliverError(
                        "Reading the events failed: the gateway was closed meanwhile.",
                        code=grpc.StatusCode.CANCELLED,
                    )
                self._keep(batch)
        except Exception as error:
            self._failure = error
        finally:
            self.close()

    def _is_wanted(self) -> bool:
        while True:
            seen = self._wanted.count
            with self._lock:
                newest = max((reader.cursor for reader in self._readers), default=None)
                if newest is None:
                    self.ended = True
                    self._kept.clear()
                    return False
                if self._first_cursor + len(self._kept) - newest < _READ_AHEAD or self.ended:
                    return True
            self._wanted.wait(seen)

    def _keep(self, batch: Batch[CommittedEvent]) -> None:
        with self._lock:
            self._kept.append(batch)
            self._kept_bytes += _size(batch)
            self._reached = batch.number
            while len(self._kept) > _KEPT_BLOCKS or (
                self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1
            ):
                dropped = self._kept.popleft()
                self._kept_bytes -= _size(dropped)
                self._first_cursor += 1
                self._complete_from = dropped.number + 1
        self._arrived.tell()

    def close(self) -> None:
        """Ends it at once; the readers get an error."""
        self.ended = True
        self._feed.close()
        self._wanted.tell()
        self._arrived.tell()


def _size(batch: Batch[CommittedEvent]) -> int:
    return sum(len(event.payload) + _EVENT_BYTES for event in batch.items)
