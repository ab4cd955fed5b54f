"""What a consumer feeds beside projections: a file, a webhook, a function."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import ClassVar

from medfab_gateway.consumers._delivery import Delivery, Selection
from medfab_gateway.consumers._state import DeadLetter
from medfab_gateway.consumers._store import Store


class Sink:
    """Takes deliveries in order. Called in the consumer's thread of its database."""

    one_block_at_a_time: ClassVar[bool] = False
    """Whether a batch is one block: for what may come again where a batch is not completed."""

    def __init__(self, name: str, selection: Selection) -> None:
        self.name: str = name
        self.selection: Selection = selection

    def restore(self, position: int | None) -> None:
        """Where the checkpoint says that this sink is; None: nothing was delivered yet."""

    def deliver(self, deliveries: Sequence[Delivery], stop: threading.Event) -> list[DeadLetter]:
        """Before the transaction of the batch: what may take long. At least once.

        Raises `Stopped` where `stop` is set before it has done.
        """
        return []

    def write(self, deliveries: Sequence[Delivery], store: Store) -> list[DeadLetter]:
        """Within the transaction of the batch: what is in the database is exactly once."""
        return []

    @property
    def position(self) -> int | None:
        """To be kept with the checkpoint; None: there is nothing to keep."""
        return None

    def close(self) -> None:
        """Lets go of what it holds."""


class Stopped(Exception):
    """The consumer was asked to end while a delivery was under way; it comes again."""
