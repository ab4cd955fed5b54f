"""Remembering what has been handled."""

from __future__ import annotations

from abc import ABC, abstractmethod

from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._checkpoint import Checkpoint


class AsyncCheckpointer(ABC):
    """Keeps a `Checkpoint`. Subclasses say where: for a database, write `load` and `save`.

        checkpoint = await checkpointer.load()  # None at first: from block 0 then
        async with network.chaincode_events("assets", 0, checkpoint=checkpoint) as events:
            async for event in events:
                await handle(event)
                await checkpointer.checkpoint_chaincode_event(event)

    The three `checkpoint_…` methods mean what they mean in the official clients.
    """

    @abstractmethod
    async def load(self) -> Checkpoint | None:
        """What was saved last; None: nothing yet."""

    @abstractmethod
    async def save(self, checkpoint: Checkpoint) -> None:
        """Keeps it instead of what was saved before, so that it survives this process."""

    async def checkpoint_block(self, block_number: int) -> None:
        """The whole block has been handled: go on with the next one."""
        await self.save(Checkpoint(block_number=block_number + 1))

    async def checkpoint_transaction(self, block_number: int, transaction_id: str) -> None:
        """The block has been handled up to this transaction, and with it.

        Streams of chaincode events go on after it, whether it emitted an event or not. Streams of
        blocks deliver the block again.
        """
        await self.save(Checkpoint(block_number=block_number, transaction_id=transaction_id))

    async def checkpoint_chaincode_event(self, event: CommittedEvent) -> None:
        """All up to this event has been handled, and it too."""
        await self.checkpoint_transaction(event.block_number, event.transaction_id)


class AsyncInMemoryCheckpointer(AsyncCheckpointer):
    """Lasts as long as the process.

    ::

        checkpointer = AsyncInMemoryCheckpointer()
        await checkpointer.checkpoint_block(7)
        print(await checkpointer.load())  # Checkpoint(block_number=8, transaction_id=None)
    """

    def __init__(self) -> None:
        self._checkpoint: Checkpoint | None = None

    async def load(self) -> Checkpoint | None:
        return self._checkpoint

    async def save(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
