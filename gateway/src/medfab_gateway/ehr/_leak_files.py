"""Search files for a patient's data: logs of nodes and programs, databases of projections.

::

    report = scan_files([*Path(".medfab/logs").iterdir(), Path("care.sqlite")], values)
    for finding in report.findings:
        print(finding)          # says which file, where, and what kind; never the value

Every byte of a file is searched in the encodings of :func:`scan_blocks`; of an SQLite database
also every cell, where a value is whole that the pages of the file cut in pieces. Values of fewer
than 5 characters, and bare numbers of fewer than 8, are not searched in files: logs are full of
them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from medfab_gateway.ehr._leak_patterns import (
    SHORTEST,
    PatternIndex,
    exact_patterns,
    folded_patterns,
)
from medfab_gateway.ehr._phi import PhiValue

_SQLITE = b"SQLite format 3\x00"
_NUMBER = re.compile(r"[\d.,:/+-]+")
_SHORTEST_NUMBER = 8
_CHUNK = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class FileFinding:
    """A value is in a file."""

    path: str
    where: str
    """``raw bytes``, or table and column of a database."""
    kind: str
    """The kind of the value: see :class:`PhiValue`."""
    encoding: str


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What was searched, and what was found."""

    findings: tuple[FileFinding, ...]
    files: int
    bytes: int
    cells: int
    """Of databases."""
    values: int
    """Values searched."""
    patterns: int
    """Encoded forms searched."""

    @property
    def clean(self) -> bool:
        """Was nothing found?"""
        return not self.findings


def scan_files(paths: Iterable[Path], values: Sequence[PhiValue]) -> FileReport:
    """Search files; raises ``OSError`` for one that cannot be read."""
    searched = [value for value in values if _is_telling(value.value)]
    scanner = _Scanner(searched)
    findings: dict[FileFinding, None] = {}
    files = size = cells = 0
    for path in paths:
        files += 1
        size += path.stat().st_size
        findings.update(dict.fromkeys(scanner.file(path)))
        with path.open("rb") as file:
            is_database = file.read(len(_SQLITE)) == _SQLITE
        if is_database:
            for where, data in _cells(path):
                cells += 1
                findings.update(dict.fromkeys(scanner.bytes(path, where, data)))
    return FileReport(
        findings=tuple(findings),
        files=files,
        bytes=size,
        cells=cells,
        values=len(searched),
        patterns=scanner.count,
    )


class _Scanner:
    def __init__(self, values: Sequence[PhiValue]) -> None:
        folded = [p for value in values for p in folded_patterns(value)]
        exact = [p for value in values for p in exact_patterns(value)]
        self._folded, self._exact = PatternIndex(folded), PatternIndex(exact)
        self._longest = max((len(p.needle) for p in (*folded, *exact)), default=0)
        self.count = len(folded) + len(exact)

    def file(self, path: Path) -> Iterator[FileFinding]:
        """A large file comes in parts that overlap by the longest form of a value."""
        before = b""
        with path.open("rb") as file:
            while part := file.read(_CHUNK):
                data = before + part
                yield from self.bytes(path, "raw bytes", data)
                before = data[-self._longest :]

    def bytes(self, path: Path, where: str, data: bytes) -> Iterator[FileFinding]:
        for index, text in ((self._folded, data.lower()), (self._exact, data)):
            for pattern in set(index.find(text)):
                yield FileFinding(
                    path=str(path), where=where, kind=pattern.kind, encoding=pattern.encoding
                )


def _is_telling(value: str) -> bool:
    if _NUMBER.fullmatch(value):
        return len(value) >= _SHORTEST_NUMBER
    return len(value) >= SHORTEST


def _cells(path: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            rows = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the database's own
            names = [column[0] for column in rows.description]
            for row in rows:
                for name, cell in zip(names, row, strict=True):
                    if isinstance(cell, bytes):
                        yield f"{table}.{name}", cell
                    elif cell is not None:
                        yield f"{table}.{name}", str(cell).encode()
