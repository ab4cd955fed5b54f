"""What a stream of events is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch(Generic[Item]):
    """What there is of one block: all at once, so that a position is a block's number."""

    number: int
    """Of the block."""

    items: tuple[Item, ...]


class AsyncFeed(Protocol[Item]):
    """Blocks in order, until it is closed."""

    async def next(self) -> Batch[Item] | None:
        """Waits for the next one; None: there are no more."""

    def close(self) -> None:
        """Ends it at once, and the `next()` that waits. Harmless when done twice."""
