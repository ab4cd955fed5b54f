"""The rows of a consumer's database: for comparing a live projection with a rebuilt one."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path


def projected_rows(database: Path) -> dict[str, list[str]]:
    """Every row of every table that a projection has made, in one order."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'medfab_%' "
            "AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            table: sorted(map(repr, connection.execute(f"SELECT * FROM {table}")))  # noqa: S608
            for (table,) in tables
        }
