"""The folder of a network: whose it is, who works on it, and which topology it was made with."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from typing import IO

import yaml

from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network.errors import DirectoryError
from medfab_network.topology import Topology, parse_topology

_LOCK_CONTENT = b"medfab network: `medfab network clean` deletes all of this folder\n"
"""Marks a directory as ours. A file of that name with other content is somebody else's."""


class NetworkFolder:
    """One folder, that may not be there yet."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._depth = 0
        self._lock_file: IO[str] | None = None
        self.topology = self._stored_topology()
        """What the folder was made with; None before that."""

    def claim(self, topology: Topology) -> None:
        """Note down the topology, where no other network is here. Raises `DirectoryError`."""
        root = self._layout.root
        if self.topology is None and self._contents():
            raise DirectoryError(
                f"{root} holds a network without its topology (a run was cut off, or files were "
                f"deleted); start afresh with `medfab network clean --dir {root}`"
            )
        if self.topology is not None and _skeleton(self.topology) != _skeleton(topology):
            raise DirectoryError(
                f"{root} was made for another topology. Use another --dir, or delete the old "
                f"network with `medfab network clean --dir {root}`"
            )
        root.chmod(0o700)  # it may have been there, empty, before us
        self.store(topology)

    def store(self, topology: Topology) -> None:
        """From now on the network is this one."""
        document = yaml.safe_dump(dict(topology.source), sort_keys=False)
        write_atomically(self._layout.topology, document)
        self.topology = topology

    def remove(self) -> None:
        """Delete the folder and all in it; to be called within `exclusive`."""
        # What says whose directory it is goes last: a removal that is cut off can be repeated.
        marks = (self._layout.topology, self._layout.demo_mark)
        for path in self._layout.root.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path not in (*marks, self._layout.lock):
                path.unlink()
        for mark in marks:
            mark.unlink(missing_ok=True)
        if self._depth == 1:  # nobody of ours works on in the directory
            self._layout.lock.unlink()
            self._layout.root.rmdir()
        self.topology = None

    def _is_ours(self) -> bool:
        """Whether we made the directory or may: what is in it would be deleted by `clean`."""
        if not self._layout.root.exists():
            return True
        if not self._layout.root.is_dir():
            return False
        try:
            mark = self._layout.lock.read_bytes()
        except OSError:
            mark = b""
        return mark == _LOCK_CONTENT or (not mark and not self._contents())

    def _contents(self) -> set[str]:
        """Names in the directory, but for the lock and the mark of the demo."""
        own = {self._layout.lock.name, self._layout.demo_mark.name}
        return {path.name for path in self._layout.root.iterdir()} - own

    def _stored_topology(self) -> Topology | None:
        path = self._layout.topology
        if not self._is_ours() or not path.exists():
            return None
        try:
            return parse_topology(yaml.safe_load(path.read_text()))
        except Exception as error:
            raise DirectoryError(
                f"{path} is damaged ({error}); start afresh by deleting {self._layout.root}"
            ) from error

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """As `Network.exclusive`."""
        if self._depth == 0:
            self._lock_file = self._acquire()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and self._lock_file is not None:
                self._lock_file.close()

    def _acquire(self) -> IO[str]:
        while True:
            if not self._is_ours():
                raise DirectoryError(
                    f"{self._layout.root} is not empty and holds no network; choose another --dir"
                )
            self._layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._layout.lock.open("a")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.close()
                raise DirectoryError(
                    f"another medfab command is working on {self._layout.root}; wait until it ends"
                ) from error
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(file.fileno()).st_ino == self._layout.lock.stat().st_ino:
                    if file.tell() == 0:
                        file.write(_LOCK_CONTENT.decode())
                        file.flush()
                    return file
            file.close()  # `clean` deleted the file between opening and locking it


def _skeleton(topology: Topology) -> Mapping[str, object]:
    """What cannot change in a running network; chaincodes are upgraded by `up`."""
    return {key: value for key, value in topology.source.items() if key != "chaincodes"}
