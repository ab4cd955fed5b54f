"""`medfab config`: what the settings of the other commands come to."""

from __future__ import annotations

from typing import Any

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._settings import (
    CHANNEL,
    DIR,
    IDENTITY,
    SETTINGS,
    SettingOption,
    setting_option,
    settings_file,
)


@click.group(cls=Group)
def config() -> None:
    """Settings: where, who and on which channel.

    From options, the environment, or the nearest medfab.toml, in that order.
    medfab.toml is looked for in the current folder and those above it, or is
    the file that MEDFAB_CONFIG names. Its keys are the options:

    \b
      org = "hospital"
      identity = "admin"
      channel = "care"

    \b
    Example:
      medfab config show
    """


@config.command()
@setting_option(CHANNEL, "channel")
@setting_option(IDENTITY, "label")
@pass_connection
@pass_output
def show(channel: str | None, label: str | None, connection: Connection, output: Output) -> None:
    """Show each setting, and which of its sources won.

    \b
    Examples:
      medfab config show
      medfab config show --org clinic --json
    """
    ctx = click.get_current_context()
    options = [option for option in ctx.command.params if isinstance(option, SettingOption)]
    file = settings_file(ctx)
    rows = sorted((_row(ctx, option, connection) for option in options), key=_position)
    if output.as_json:
        output.json({"file": None if file is None else str(file.path), "settings": rows})
        return
    output.table(
        [row | {"instead_of": _instead_of(row)} for row in rows],
        columns=["setting", "value", "from", "instead_of"],
    )


def _row(ctx: click.Context, option: SettingOption, connection: Connection) -> dict[str, Any]:
    found = option.candidates(ctx)
    setting = option.setting
    if option.name in connection.set_aside:
        # Named somewhere, but --dir is named by something that counts more.
        won, rest = None, found
        origin = f"set aside for {DIR.option}"
    else:
        won, rest = (found[0], found[1:]) if found else (None, [])
        origin = won.place if won is not None else "not set"
    return {
        "setting": setting.name,
        "value": None if won is None else won.value,
        "from": origin,
        "source": None if won is None else won.source.name.lower(),
        "overridden": [{"value": each.value, "from": each.place} for each in rest],
    }


def _instead_of(row: dict[str, Any]) -> list[str]:
    return [f"{each['value']} ({each['from']})" for each in row["overridden"]]


def _position(row: dict[str, Any]) -> int:
    return [setting.name for setting in SETTINGS].index(row["setting"])
