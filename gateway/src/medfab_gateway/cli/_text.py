"""Text for people: tables that fit, JSON in its own digits, nothing that moves the cursor."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Sequence

_GAP = 2
_ANY_WIDTH = 100_000
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')


def format_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None
) -> list[str]:
    """Lines of a table, the heading first, each at most `width` characters (None: any length).

    Cells are wrapped, between words where that is enough.
    """
    # Here and not above: rich costs a tenth of a second, and most commands print no table.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(width=width or _ANY_WIDTH, color_system=None, file=io.StringIO())
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def indent_json(text: str) -> str:
    """Lay out valid JSON, two blanks a level, without touching a character of its values."""
    pieces: list[str] = []
    level, before = 0, ""
    for part in _TOKEN.findall(text):
        if part in "]}":
            level -= 1
            if before not in "[{":
                pieces.append("\n" + "  " * level)
        elif before and before in "[{,":
            pieces.append("\n" + "  " * level)
        pieces.append(": " if part == ":" else part)
        level += part in "[{"
        before = part
    return "".join(pieces)


def printable(text: str) -> str:
    """The text with a `�` for each control character but newline and tabulator."""
    return "".join(
        "�" if unicodedata.category(character) == "Cc" and character not in "\n\t" else character
        for character in text
    )
