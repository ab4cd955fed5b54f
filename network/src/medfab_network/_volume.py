"""What is in a container's volume, as the engine gives it: no folder of the engine's is opened."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from docker.models.containers import Container


def files_below(
    container: Container, folder: PurePosixPath
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """The files of a folder, named within it, each to be read before the next is asked for.

    The container may run or not. None where there is no such folder.
    """
    import docker

    try:
        pieces, _ = container.get_archive(str(folder))
    except docker.errors.NotFound:
        return
    with tarfile.open(fileobj=_Stream(pieces), mode="r|") as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isreg() else None
            if content is not None:
                entry.name = entry.name.partition("/")[2]  # all are below the folder's own name
                yield entry, content


class _Stream(io.RawIOBase):
    """A file that is read from pieces of any size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
