"""PostgreSQL, by psycopg 3: `pip install 'medfab-gateway[postgres]'`."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar

from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers._tables import ColumnType, Row, Table
from medfab_gateway.consumers.errors import ConfigurationError, StoreError, StoreUnavailableError

if TYPE_CHECKING:
    import psycopg

_MANY = 16
"""From so many rows on, COPY and one statement cost less than a statement for each."""

_TOO_LARGE = "54"
"""The class of errors for what is larger than a row or an index takes."""

_SECONDS_TO_CONNECT = 10
_SETTINGS = """
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 12000;
SET timezone = 'UTC';
"""
"""The server gives up on a machine that has vanished within seconds, and frees its lead."""


class PostgresStore(Store):
    """A database, by a connection string or URI of libpq."""

    types: ClassVar[Mapping[str, str]] = {
        "text": "text",
        "integer": "bigint",
        "number": "numeric",
        "boolean": "boolean",
        "bytes": "bytea",
        "time": "timestamptz",
        "json": "jsonb",
    }

    def __init__(self, address: str, *, schema: str = "public") -> None:
        """address: passwords belong into a `passfile` or PGPASSWORD, as for psql."""
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", schema):
            raise ConfigurationError(f"{schema!r} cannot be the name of a schema of PostgreSQL.")
        self._psycopg = _import()
        self._address = address
        self._schema = schema
        self._connection: psycopg.Connection[Any] | None = None
        self._led: set[str] = set()
        self._staged: set[str] = set()  # temporary tables that are there
        self._used: set[str] = set()  # those with rows of the present transaction
        try:
            described = self._psycopg.conninfo.conninfo_to_dict(address)
        except self._psycopg.ProgrammingError as error:
            raise ConfigurationError(
                "The address of the PostgreSQL database cannot be read; it should be like "
                "postgresql://user@host/database, with the password in ~/.pgpass or PGPASSWORD."
            ) from error
        host, name = described.get("host", "local socket"), described.get("dbname", "")
        self.description: str = f"postgresql:{host}/{name} ({schema})"

    def open(self) -> None:
        self.close()
        psycopg = self._psycopg
        try:
            self._connection = connection = psycopg.connect(
                self._address,
                autocommit=True,
                connect_timeout=_SECONDS_TO_CONNECT,
                application_name=f"medfab {socket.gethostname()}:{os.getpid()}"[:63],
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                tcp_user_timeout=12000,
            )
            connection.execute(_SETTINGS)
            if self._schema != "public":
                # Two that begin at once may both want to make it.
                with suppress(psycopg.errors.DuplicateSchema, psycopg.errors.UniqueViolation):
                    found = connection.execute("SELECT to_regnamespace(%s)", [self._schema])
                    if found.fetchone() == (None,):
                        connection.execute(f"CREATE SCHEMA {self._schema}".encode())
            connection.execute(f"SET search_path TO {self._schema}".encode())
        except psycopg.OperationalError as error:
            self.close()
            raise _unavailable(error) from error
        except psycopg.Error as error:
            self.close()
            raise StoreError(
                f"The database {self.description} cannot be used: {_first_line(error)}."
            ) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._led.clear()
        self._staged.clear()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._used.clear()
        try:
            with self._translated(), self._open_connection().transaction():
                yield
        except BaseException:
            self._staged.clear()  # what was made meanwhile has been rolled back
            raise

    def alone(self) -> None:
        # CREATE TABLE IF NOT EXISTS fails where two do it at the same moment.
        self.query("SELECT pg_advisory_xact_lock(?)", [self._lock("\x00tables")])

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        try:
            with self._open_connection().transaction():
                yield
        except BaseException:
            self._staged.clear()
            self._used.clear()
            raise

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        with self._translated():
            return self._open_connection().execute(_marked(statement), parameters or None).rowcount

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._translated():
            cursor = self._open_connection().execute(_marked(statement), parameters or None)
            return cursor.fetchall()

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._open_connection().cursor() as cursor:
            cursor.executemany(_marked(statement), rows)

    def create(self, table: Table) -> None:
        self.execute(f"DROP TABLE IF EXISTS {_stage(table)}")
        self._staged.discard(_stage(table))
        super().create(table)

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Many rows by COPY into a temporary table, and from there by one statement."""
        if len(rows) < _MANY:
            super().put(table, rows)
            return
        stage = _stage(table)
        columns = ", ".join(table.all_columns)
        if stage not in self._staged:
            self.execute(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} (LIKE {table.name}) "
                "ON COMMIT DELETE ROWS"
            )
            self._staged.add(stage)
        if stage in self._used:
            self.execute(f"TRUNCATE {stage}")
        self._used.add(stage)
        with (
            self._open_connection().cursor() as cursor,
            cursor.copy(f"COPY {stage} ({columns}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)
        others = [name for name in table.all_columns if name not in table.key]
        changes = ", ".join(f"{name} = excluded.{name}" for name in others)
        then = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
        self.execute(
            f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {stage} "  # noqa: S608
            f"ON CONFLICT ({', '.join(table.key)}) {then}"
        )

    def has_table(self, name: str) -> bool:
        [(found,)] = self.query("SELECT to_regclass(?) IS NOT NULL", [f"{self._schema}.{name}"])
        return bool(found)

    def try_to_lead(self, consumer: str) -> bool:
        if consumer in self._led:
            return True
        [(got,)] = self.query("SELECT pg_try_advisory_lock(?)", [self._lock(consumer)])
        if got:
            self._led.add(consumer)
        return bool(got)

    def is_led(self, consumer: str) -> bool:
        number = self._lock(consumer) & (2**64 - 1)
        [(count,)] = self.query(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND objsubid = 1 AND classid::bigint = ? AND objid::bigint = ? "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [number >> 32, number & (2**32 - 1)],
        )
        return bool(count)

    def is_refusal(self, error: Exception) -> bool:
        psycopg = self._psycopg
        if isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_TOO_LARGE):
            return True
        return isinstance(error, psycopg.IntegrityError | psycopg.DataError | UnicodeEncodeError)

    def converters(self, column: ColumnType) -> Callable[[Any], Any] | None:
        if column.name != "json":
            return None
        wrap: Callable[[Any], Any] = self._psycopg.types.json.Jsonb
        return wrap

    def _lock(self, consumer: str) -> int:
        digest = hashlib.sha256(f"medfab\x00{self._schema}\x00{consumer}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    def _open_connection(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            raise StoreUnavailableError(f"The database {self.description} is not connected.")
        return self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        psycopg = self._psycopg
        try:
            yield
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if self.is_refusal(error):
                raise
            raise _unavailable(error) from error
        except (psycopg.ProgrammingError, psycopg.NotSupportedError) as error:
            raise StoreError(
                f"The database {self.description} refuses a statement: {_first_line(error)}.\n"
                "Check the user's rights, and the SQL of views and migrations."
            ) from error


def _stage(table: Table) -> str:
    return f"medfab_stage_{table.name}"


def _marked(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()


def _unavailable(error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError(f"PostgreSQL cannot be reached: {_first_line(error)}.")


def _first_line(error: Exception) -> str:
    # Only the first: the further lines (DETAIL, CONTEXT) quote values of rows.
    return str(error).partition("\n")[0].strip().rstrip(".")


def _import() -> Any:
    try:
        import psycopg
        import psycopg.conninfo
        import psycopg.types.json
    except ImportError as error:
        raise ConfigurationError(
            "PostgreSQL needs psycopg: pip install 'medfab-gateway[postgres]'."
        ) from error
    return psycopg
