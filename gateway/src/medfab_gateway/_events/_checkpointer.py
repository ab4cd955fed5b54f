# Made by scripts/make_sync.py from _checkpointer_async.py: change that, and run it.
"""Remembering what has been handled."""

from __future__ import annotations

from abc import ABC, abstractmethod

from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._checkpoint import Checkpoint


class Checkpointer(ABC):
    """Keeps a `Checkpoint`. Subclasses say where: for a database, write `load` and `save`.

        checkpoint = checkpointer.load()  # None at first: from block 0 then
        with network.chaincode_events("assets", 0, checkpoint=checkpoint) as events:
            for event in events:
                handle(event)
                checkpointer.checkpoint_chaincode_event(event)

    The three `checkpoint_…` methods mean what they mean in the official clients.
    """

    @abstractmethod
    def load(self) -> Checkpoint | None:
        """What was saved last; None: nothing yet."""

    @abstractmethod
    def save(self, checkpoint: Checkpoint) -> None:
        """Keeps it instead of what was saved before, so that it survives this process."""

    def checkpoint_block(self, block_number: int) -> None:
        """The whole block has been handled: go on with the next one."""
        self.save(Checkpoint(block_number=block_number + 1))

    def checkpoint_transaction(self, block_number: int, transaction_id: str) -> None:
        """The block has been handled up to this transaction, and with it.

        Streams of chaincode events go on after it, whether it emitted an event or not. Streams of
        blocks deliver the block again.
        """
        self.save(Checkpoint(block_number=block_number, transaction_id=transaction_id))

    def checkpoint_chaincode_event(self, event: CommittedEvent) -> None:
        """All up to this event has been handled, and it too."""
        self.checkpoint_transaction(event.block_number, event.transaction_id)


class InMemoryCheckpointer(Checkpointer):
    """Lasts as long as the process.

    ::

        checkpointer = InMemoryCheckpointer()
        checkpointer.checkpoint_block(7)
        print(checkpointer.load())  # Checkpoint(block_number=8, transaction_id=None)
    """

    def __init__(self) -> None:
        self._checkpoint: Checkpoint | None = None

    def load(self) -> Checkpoint | None:
        return self._checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
