"""Waiting for one another, in threads. The names are those of `_aio.py`."""

from __future__ import annotations

import threading
from collections.abc import Callable

Lock = threading.RLock
Background = threading.Thread


def in_new_background(function: Callable[[], None]) -> Background:
    """Runs `function` beside the caller, in a thread that does not keep the program alive."""
    thread = threading.Thread(target=function, name="medfab-events", daemon=True)
    thread.start()
    return thread


class Change:
    """Tells those who wait that something has changed.

    Read `count`, look at the state, and wait with that count: no change in between is missed.
    """

    def __init__(self) -> None:
        self.count = 0
        self._condition = threading.Condition()

    def tell(self) -> None:
        with self._condition:
            self.count += 1
            self._condition.notify_all()

    def wait(self, seen: int, *, seconds: float | None = None) -> None:
        """Returns once `count` is not `seen`, or after so many seconds; None: without end."""
        with self._condition:
            self._condition.wait_for(lambda: self.count != seen, seconds)
