"""One process at a time for a checkpoint file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from medfab_gateway.errors import CheckpointError


class CheckpointLock:
    """Held from the beginning until `release()`, or the end of the process, however it ends.

    On a file of its own, `<name>.lock`: the checkpoint file is replaced whenever it is written,
    and a lock would stay with the old one. The lock file stays behind; it means nothing by itself.
    """

    def __init__(self, checkpoint_file: Path) -> None:
        """Raises `CheckpointError` where another process has it, `OSError` for the file system."""
        path = checkpoint_file.with_name(checkpoint_file.name + ".lock")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, str(os.getpid()).encode())
        except BlockingIOError:
            holder = os.read(self._descriptor, 20).decode(errors="replace") or "unknown"
            os.close(self._descriptor)
            raise CheckpointError(
                f"{checkpoint_file} is in use by another consumer (process {holder}).\nTwo with "
                "one checkpoint would each handle a part of the events: give this one a file of "
                "its own, or end the other."
            ) from None

    def release(self) -> None:
        """Harmless when done twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
