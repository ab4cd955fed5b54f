"""Writing files that must survive a crash, and keys that nobody else may read."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Readable(Protocol):
    """What can be read, piece by piece."""

    def read(self, size: int = -1, /) -> bytes: ...


def write_atomically(path: Path, content: bytes | str, mode: int = 0o644) -> None:
    """Write `path` so that a reader, or a crash, sees all of it or none of it.

    Written by root, it is the folder's owner's: a node that runs as somebody else reads its new
    files at any moment.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            if os.geteuid() == 0:
                folder = path.parent.stat()
                os.fchown(descriptor, folder.st_uid, folder.st_gid)
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


def write_entry(folder: Path, entry: tarfile.TarInfo, content: Readable) -> None:
    """A file of an archive to below the folder, where no such file is, and to the disk."""
    place = folder / entry.name
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
        os.fchmod(descriptor, entry.mode & 0o755)
        file.flush()
        os.fsync(descriptor)
