"""A group of commands whose list says of each command all of its first sentence."""

from __future__ import annotations

import click

_LONG = 1000


class Group(click.Group):
    """As click's, which cuts the sentence at the end of the line."""

    group_class: type[click.Group] | type[type] | None = (
        type  # groups within it are of the same class
    )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(_LONG)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
