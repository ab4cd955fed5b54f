"""Events, to be iterated over."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Generic

from medfab_gateway._events._feed_async import AsyncFeed, Item


class AsyncEventStream(Generic[Item]):
    """Events in order: an async iterator that is also an async context manager.

        async with network.block_events(start_block=0) as blocks:
            async for block in blocks:
                if block.number == 1:
                    break

    Leaving the `async with`, `aclose()`, an error, and cancelling the task that waits for an event
    all end the stream. An ended stream yields nothing more.
    """

    def __init__(self, feed: AsyncFeed[Item]) -> None:
        self._feed = feed
        self._pending: deque[Item] = deque()
        self._ended = False

    def __aiter__(self) -> AsyncEventStream[Item]:
        return self

    async def __anext__(self) -> Item:
        try:
            while not self._ended and not self._pending:
                batch = await self._feed.next()
                if batch is None:
                    break
                self._pending.extend(batch.items)
        except BaseException:
            await self.aclose()
            raise
        if self._ended or not self._pending:
            await self.aclose()
            raise StopAsyncIteration
        return self._pending.popleft()

    async def aclose(self) -> None:
        """Ends the stream. Harmless where it has ended already."""
        self._ended = True
        self._feed.close()

    def __del__(self) -> None:
        # A plain `async for` that is left with `break` calls nothing: this is its only end. Not
        # to be relied on where references stay, hence the `async with`.
        self._feed.close()

    async def __aenter__(self) -> AsyncEventStream[Item]:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
