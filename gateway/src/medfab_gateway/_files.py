"""Files that survive a crash."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private_file(path: Path, content: bytes) -> None:
    """Writes `path` so that only its owner can read it, whole or not at all.

    A crash, or a reader at the same time, sees the old content or the new. What is no file
    (`/dev/stdout`, a pipe) is written to, and stays what it is. Raises `OSError`.
    """
    if _is_stream(path):
        with path.open("wb") as stream:
            stream.write(content)
        return
    # mkstemp makes files that only the owner can read (0600).
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _is_stream(path: Path) -> bool:
    return path.absolute().is_relative_to("/dev") or (path.exists() and not path.is_file())


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable: a rename is not before its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
