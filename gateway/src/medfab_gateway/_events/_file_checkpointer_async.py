"""A checkpoint in a file."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from medfab_gateway._aio import in_background
from medfab_gateway._events._checkpoint import Checkpoint, from_json, to_json
from medfab_gateway._events._checkpoint_lock import CheckpointLock
from medfab_gateway._events._checkpointer_async import AsyncCheckpointer
from medfab_gateway._files import write_private_file


class AsyncFileCheckpointer(AsyncCheckpointer):
    """Keeps the checkpoint in a file, which survives `kill -9` and loss of power.

        with AsyncFileCheckpointer("events.checkpoint") as checkpointer:
            checkpoint = await checkpointer.load()  # None at first: from block 0 then
            async with network.chaincode_events("assets", 0, checkpoint=checkpoint) as events:
                async for event in events:
                    await handle(event)
                    await checkpointer.checkpoint_chaincode_event(event)

    The file is replaced as a whole, and on the disk when `save` returns. It is locked, from the
    making of this object until `close()`: a second process gets a `CheckpointError`. Files of the
    official Go, Node and Java clients can be gone on with, and they with ours.
    """

    def __init__(self, path: str | Path) -> None:
        """Raises `CheckpointError` where another process uses the file, and `OSError`."""
        self._path = Path(path)
        self._lock = CheckpointLock(self._path)

    async def load(self) -> Checkpoint | None:
        """Raises `CheckpointError` for a file that is no checkpoint, and `OSError`."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        return from_json(content, name=str(self._path))

    async def save(self, checkpoint: Checkpoint) -> None:
        """Raises `OSError`; the file is as it was then."""
        await in_background(write_private_file, self._path, to_json(checkpoint))

    def close(self) -> None:
        """Lets others use the file. Harmless when done twice."""
        self._lock.release()

    def __enter__(self) -> AsyncFileCheckpointer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
