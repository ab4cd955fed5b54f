"""How a consumer is doing: counted by it, read by metrics and health checks."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

BATCH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(kw_only=True)
class Progress:
    """Of one consumer in this process."""

    consumer: str
    channel: str
    phase: str = "starting"
    """`starting`, `standing by`, `leading`, `rebuilding`, `waiting` (for a peer or a database),
    `stopped` or `failed`."""

    next_block: int = 0
    height: int = 0
    """The channel's, as far as it is known: blocks that there are."""

    blocks: int = 0
    transactions: int = 0
    batches: int = 0
    batch_seconds: float = 0.0
    batch_buckets: Counter[float] = field(default_factory=Counter)
    """By the upper end of the bucket, in seconds."""

    dead_letters: int = 0
    """Of this process's time."""

    rebuilds: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    """By type."""

    last_error: str = ""
    caught_up_at: float = field(default_factory=time.time)
    """`time.time()` of when it last had all blocks, or began."""

    @property
    def lag(self) -> int:
        """Blocks that are there and not handled."""
        return max(0, self.height - self.next_block)

    @property
    def lag_seconds(self) -> float:
        """Since when it has not had all blocks; 0: it has them."""
        return max(0.0, time.time() - self.caught_up_at) if self.lag else 0.0

    @property
    def is_well(self) -> bool:
        return self.phase in ("leading", "standing by", "rebuilding", "starting", "stopped")

    def handled(self, *, blocks: int, transactions: int, next_block: int, seconds: float) -> None:
        self.blocks += blocks
        self.transactions += transactions
        self.next_block = next_block
        self.height = max(self.height, next_block)
        self.batches += 1
        self.batch_seconds += seconds
        for bucket in BATCH_SECONDS:
            if seconds <= bucket:
                self.batch_buckets[bucket] += 1
        self.look()

    def seen(self, height: int) -> None:
        """The channel has so many blocks."""
        self.height = max(height, self.next_block)
        self.look()

    def look(self) -> None:
        if self.lag == 0:
            self.caught_up_at = time.time()

    def failed(self, error: BaseException) -> None:
        self.errors[type(error).__name__] += 1
        self.last_error = str(error).partition("\n")[0]
