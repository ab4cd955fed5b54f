# Made by scripts/make_sync.py from _stream_async.py: change that, and run it.
"""Events, to be iterated over."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Generic

from medfab_gateway._events._feed import Feed, Item


class EventStream(Generic[Item]):
    """Events in order: an iterator that is also a context manager.

        with network.block_events(start_block=0) as blocks:
            for block in blocks:
                if block.number == 1:
                    break

    Leaving the `with`, `close()`, and an error end the stream. One thread reads; any other
    may call `close()`. An ended stream yields nothing more.
    """

    def __init__(self, feed: Feed[Item]) -> None:
        self._feed = feed
        self._pending: deque[Item] = deque()
        self._ended = False

    def __iter__(self) -> EventStream[Item]:
        return self

    def __next__(self) -> Item:
        try:
            while not self._ended and not self._pending:
                batch = self._feed.next()
                if batch is None:
                    break
                self._pending.extend(batch.items)
        except BaseException:
            self.close()
            raise
        if self._ended or not self._pending:
            self.close()
            raise StopIteration
        return self._pending.popleft()

    def close(self) -> None:
        """Ends the stream. Harmless where it has ended already."""
        self._ended = True
        self._feed.close()

    def __del__(self) -> None:
        # A plain `for` that is left with `break` calls nothing: this is its only end. Not
        # to be relied on where references stay, hence the `with`.
        self._feed.close()

    def __enter__(self) -> EventStream[Item]:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
