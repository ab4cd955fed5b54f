"""Progress for people: a live line on a terminal, plain lines elsewhere. On standard error."""

from __future__ import annotations

import time

import click

from medfab_gateway.cli import clear_live_line, color, live_terminal, show_live_line

_PLAIN_INTERVAL = 10.0
_LIVE_INTERVAL = 0.1


class ConsoleProgress:
    """Prints steps with their seconds, and how far a long one is."""

    def __init__(self, *, indent: str = "  ") -> None:
        self._live = live_terminal()
        self._indent = indent
        self._last = 0.0

    def step(self, text: str) -> None:
        self._last = time.monotonic()
        self._show(f"… {text}")

    def advance(self, text: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._last < (_LIVE_INTERVAL if self._live else _PLAIN_INTERVAL):
            return
        self._last = now
        of = f" of {total} ({100 * done // total} %)" if total else ""
        self._show(f"… {done}{of} {text}")

    def done(self, text: str, seconds: float) -> None:
        clear_live_line()
        mark = click.style("✓", fg="green")
        click.echo(f"{self._indent}{mark} {text} {seconds:.1f} s", err=True, color=color())

    def _show(self, text: str) -> None:
        if self._live:
            show_live_line(self._indent + text)
        else:
            click.echo(self._indent + text, err=True)
