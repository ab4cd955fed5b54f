"""What commands print: tables for people on a terminal, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


class Output:
    """The one place that prints. `as_json` is the option `--json` of the command."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def table(self, rows: Sequence[Mapping[str, Any]], *, columns: Sequence[str]) -> None:
        """Rows as a table with these columns; as JSON, the rows with all their keys."""
        if self.as_json:
            self.json(list(rows))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*(Text(_cell(row.get(column))) for column in columns))
        Console(highlight=False).print(table)

    def json(self, value: Any) -> None:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))

    def line(self, text: str) -> None:
        """A line for people; programs that asked for JSON do not see it."""
        if not self.as_json:
            click.echo(text)

    @staticmethod
    def error(error: BaseException) -> None:
        click.secho("Error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(str(error), err=True)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items()) or "-"
    return str(value)


def pass_output(function: _F) -> _F:
    """Adds `--json`, and gives the command an `Output` as its argument `output`."""

    def convert(ctx: click.Context, parameter: click.Parameter, value: bool) -> Output:
        return Output(as_json=value)

    decorate = click.option(
        "--json", "output", is_flag=True, callback=convert, help="Print JSON for programs."
    )
    return decorate(function)
