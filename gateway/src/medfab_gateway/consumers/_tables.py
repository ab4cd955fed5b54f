"""Tables as a projection declares them, and what it does to their rows. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from medfab_gateway.consumers.errors import DeclarationError

Value: TypeAlias = Any
"""What a column holds: see the types below."""

Row: TypeAlias = tuple[Value, ...]
Key: TypeAlias = tuple[Value, ...]

DERIVED_FROM = "derived_from"
"""The column of private tables that names the private key: 32 bytes, see `private_source`."""

EXPIRES_AT = "expires_at_block"
"""The column of private tables with the block at which the row goes; None: it does not expire."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_INTEGERS = range(-(2**63), 2**63)


@dataclass(frozen=True)
class ColumnType:
    """The type of a column. One of the constants below, or `optional()` of one."""

    name: str
    accepts: tuple[type, ...]
    nullable: bool = False


TEXT = ColumnType("text", (str,))
"""Without U+0000, which PostgreSQL cannot store: see `readable_key`."""
INTEGER = ColumnType("integer", (int,))
"""Of 64 bits."""
NUMBER = ColumnType("number", (Decimal, int))
"""Exact decimals, of any size. In SQLite a text."""
BOOLEAN = ColumnType("boolean", (bool,))
"""In SQLite 0 or 1."""
BYTES = ColumnType("bytes", (bytes,))
"""In SQLite a `BLOB`, in PostgreSQL `bytea`."""
TIME = ColumnType("time", (datetime,))
"""With a time zone. In SQLite a text, in UTC: `2026-08-01T12:00:00.000000Z`."""
JSON = ColumnType("json", (dict, list, str, int, float, bool))
"""In SQLite a text, in PostgreSQL `jsonb`."""


def optional(column_type: ColumnType) -> ColumnType:
    """The same, or None."""
    return replace(column_type, nullable=True)


