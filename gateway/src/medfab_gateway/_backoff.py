"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from collections.abc import Iterator


def pauses(first: float, longest: float) -> Iterator[float]:
    """Seconds before each further attempt: about doubled each time, without end.

    Each is between a half and the whole of its length, so that those who failed together do not
    come back together; nothing rests on its being unpredictable.
    """
    pause = first
    while True:
        yield pause * (0.5 + random.random() / 2)  # noqa: S311
        pause = min(pause * 2, longest)
