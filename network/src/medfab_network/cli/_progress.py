"""Progress for people: a live line on a terminal, plain lines elsewhere. On standard error."""

from __future__ import annotations

import sys
import time

import click

_PLAIN_INTERVAL = 10.0
_LIVE_INTERVAL = 0.1


class ConsoleProgress:
    """Prints steps with their seconds, and how far a long one is."""

    def __init__(self, *, indent: str = "  ") -> None:
        self._live = sys.stderr.isatty()
        self._indent = indent
        self._last = 0.0

    def step(self, text: str) -> None:
        self._last = time.monotonic()
        if self._live:
            self._rewrite(f"… {text}")
        else:
            click.echo(f"{self._indent}… {text}", err=True)

    def advance(self, text: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._last < (_LIVE_INTERVAL if self._live else _PLAIN_INTERVAL):
            return
        self._last = now
        of = f" of {total} ({100 * done // total} %)" if total else ""
        line = f"… {done}{of} {text}"
        if self._live:
            self._rewrite(line)
        else:
            click.echo(f"{self._indent}{line}", err=True)

    def done(self, text: str, seconds: float) -> None:
        if self._live:
            click.echo("\r\033[2K", nl=False, err=True)
        mark = click.style("✓", fg="green")
        click.echo(f"{self._indent}{mark} {text} {seconds:.1f} s", err=True)

    def _rewrite(self, line: str) -> None:
        click.echo(f"\r\033[2K{self._indent}{line}", nl=False, err=True)
