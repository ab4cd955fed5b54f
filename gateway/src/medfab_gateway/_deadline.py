"""One timeout over several steps."""

from __future__ import annotations

import time


class Deadline:
    """When a call has to be over; perhaps never."""

    def __init__(self, timeout: float | None) -> None:
        """timeout: seconds from now. None: each step has the deadline of the gateway."""
        self._end = None if timeout is None else time.monotonic() + timeout

    def remaining(self) -> float | None:
        """Seconds left, never below 0; None where there is no deadline."""
        if self._end is None:
            return None
        return max(self._end - time.monotonic(), 0.0)

    def comes_within(self, seconds: float) -> bool:
        """Whether it is over by then."""
        return self._end is not None and time.monotonic() + seconds >= self._end
