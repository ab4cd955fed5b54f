"""What is in a container's volume, by way of the engine: no folder of the engine's is opened."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from medfab_network._engine import engine_errors
from medfab_network._files import Readable
from medfab_network.errors import EngineError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

_PIECE = 1 << 20

PutFile = Callable[[tarfile.TarInfo, Readable], None]
"""Takes a file, and reads all of it."""


@contextlib.contextmanager
def holder(
    client: DockerClient, image: str, volume: str, folder: PurePosixPath, labels: Mapping[str, str]
) -> Iterator[Container]:
    """A container that has the volume at the folder, and never runs.

    A node's own container will not do: where it has none, one would be left, and the engine would
    make the folders that it binds.
    """
    import docker

    name = f"{volume}.holder"
    with engine_errors():
        with contextlib.suppress(docker.errors.NotFound):  # of a command that was killed
            client.containers.get(name).remove(force=True)
        container = client.containers.create(
            image,
            ["never-runs"],
            name=name,
            volumes={volume: {"bind": str(folder), "mode": "rw"}},
            network_mode="none",
            labels=dict(labels),
        )
    try:
        yield container
    finally:
        with engine_errors():
            container.remove(force=True)


def files_below(
    container: Container, folder: PurePosixPath
) -> Generator[tuple[tarfile.TarInfo, IO[bytes]], None, None]:
    """The files of a folder, named within it, each to be read before the next is asked for.

    None where there is no such folder.
    """
    import docker

    with engine_errors():
        try:
            pieces, _ = container.get_archive(str(folder))
        except docker.errors.NotFound:
            return
    # Until all is read, or the connection closed, the engine keeps hold of the container.
    with (
        contextlib.closing(pieces),
        tarfile.open(fileobj=_Stream(pieces), mode="r|") as archive,
    ):
        for entry in archive:
            if entry.islnk():
                raise EngineError(f"{entry.name} has a second name: no file of a ledger has")
            content = archive.extractfile(entry) if entry.isreg() else None
            if content is not None:
                entry.name = entry.name.partition("/")[2]  # all are below the folder's own name
                entry.mode = stat.S_IMODE(entry.mode)
                yield entry, content
        for _ in pieces:
            pass


@contextlib.contextmanager
def put_below(
    container: Container, folder: PurePosixPath, *, uid: int, gid: int
) -> Iterator[PutFile]:
    """Takes files, named within the folder, and streams them there; they are that user's."""
    source, sink = os.pipe()

    def send() -> None:
        with engine_errors(), os.fdopen(source, "rb", buffering=0) as pipe:
            container.put_archive(str(folder), iter(lambda: pipe.read(_PIECE), b""))

    with ThreadPoolExecutor(1, thread_name_prefix="medfab-volume") as pool:
        sent = pool.submit(send)
        try:
            with (
                os.fdopen(sink, "wb") as pipe,
                tarfile.open(fileobj=pipe, mode="w|", format=tarfile.PAX_FORMAT) as archive,
            ):
                yield _Writer(archive, uid, gid).put
        except BrokenPipeError:
            sent.result()  # it says why the engine takes no more
            raise
        sent.result()


class _Writer:
    """Of an archive whose files and folders are all one user's."""

    def __init__(self, archive: tarfile.TarFile, uid: int, gid: int) -> None:
        self._archive = archive
        self._uid, self._gid = uid, gid
        self._folders: set[PurePosixPath] = set()

    def put(self, entry: tarfile.TarInfo, content: Readable) -> None:
        path = PurePosixPath(entry.name)
        for folder in reversed(path.parents[:-1]):
            if folder not in self._folders:  # else the engine makes it, root's
                self._folders.add(folder)
                self._archive.addfile(self._info(folder, 0o700, tarfile.DIRTYPE))
        info = self._info(path, entry.mode & 0o755, tarfile.REGTYPE)
        info.size, info.mtime = entry.size, entry.mtime
        self._archive.addfile(info, content)

    def _info(self, path: PurePosixPath, mode: int, kind: bytes) -> tarfile.TarInfo:
        info = tarfile.TarInfo(str(path))
        info.mode, info.type = mode, kind
        info.uid, info.gid = self._uid, self._gid
        return info


class _Stream(io.RawIOBase):
    """An archive that comes in pieces of any size. `EngineError` where it has no end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            with engine_errors():
                piece = next(self._pieces, None)
            if piece is None:  # nobody reads on after an archive's end
                raise EngineError("the Docker engine ended in the middle of a volume")
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
