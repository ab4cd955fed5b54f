"""Writing files that must survive a crash, and keys that nobody else may read."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_atomically(path: Path, content: bytes | str, mode: int = 0o644) -> None:
    """Write `path` so that a reader, or a crash, sees all of it or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_folder_atomically(folder: Path, files: Mapping[str, tuple[bytes | str, int]]) -> None:
    """Make `folder`, which must not exist, with these files: content and mode by relative path.

    For folders whose every file is read, whatever its name, as those of an MSP: what a crash
    leaves behind lies beside the folder, never in it.
    """
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name, (content, mode) in files.items():
        write_atomically(unfinished / name, content, mode)
    unfinished.replace(folder)
