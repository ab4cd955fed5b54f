"""What a holder has of a patient, in portions that one transaction can purge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class ErasableRecord:
    """A record with its present version."""

    id: str
    version: int


@dataclass(frozen=True, kw_only=True)
class Erasable:
    """Answer of ``ListErasable``."""

    records: tuple[ErasableRecord, ...] = ()
    wraps: tuple[str, ...] = ()
    filings: tuple[str, ...] = ()


def portions(erasable: Erasable) -> Iterator[dict[str, Any]]:
    """Entries of ``EraseRecords``; one at least, for the last one takes the folder too."""
    left = [
        *(("records", record) for record in erasable.records),
        *(("wraps", wrap) for wrap in erasable.wraps),
        *(("filings", filing) for filing in erasable.filings),
    ]
    size = 0
    while True:
        portion: dict[str, Any] = {"records": [], "wraps": [], "filings": []}
        size = 0
        while left and size + _keys_of(left[0][1]) <= _AT_ONCE:
            name, item = left.pop(0)
            portion[name].append(item)
            size += _keys_of(item)
        yield {**portion, "last": not left}
        if not left:
            return


def _keys_of(item: object) -> int:
    """Entries that go with it: every version of a record is one."""
    return min(item.version, _AT_ONCE) if isinstance(item, ErasableRecord) else 1
