"""What commands print: tables for people on a terminal, JSON for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from medfab_gateway.cli._live import clear_live_line
from medfab_gateway.cli._text import format_table, indent_json, printable

_F = TypeVar("_F", bound=Callable[..., Any])


class Output:
    """The one place that prints. `as_json` is the option `--json` of the command."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def table(self, rows: Sequence[Mapping[str, Any]], *, columns: Sequence[str]) -> None:
        """Rows as a table with these columns; as JSON, the rows with all their keys.

        Fitted to a terminal; elsewhere every row is one line.
        """
        if self.as_json:
            self.json(list(rows))
            return
        heading, *lines = format_table(
            [column.replace("_", " ") for column in columns],
            [[printable(_cell(row.get(column))) for column in columns] for row in rows],
            width=shutil.get_terminal_size().columns if sys.stdout.isatty() else None,
        )
        click.secho(heading, bold=True, color=color())
        for line in lines:
            click.echo(line)

    def details(self, values: Mapping[str, Any]) -> None:
        """One thing with its properties: `name: value` lines, or a JSON object."""
        if self.as_json:
            self.json(values)
            return
        for name, value in values.items():
            click.echo(f"{name.replace('_', ' ')}: {printable(_cell(value))}")

    def json(self, value: Any) -> None:
        """A document for programs."""
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))

    def json_line(self, value: Any) -> None:
        """One object of a stream: a line of its own, written at once."""
        click.echo(json.dumps(value, ensure_ascii=False))

    def answer(self, text: str) -> None:
        """JSON that somebody else wrote, laid out but with its own digits and characters."""
        self.text(indent_json(text))

    def text(self, text: str) -> None:
        """Text that somebody else wrote: on a terminal it cannot move the cursor."""
        click.echo(printable(text) if sys.stdout.isatty() else text)

    def line(self, text: str) -> None:
        """A line for people; programs that asked for JSON do not see it."""
        if not self.as_json:
            click.echo(text)

    @staticmethod
    def error(error: BaseException | str) -> None:
        """`Error: …` on standard error, and the notes of the error below."""
        clear_live_line()
        click.secho("Error: ", fg="red", bold=True, nl=False, err=True, color=color())
        click.echo(printable(str(error)), err=True)
        for note in getattr(error, "__notes__", ()):
            click.echo(note, err=True)


def color() -> bool | None:
    """For click's `color`: None leaves it to whether the stream is a terminal."""
    return False if os.environ.get("NO_COLOR") else None


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value)


def pass_output(function: _F) -> _F:
    """Adds `--json`, and gives the command an `Output` as its argument `output`."""

    def convert(ctx: click.Context, parameter: click.Parameter, value: bool) -> Output:
        return Output(as_json=value)

    decorate = click.option(
        "--json", "output", is_flag=True, callback=convert, help="Print JSON for programs."
    )
    return decorate(function)
