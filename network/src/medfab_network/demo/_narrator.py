"""Telling the demonstration: numbered steps and outcomes, in colour on a terminal."""

from __future__ import annotations

import shutil
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from medfab_gateway.cli import clear_live_line, color, format_table, printable, show_live_line

_WIDEST = 120
_INDENT = " " * 5


class Narrator:
    """Prints to standard output, wrapped to the terminal (elsewhere to 80 columns, or COLUMNS).

    `seconds` collects what each part took; `place` says where the story is.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self._number = 0
        self.seconds: dict[str, float] = {}
        self.place = "before its first part"

    @contextmanager
    def part(self, title: str, name: str) -> Iterator[None]:
        """A part of the demonstration; `name` is its line in the summary."""
        self.place = f"while {name}"
        self._print("")
        self._wrapped("", title, fg="cyan", bold=True)
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began

    def step(self, text: str) -> None:
        """What somebody does now."""
        self._number += 1
        self.place = f"in step {self._number} ({text})"
        self._print("")
        self._wrapped(f" {self._number:>2}  ", text, bold=True)

    def good(self, text: str) -> None:
        self._wrapped(f"{_INDENT}✓ ", text, mark="green")

    def refused(self, text: str) -> None:
        """Somebody is refused, as it should be."""
        self._wrapped(f"{_INDENT}✗ ", text, mark="yellow")

    def bad(self, text: str) -> None:
        """Something is as it must not be."""
        self._wrapped(f"{_INDENT}! ", text, mark="red")

    def note(self, text: str) -> None:
        self._wrapped(_INDENT, text, dim=True)

    def command(self, text: str) -> None:
        """A command to paste: never wrapped."""
        self._print(f"  {text}")

    def headline(self, text: str) -> None:
        self.place = f"at {text!r}"
        self._print("")
        self._wrapped("", text, bold=True)

    def live(self, text: str) -> None:
        """How far a long step is; gone with the next line. Only on a terminal."""
        if not self._silent:
            show_live_line(f"{_INDENT}… {text}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        cells = [[printable(cell) for cell in row] for row in rows]
        heading, *lines = format_table(columns, cells, width=self._width() - len(_INDENT))
        self._print(_INDENT + click.style(heading, dim=True))
        for line in lines:
            self._print(_INDENT + line)

    def _wrapped(self, first: str, text: str, *, mark: str | None = None, **style: Any) -> None:
        """Text with a hanging indent below what it begins with."""
        lines = textwrap.wrap(
            printable(text), self._width() - len(first), break_on_hyphens=False
        ) or [""]
        self._print(click.style(first, fg=mark, bold=bool(mark)) + click.style(lines[0], **style))
        for line in lines[1:]:
            self._print(" " * len(first) + click.style(line, **style))

    def _print(self, text: str) -> None:
        if not self._silent:
            clear_live_line()
            click.echo(text, color=color())

    @staticmethod
    def _width() -> int:
        return min(shutil.get_terminal_size().columns, _WIDEST)
