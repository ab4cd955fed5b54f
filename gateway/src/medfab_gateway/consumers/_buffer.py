"""The operations of a batch on one table, as few as have the same effect. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from medfab_gateway.consumers._tables import Key, Operation, Row, Table

_DELETED = object()


@dataclass(frozen=True, kw_only=True)
class _Merge:
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Add:
    values: dict[str, Any]


@dataclass(kw_only=True)
class TableWrites:
    """What is to be written, in this order. Rows are of `Table.all_columns`."""

    forgotten: list[bytes] = field(default_factory=list)
    """Private sources whose rows go."""

    deleted: list[Key] = field(default_factory=list)
    put: list[Row] = field(default_factory=list)
    merged: dict[tuple[str, ...], list[tuple[Any, ...]]] = field(default_factory=dict)
    """By the names of the columns set: their values after those of the key."""

    added: dict[tuple[str, ...], list[tuple[Any, ...]]] = field(default_factory=dict)
    """By the names of the columns added to: their values after those of the key."""


class TableBuffer:
    """Collects operations; the last one for a key counts."""

    def __init__(self, table: Table, write: Callable[[Table, TableWrites], None]) -> None:
        self.table = table
        self._write = write
        self._rows: dict[Key, Any] = {}
        self._forgotten: dict[bytes, None] = {}
        self._derived: dict[bytes, set[Key]] = {}

    def apply(self, operation: Operation) -> None:
        kind, _, key, row = operation
        if kind == "put":
            self._rows[key] = row
        elif kind == "rows":
            self._rows.update(row)
        elif kind == "delete":
            self._rows[key] = _DELETED
        else:
            self._change(kind, key, row)

    def put_derived(self, operation: Operation, source: bytes, expires_at: int | None) -> None:
        """Of a private table: the row that follows from a private value."""
        self._rows[operation.key] = (*operation.row, source, expires_at)
        self._derived.setdefault(source, set()).add(operation.key)

    def forget(self, source: bytes) -> None:
        """All rows derived from it go, those collected so far included."""
        self._forgotten[source] = None
        for key in self._derived.pop(source, ()):
            row = self._rows[key]
            if row is not _DELETED and row[-2] == source:  # and not from elsewhere since
                self._rows[key] = _DELETED

    def _change(self, kind: str, key: Key, values: dict[str, Any]) -> None:
        present = self._rows.get(key)
        if present is _DELETED:
            self._rows[key] = self.table.new_row(key, values)
        elif isinstance(present, tuple):
            changed = dict(zip(self.table.columns, present, strict=True))
            for name, value in values.items():
                changed[name] = (changed[name] or 0) + value if kind == "add" else value
            self._rows[key] = tuple(changed.values())
        elif kind == "merge":
            if isinstance(present, _Add):
                self.flush()
            before = present.values if isinstance(present, _Merge) else {}
            self._rows[key] = _Merge(values={**before, **values})
        else:
            if isinstance(present, _Merge):
                self.flush()
            sums = dict(present.values) if isinstance(present, _Add) else {}
            for name, value in values.items():
                sums[name] = sums.get(name, 0) + value
            self._rows[key] = _Add(values=sums)

    def flush(self) -> None:
        if not self._rows and not self._forgotten:
            return
        writes = TableWrites(forgotten=[*self._forgotten])
        for key, row in self._rows.items():
            if row is _DELETED:
                writes.deleted.append(key)
            elif isinstance(row, tuple):
                writes.put.append(row)
            elif isinstance(row, _Merge):
                writes.merged.setdefault(tuple(row.values), []).append((*key, *row.values.values()))
            else:
                writes.added.setdefault(tuple(row.values), []).append((*key, *row.values.values()))
        self._rows.clear()
        self._forgotten.clear()
        self._derived.clear()
        self._write(self.table, writes)
