"""SQLite, the embedded default: one file, and a lock beside it for each consumer."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, ClassVar

from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers._tables import ColumnType
from medfab_gateway.consumers.errors import StoreError, StoreUnavailableError

MEMORY = ":memory:"
_TIMEOUT = 30  # seconds to wait for a lock


class SqliteStore(Store):
    """A database file; `:memory:` is one without a file, for tests."""

    types: ClassVar[Mapping[str, str]] = {
        "text": "TEXT",
        "integer": "INTEGER",
        "number": "TEXT",
        "boolean": "INTEGER",
        "bytes": "BLOB",
        "time": "TEXT",
        "json": "TEXT",
    }

    table_options: ClassVar[str] = " WITHOUT ROWID"  # one tree for each table instead of two

    def __init__(self, path: str | Path) -> None:
        self.path: str = str(path)
        self.description: str = f"sqlite:{self.path}"
        self._connection: sqlite3.Connection | None = None
        self._locks: dict[str, int] = {}

    def open(self) -> None:
        if self._connection is not None:
            self._connection.close()
        try:
            if self.path != MEMORY:
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
                # What projections hold may be private: the file is its owner's alone.
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(
                self.path, isolation_level=None, timeout=_TIMEOUT, check_same_thread=False
            )
            self._connection = connection
            connection.create_function("medfab_add", 2, _add_numbers, deterministic=True)
            _write_ahead(connection)
            # After a power failure the last transactions may be missing, checkpoint included:
            # they are made again. After a `kill -9` nothing is missing.
            connection.execute("PRAGMA synchronous = NORMAL").close()
            connection.execute("PRAGMA secure_delete = ON").close()
            # Keys come in any order. With SQLite's own 2 MB of pages and a checkpoint after each
            # 4 MB, most of the time of a large database goes into reading and writing pages again.
            connection.execute("PRAGMA cache_size = -32768").close()
            connection.execute("PRAGMA wal_autocheckpoint = 8192").close()
            connection.execute("PRAGMA journal_size_limit = 67108864").close()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreError(
                f"The database {self.path} cannot be opened: {error}.\nCheck that the folder "
                "can be written to, and that the file is a SQLite database."
            ) from error

    def exists(self) -> bool:
        return self.path == MEMORY or Path(self.path).exists()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks.clear()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._translated():
            self._run("BEGIN IMMEDIATE")
            try:
                yield
                self._run("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error, StoreError):
                    self._run("ROLLBACK")
                raise

    def alone(self) -> None:
        """A transaction of SQLite is alone in any case."""

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self._run("SAVEPOINT medfab")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK TO medfab")
            self._run("RELEASE medfab")
            raise
        self._run("RELEASE medfab")

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        with self._translated():
            cursor = self._open_connection().execute(statement, parameters)
        count = cursor.rowcount
        cursor.close()
        return count

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._translated():
            cursor = self._open_connection().execute(statement, parameters)
            rows = cursor.fetchall()
        cursor.close()
        return rows

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._open_connection().executemany(statement, rows).close()

    def has_table(self, name: str) -> bool:
        return bool(self.query("SELECT 1 FROM sqlite_master WHERE name = ?", [name]))

    def try_to_lead(self, consumer: str) -> bool:
        if consumer in self._locks or self.path == MEMORY:
            return True
        descriptor = os.open(
            self._lock_file(consumer), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._locks[consumer] = descriptor
        return True

    def is_led(self, consumer: str) -> bool:
        if consumer in self._locks:
            return True
        try:
            descriptor = os.open(self._lock_file(consumer), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            # Shared, so that two that only look do not take each other for a leader.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def is_refusal(self, error: Exception) -> bool:
        return isinstance(error, _REFUSALS)

    def converters(self, column: ColumnType) -> Callable[[Any], Any] | None:
        return _CONVERTERS.get(column.name)

    def sum(self, column: ColumnType, present: str, name: str) -> str:
        if column.name == "number":
            return f"medfab_add({present}, excluded.{name})"
        return super().sum(column, present, name)

    def _lock_file(self, consumer: str) -> str:
        return f"{self.path}.{re.sub(r'[^A-Za-z0-9_.-]', '_', consumer)}.lock"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                raise StoreError(
                    f"The database {self.path} refuses a statement: {error}.\nCheck the SQL of "
                    "views and migrations."
                ) from error
            # Locked for long, no space left, an error of the disk: it may pass.
            raise StoreUnavailableError(
                f"The database {self.path} cannot be used at present: {error}."
            ) from error

    def _run(self, statement: str) -> None:
        self._open_connection().execute(statement).close()

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"The database {self.path} is not open.")
        return self._connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn to the write-ahead log. The connection's timeout does not hold for this statement:
    where several open a new database at the same moment, all but one are refused at once."""
    end = time.monotonic() + _TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _time(value: datetime) -> str:
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[:-6] + "Z"


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _number(value: Decimal | int) -> str:
    return format(Decimal(value), "f")


def _add_numbers(present: str | None, added: str) -> str:
    return _number(_EXACT.add(Decimal(present or 0), Decimal(added)))


_REFUSALS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    OverflowError,
    UnicodeEncodeError,
)
_EXACT = Context(prec=1000)
_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "time": _time,
    "json": _json,
    "number": _number,
    "boolean": int,
}
