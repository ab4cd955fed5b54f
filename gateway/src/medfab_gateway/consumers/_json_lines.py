"""A file of JSON lines: one delivery a line, exactly once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from medfab_gateway.consumers._delivery import Delivery, Selection
from medfab_gateway.consumers._sink import Sink
from medfab_gateway.consumers._state import DeadLetter
from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers.errors import StoreError, StoreUnavailableError


class JsonLines(Sink):
    """Appends to a file. What a batch that was not committed has left there is cut off again.

        JsonLines("audit", "audit.jsonl", Selection(chaincode="ehr"))

    The checkpoint holds the length of the file. Whoever rotates it moves it away while the consumer
    runs: a new one is begun.
    """

    def __init__(self, name: str, path: str | Path, selection: Selection | None = None) -> None:
        super().__init__(name, selection or Selection())
        self.path: Path = Path(path)
        self._descriptor: int | None = None
        self._position = 0

    @property
    def position(self) -> int:
        return self._position

    def restore(self, position: int | None) -> None:
        self._open()
        length = self._length()
        if position is None and length:
            raise StoreError(
                f"{self.path} exists and holds what this consumer has not written.\nGive the "
                "consumer another file, or move this one away."
            )
        self._position = position or 0
        if length == 0:
            self._position = 0  # rotated away meanwhile
        elif length < self._position:
            raise StoreError(
                f"{self.path} is shorter than it was: {length} bytes instead of "
                f"{self._position}. Somebody has changed it.\nMove it away, and the consumer "
                "begins a new one where it is."
            )
        self._cut()

    def write(self, deliveries: Sequence[Delivery], store: Store) -> list[DeadLetter]:
        if deliveries:
            lines = b"".join(delivery.line() + b"\n" for delivery in deliveries)
            try:
                self._append(lines)
            except OSError as error:
                raise StoreUnavailableError(
                    f"{self.path} cannot be written to: {error.strerror}."
                ) from error
            self._position += len(lines)
        return []

    def _append(self, lines: bytes) -> None:
        self._follow_rotation()
        self._cut()
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(self._open(), rest) :]
        os.fsync(self._open())

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _cut(self) -> None:
        if self._length() != self._position:
            os.ftruncate(self._open(), self._position)

    def _length(self) -> int:
        return os.fstat(self._open()).st_size

    def _follow_rotation(self) -> None:
        try:
            same = os.path.samestat(self.path.stat(), os.fstat(self._open()))
        except FileNotFoundError:
            same = False
        if not same:
            self.close()
            self._position = 0

    def _open(self) -> int:
        if self._descriptor is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            try:
                # One that has lost the lead and does not know it yet keeps the file to itself.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(descriptor)
                raise StoreUnavailableError(f"{self.path} is in use by another process.") from error
            self._descriptor = descriptor
        return self._descriptor
