"""The database of a consumer: rows, checkpoint, dead letters and lead, in SQLite or PostgreSQL.

One connection, used by one thread at a time. What both databases say alike is here; `_sqlite.py`
and `_postgres.py` have the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from medfab_gateway.consumers._buffer import TableWrites
from medfab_gateway.consumers._tables import DERIVED_FROM, EXPIRES_AT, ColumnType, Row, Table, View


class Store(ABC):
    """A database, and what differs between databases."""

    types: ClassVar[Mapping[str, str]]
    """SQL's name of each column type."""

    table_options: ClassVar[str] = ""
    """SQL behind the columns of each table."""

    description: str
    """For people: without a password."""

    # What each database does in its own way.

    @abstractmethod
    def open(self) -> None:
        """Connect, and make medfab's own tables. Raises `StoreError`."""

    def exists(self) -> bool:
        """Whether there is a database to open: looking at one that is not there makes none."""
        return True

    @abstractmethod
    def close(self) -> None:
        """Ends the connection, and with it the lead."""

    @abstractmethod
    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; `StoreUnavailableError` where the connection broke."""

    @abstractmethod
    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """The same within a transaction."""

    @abstractmethod
    def alone(self) -> None:
        """For the rest of the transaction, nobody else makes tables here."""

    @abstractmethod
    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """One statement, with `?` for each parameter; the number of rows concerned."""

    @abstractmethod
    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None: ...

    @abstractmethod
    def has_table(self, name: str) -> bool: ...

    @abstractmethod
    def try_to_lead(self, consumer: str) -> bool:
        """Take the lead among the consumers of that name, if nobody has it."""

    @abstractmethod
    def is_led(self, consumer: str) -> bool:
        """Whether some process leads."""

    @abstractmethod
    def is_refusal(self, error: Exception) -> bool:
        """Whether the database refused what it was given, and will do so again."""

    @abstractmethod
    def converters(self, column: ColumnType) -> Callable[[Any], Any] | None:
        """What makes a value of that type one for the driver; None: it is one."""

    # What they do alike.

    def create(self, table: Table) -> None:
        columns = [
            f"{name} {self.types[column.name]}{'' if column.nullable else ' NOT NULL'}"
            for name, column in table.all_columns.items()
        ]
        columns.append(f"PRIMARY KEY ({', '.join(table.key)})")
        self.execute(f"CREATE TABLE {table.name} ({', '.join(columns)}){self.table_options}")
        indexes = [*table.indexes, *([[DERIVED_FROM], [EXPIRES_AT]] if table.private else [])]
        for number, index in enumerate(indexes):
            name = f"{table.name}_{number}"
            self.execute(f"CREATE INDEX {name} ON {table.name} ({', '.join(index)})")

    def create_view(self, view: View) -> None:
        self.execute(f"CREATE VIEW {view.name} AS {view.query}")

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        self.execute_many(_upsert(table), rows)

    def write(self, table: Table, writes: TableWrites) -> None:
        """What a batch does to a table."""
        key = " AND ".join(f"{name} = ?" for name in table.key)
        if writes.forgotten:
            self.execute_many(
                f"DELETE FROM {table.name} WHERE {DERIVED_FROM} = ?",  # noqa: S608
                [(source,) for source in writes.forgotten],
            )
        if writes.deleted:
            convert = self._converter(table, table.key)
            self.execute_many(
                f"DELETE FROM {table.name} WHERE {key}",  # noqa: S608
                map(convert, writes.deleted) if convert else writes.deleted,
            )
        if writes.put:
            convert = self._converter(table, table.all_columns)
            self.put(table, [*map(convert, writes.put)] if convert else writes.put)
        for names, rows in writes.merged.items():
            self._change(table, names, rows, adding=False)
        for names, rows in writes.added.items():
            self._change(table, names, rows, adding=True)

    def expire(self, table: Table, block_number: int) -> None:
        """Rows of a private table whose values have expired with this block go."""
        self.execute(f"DELETE FROM {table.name} WHERE {EXPIRES_AT} <= ?", [block_number])  # noqa: S608

    def _change(
        self, table: Table, names: Sequence[str], rows: Sequence[Row], *, adding: bool
    ) -> None:
        columns = [*table.key, *names]
        zero = [
            name
            for name, column in table.columns.items()
            if name not in columns and column.name in ("integer", "number") and not column.nullable
        ]
        marks = [*("?" for _ in columns), *("0" for _ in zero)]
        changes = [self._change_of(table, name, adding=adding) for name in names]
        then = f"DO UPDATE SET {', '.join(changes)}" if changes else "DO NOTHING"
        convert = self._converter(table, columns)
        self.execute_many(
            f"INSERT INTO {table.name} ({', '.join([*columns, *zero])}) "  # noqa: S608
            f"VALUES ({', '.join(marks)}) ON CONFLICT ({', '.join(table.key)}) {then}",
            map(convert, rows) if convert else rows,
        )

    def _change_of(self, table: Table, name: str, *, adding: bool) -> str:
        if not adding:
            return f"{name} = excluded.{name}"
        return f"{name} = {self.sum(table.columns[name], f'{table.name}.{name}', name)}"

    def sum(self, column: ColumnType, present: str, name: str) -> str:
        """SQL for what is there and what is added."""
        return f"coalesce({present}, 0) + excluded.{name}"

    def _converter(self, table: Table, names: Iterable[str]) -> Callable[[Row], Row] | None:
        """Makes a row for the driver; None: it is one already."""
        found = [
            (index, convert)
            for index, name in enumerate(names)
            if (convert := self.converters(table.all_columns[name])) is not None
        ]
        if not found:
            return None

        def convert_row(row: Row) -> Row:
            changed = list(row)
            for index, convert in found:
                value = changed[index]
                if value is not None:
                    changed[index] = convert(value)
            return tuple(changed)

        return convert_row


def _upsert(table: Table) -> str:
    columns = list(table.all_columns)
    others = [name for name in columns if name not in table.key]
    changes = ", ".join(f"{name} = excluded.{name}" for name in others)
    then = f"DO UPDATE SET {changes}" if others else "DO NOTHING"
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) "  # noqa: S608
        f"VALUES ({', '.join('?' for _ in columns)}) ON CONFLICT ({', '.join(table.key)}) {then}"
    )
