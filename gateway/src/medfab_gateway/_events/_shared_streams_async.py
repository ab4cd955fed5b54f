"""Which shared stream a reader reads."""

from __future__ import annotations

from collections.abc import Callable

from medfab_gateway._events._aio import Lock
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._feed_async import AsyncFeed
from medfab_gateway._events._shared_async import AsyncSharedStream, Reader


class AsyncSharedStreams:
    """The shared streams of one gateway, by channel and chaincode, the oldest first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: dict[tuple[str, str], list[AsyncSharedStream]] = {}

    def join(
        self,
        reader: Reader,
        current: AsyncSharedStream | None,
        *,
        channel_name: str,
        chaincode_name: str,
        open_feed: Callable[[int], AsyncFeed[CommittedEvent]],
    ) -> AsyncSharedStream:
        """The oldest stream that suits the reader; a new one, from its position, where none does.

        That all change over to the oldest lets the others end. current: the one that it reads
        now. open_feed: makes the feed of a new one, from the number of a block.
        """
        if current is not None and current.ended:
            return current  # it has an error for the reader
        with self._lock:
            streams = self._streams.setdefault((channel_name, chaincode_name), [])
            streams[:] = [stream for stream in streams if not stream.ended]
            for stream in streams:
                if stream is current or stream.join(reader):
                    return stream
            start_block = reader.next_block
            stream = AsyncSharedStream(open_feed(start_block), start_block=start_block)
            streams.append(stream)
            stream.join(reader)
            return stream

    def close(self) -> None:
        """Ends all of them at once; their readers get an error."""
        with self._lock:
            for streams in self._streams.values():
                for stream in streams:
                    stream.close()