class Operation(NamedTuple):
    """What is to happen to a row; made by the methods of `Table`."""

    kind: str
    """`put`, `delete`, `merge` or `add`; `rows` for many that are put at once, unchecked."""

    table: Table
    key: Key
    row: Any
    """put: the row; delete: None; merge, add: columns by name; rows: rows by key."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table of a projection.

    ::

        PACKS = Table(
            "packs",
            {"gtin": TEXT, "serial": TEXT, "status": TEXT, "moved_at": optional(TIME)},
            key=("gtin", "serial"),
            indexes=[("status",)],
        )
        PACKS.put(gtin="09506000134352", serial="1", status="shipped", moved_at=None)
    """

    name: str
    columns: Mapping[str, ColumnType]
    key: Sequence[str] = field(kw_only=True)
    """The columns that tell rows apart."""

    indexes: Sequence[Sequence[str]] = field(default=(), kw_only=True)
    """Further columns to search by."""

    private: bool = field(default=False, kw_only=True)
    """Whether rows are derived from private data: those that `on_private` handlers give. Such a
    table has two more columns, `derived_from` and `expires_at_block`, loses the rows of what is
    purged, and knows `put` alone."""

    def __post_init__(self) -> None:
        for name in (self.name, *self.columns):
            if not _NAME.fullmatch(name):
                raise DeclarationError(
                    f"{name!r} cannot be the name of a table or column: small letters, digits "
                    "and _, 48 at most, a letter first."
                )
        if self.name.startswith("medfab_"):
            raise DeclarationError(f"{self.name}: names that begin with medfab_ are medfab's own.")
        for name in {DERIVED_FROM, EXPIRES_AT} & self.columns.keys():
            raise DeclarationError(f"{self.name}: the column {name} is made by medfab.")
        for columns in (self.key, *self.indexes):
            unknown = [name for name in columns if name not in self.columns]
            if isinstance(columns, str) or not columns or unknown:
                raise DeclarationError(
                    f"{self.name}: key and indexes are lists of its columns, not {columns!r}."
                )
        if any(self.columns[name].nullable for name in self.key):
            raise DeclarationError(f"{self.name}: a column of the key is never optional.")

    @cached_property
    def all_columns(self) -> Mapping[str, ColumnType]:
        """With those that medfab adds to a private table."""
        added = {DERIVED_FROM: BYTES, EXPIRES_AT: optional(INTEGER)} if self.private else {}
        return {**self.columns, **added}

    def put(self, **values: Value) -> Operation:
        """Insert the row, or replace the one with its key. Optional columns may be left out."""
        if len(values) != len(self.columns) or not values.keys() <= self.columns.keys():
            self._check_names(values)
            missing = [
                name
                for name, column in self.columns.items()
                if name not in values and not column.nullable
            ]
            if missing:
                raise ValueError(f"a row of {self.name} lacks {', '.join(missing)}")
        return self.row(*map(values.get, self.columns))

    def row(self, *values: Value) -> Operation:
        """As `put`, with all values in the order of the columns: the quick form."""
        self._check(values)
        return Operation("put", self, self._key_of(values), values)

    def delete(self, **key: Value) -> Operation:
        """Remove the row with this key, if there is one. Private tables do so by themselves."""
        self._refuse_where_private()
        return Operation("delete", self, self._given_key(key), None)

    def merge(self, **values: Value) -> Operation:
        """Set these columns of the row with this key; a new row has None in all others, or 0."""
        self._refuse_where_private()
        return Operation("merge", self, *self._key_and_others(values))

    def add(self, **values: Value) -> Operation:
        """Add to numbers of the row with this key; a new row begins with 0.

        STOCK.add(gtin=gtin, location=location, quantity=-1)

        """
        self._refuse_where_private()
        key, others = self._key_and_others(values)
        for name in others:
            if self.columns[name].name not in ("integer", "number"):
                raise ValueError(f"{self.name}.{name} is no number to add to")
        return Operation("add", self, key, others)

    def new_row(self, key: Key, others: Mapping[str, Value]) -> Row:
        """A row that had not been there. Raises `ValueError` where a column needs a value."""
        values = {**dict(zip(self.key, key, strict=True)), **others}
        row = tuple(
            values[name] if name in values else self._default(name) for name in self.columns
        )
        self._check(row)
        return row

    def _default(self, name: str) -> Value:
        column = self.columns[name]
        return 0 if column.name in ("integer", "number") and not column.nullable else None

    @cached_property
    def _key_of(self) -> Any:
        indexes = [list(self.columns).index(name) for name in self.key]
        if len(indexes) == 1:
            only = indexes[0]
            return lambda row: (row[only],)
        return itemgetter(*indexes)

    @cached_property
    def _accepted(self) -> set[tuple[type, ...]]:
        """The types of rows that have been checked: most rows of a table are alike."""
        return set()

    @cached_property
    def _texts(self) -> tuple[int, ...]:
        columns = enumerate(self.columns.values())
        return tuple(index for index, column in columns if column.name == "text")

    @cached_property
    def _integers(self) -> tuple[int, ...]:
        columns = enumerate(self.columns.values())
        return tuple(index for index, column in columns if column.name == "integer")

    def _check(self, row: Row) -> None:
        """Both databases must take it, or neither. No message has a value: it may be private."""
        types = tuple(map(type, row))
        if types not in self._accepted:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {self.name} has {len(self.columns)} columns")
            for (name, column), value in zip(self.columns.items(), row, strict=True):
                check_value(f"{self.name}.{name}", column, value)
            self._accepted.add(types)
        for index in self._texts:
            if row[index] is not None and "\x00" in row[index]:
                raise ValueError(f"a text of {self.name} has U+0000: see readable_key")
        for index in self._integers:
            if row[index] is not None and row[index] not in _INTEGERS:
                raise ValueError(f"a number of {self.name} has more than 64 bits")
        for index, name in self._others:
            check_value(f"{self.name}.{name}", self.columns[name], row[index])

    @cached_property
    def _others(self) -> tuple[tuple[int, str], ...]:
        """Columns whose values need more than a look at their type."""
        columns = enumerate(self.columns.items())
        return tuple(
            (index, name) for index, (name, each) in columns if each.name in ("time", "json")
        )

    def _given_key(self, key: Mapping[str, Value]) -> Key:
        if key.keys() != set(self.key):
            raise ValueError(f"the key of {self.name} is {', '.join(self.key)}")
        return tuple(key[name] for name in self.key)

    def _key_and_others(self, values: Mapping[str, Value]) -> tuple[Key, dict[str, Value]]:
        self._check_names(values)
        missing = [name for name in self.key if name not in values]
        if missing:
            raise ValueError(f"the key of {self.name} lacks {', '.join(missing)}")
        for name, value in values.items():
            check_value(f"{self.name}.{name}", self.columns[name], value)
        others = {name: value for name, value in values.items() if name not in self.key}
        return tuple(values[name] for name in self.key), others

    def _refuse_where_private(self) -> None:
        if self.private:
            raise DeclarationError(
                f"{self.name} is private and knows put alone: a row that comes from several "
                "values could not forget one of them."
            )

    def _check_names(self, values: Mapping[str, Value]) -> None:
        unknown = values.keys() - self.columns.keys()
        if unknown:
            raise ValueError(f"{self.name} has no column {', '.join(sorted(unknown))}")


@dataclass(frozen=True, kw_only=True)
class View:
    """A view over the tables of a projection, in SQL that SQLite and PostgreSQL both know."""

    name: str
    query: str
    """A SELECT."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise DeclarationError(f"{self.name!r} cannot be the name of a view.")


def check_value(where: str, column: ColumnType, value: Value) -> None:
    """Raises `ValueError` or `TypeError`, which name the column and no value."""
    if value is None:
        if not column.nullable:
            raise ValueError(f"{where} is not optional")
        return
    right = isinstance(value, column.accepts)
    if isinstance(value, bool) and bool not in column.accepts:
        right = False
    if not right:
        raise TypeError(f"{where} is of type {column.name}, not {type(value).__name__}")
    if column.name == "text" and "\x00" in value:
        raise ValueError(f"{where} has U+0000: see readable_key")
    if column.name == "integer" and value not in _INTEGERS:
        raise ValueError(f"{where} has more than 64 bits")
    if column.name == "time" and value.tzinfo is None:
        raise ValueError(f"{where} is without a time zone")
    if column.name == "json":
        _check_json(where, value)


def _check_json(where: str, value: Value) -> None:
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError(f"{where} is no JSON") from None  # the error would quote the value
    if "\\u0000" in text:
        raise ValueError(f"{where} has U+0000, which PostgreSQL cannot store")
