"""Waiting for one another, on asyncio. `_blocking.py` has the same names for threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from typing import Any

Lock = nullcontext[None]  # tasks take turns at `await` alone, and nobody awaits with a lock held
Background = asyncio.Task[None]


def in_new_background(function: Callable[[], Coroutine[Any, Any, None]]) -> Background:
    """Runs `function` beside the caller. Keep what is returned: it keeps the function running."""
    return asyncio.create_task(function())


class Change:
    """Tells those who wait that something has changed.

    Read `count`, look at the state, and wait with that count: no change in between is missed.
    """

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def tell(self) -> None:
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seen: int, *, seconds: float | None = None) -> None:
        """Returns once `count` is not `seen`, or after so many seconds; None: without end."""
        if self.count != seen:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._next.wait()
        except TimeoutError:
            return
