"""Text for people: tables that fit, JSON in its own digits, nothing that moves the cursor."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence

_GAP = 2
_NARROWEST = 8
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')


def format_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None
) -> list[str]:
    """Lines of a table, the heading first, each at most `width` characters (None: any length).

    The widest columns give way first, and are wrapped; within words only if nothing else helps.
    """
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    room = None if width is None else width - _GAP * (len(columns) - 1)
    words = [
        max(len(word) for cell in cells for word in cell.split() or [""])
        for cells in zip(columns, *rows, strict=True)
    ]
    while room is not None and sum(widths) > room and max(widths) > _NARROWEST:
        yielding = [n for n in range(len(widths)) if widths[n] > words[n]] or range(len(widths))
        widths[max(yielding, key=widths.__getitem__)] -= 1
    return [line for row in (columns, *rows) for line in _row_lines(row, widths)]


def _row_lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [
        textwrap.wrap(cell, width, break_on_hyphens=False) or [""]
        for cell, width in zip(row, widths, strict=True)
    ]
    return [
        (" " * _GAP)
        .join(
            (lines[number] if number < len(lines) else "").ljust(width)
            for lines, width in zip(wrapped, widths, strict=True)
        )
        .rstrip()
        for number in range(max(map(len, wrapped)))
    ]


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
