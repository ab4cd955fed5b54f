"""Telling the demonstration: numbered steps, outcomes, in colour on a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

_WIDTH_OF_A_LOG = 120


class Narrator:
    """Prints to standard output; `seconds` collects what each part took."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        if not self._console.is_terminal:
            self._console.width = _WIDTH_OF_A_LOG
        self._number = 0
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, title: str, name: str) -> Iterator[None]:
        """A part of the demonstration; `name` is its line in the summary."""
        self._console.print(f"\n[bold cyan]{escape(title)}[/]")
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began

    def step(self, text: str) -> None:
        """What somebody does now."""
        self._number += 1
        self._console.print(f"\n [bold]{self._number:>2}[/]  {escape(text)}")

    def good(self, text: str) -> None:
        self._console.print(f"     [green]✓[/] {escape(text)}")

    def refused(self, text: str) -> None:
        """Somebody is refused, as it should be."""
        self._console.print(f"     [yellow]✋[/] {escape(text)}")

    def note(self, text: str) -> None:
        self._console.print(f"     [dim]{escape(text)}[/]")

    def line(self, text: str = "") -> None:
        self._console.print(escape(text))

    def headline(self, text: str) -> None:
        self._console.print(f"\n[bold]{escape(text)}[/]")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self._console.print(Padding(table, (0, 0, 0, 5)))
