"""Where, who and on which channel: from options, the environment or `medfab.toml`, in that order.

A `Setting` is one of them. Its option is made by `setting_option`, which adds the environment
variable, the file and shell completion; `medfab config show` prints what each came to.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from medfab_gateway.cli._settings_file import SettingsFile, find_settings_file

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE = "medfab_gateway.cli.settings_file"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One thing that may be said once for all commands."""

    name: str
    """The option without its dashes, and the key in `medfab.toml`."""
    help: str
    is_path: bool = False
    """A path in `medfab.toml` is relative to the folder of that file."""
    default: str | None = None

    @property
    def option(self) -> str:
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"MEDFAB_{self.name.replace('-', '_').upper()}"


DIR = Setting(
    name="dir",
    help="Folder of a network made by `medfab network up`.",
    is_path=True,
    default=".medfab",
)
ORG = Setting(name="org", help="Organisation to act for.")
PROFILE = Setting(
    name="profile", help="Fabric connection profile, in place of --dir.", is_path=True
)
WALLET = Setting(name="wallet", help="Wallet folder, in place of --dir.", is_path=True)
IDENTITY = Setting(name="identity", help="Label of the wallet's identity.")
CHANNEL = Setting(name="channel", help="Name of the channel.")
HSM_MODULE = Setting(
    name="hsm-module", help="PKCS#11 module (.so) for identities with keys in a token."
)
HSM_TOKEN = Setting(name="hsm-token", help="Label of that token; its PIN: MEDFAB_HSM_PIN.")

SETTINGS = (DIR, ORG, PROFILE, WALLET, IDENTITY, CHANNEL, HSM_MODULE, HSM_TOKEN)
"""In the order of `medfab config show`."""


class Source(enum.IntEnum):
    """Where a value is from; the lower wins."""

    OPTION = 0
    ENVIRONMENT = 1
    FILE = 2
    DEFAULT = 3


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A value that a setting could have."""

    value: str
    source: Source
    place: str
    """The option, the variable or the file; `default`."""


class SettingOption(click.Option):
    """The option of a setting."""

    def __init__(self, *arguments: Any, setting: Setting, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.setting = setting

    def consume_value(
        self, ctx: click.Context, opts: Mapping[str, Any]
    ) -> tuple[Any, ParameterSource]:
        value, source = super().consume_value(ctx, opts)
        if source not in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP):
            return value, source
        file = settings_file(ctx)
        stored = file.values.get(self.setting.name) if file is not None else None
        return (value, source) if stored is None else (stored, ParameterSource.DEFAULT_MAP)

    def candidates(self, ctx: click.Context) -> Sequence[Candidate]:
        """Every value that the setting has somewhere; the first one counts."""
        setting, found = self.setting, []
        if ctx.get_parameter_source(self.name or "") is ParameterSource.COMMANDLINE:
            given = str(ctx.params[self.name or ""])
            found.append(Candidate(value=given, source=Source.OPTION, place=setting.option))
        if variable := os.environ.get(setting.variable):
            place = setting.variable
            found.append(Candidate(value=variable, source=Source.ENVIRONMENT, place=place))
        file = settings_file(ctx)
        if file is not None and (stored := file.values.get(setting.name)) is not None:
            found.append(Candidate(value=stored, source=Source.FILE, place=str(file.path)))
        if setting.default is not None:
            default = setting.default
            found.append(Candidate(value=default, source=Source.DEFAULT, place="default"))
        return found


def setting_option(setting: Setting, parameter: str, **more: Any) -> Callable[[_F], _F]:
    """The option of a setting, given to the command as `parameter`.

        @setting_option(CHANNEL, "channel", required=True)

    `more` goes to `click.option`, its `help` in place of the setting's own.
    """
    keywords: dict[str, Any] = {
        "envvar": setting.variable,
        "help": setting.help,
        "shell_complete": None if setting.is_path else completion_of(setting),
    }
    if setting.is_path:
        keywords["type"] = click.Path(path_type=Path)
    if setting.default is not None:
        keywords |= {"default": setting.default, "show_default": True}
    return click.option(
        setting.option, parameter, cls=SettingOption, setting=setting, **{**keywords, **more}
    )


def settings_file(ctx: click.Context) -> SettingsFile | None:
    """`medfab.toml`, read once; None where there is none. Raises `click.UsageError`."""
    root = ctx.find_root()
    if _FILE not in root.meta:
        try:
            root.meta[_FILE] = find_settings_file({s.name: s.is_path for s in SETTINGS})
        except click.UsageError:
            if not ctx.resilient_parsing:  # completion goes on without it
                raise
            root.meta[_FILE] = None
    file: SettingsFile | None = root.meta[_FILE]
    return file


def source_of(ctx: click.Context, parameter: str) -> Source:
    """Where the value of a setting's option is from."""
    match ctx.get_parameter_source(parameter):
        case ParameterSource.ENVIRONMENT:
            return Source.ENVIRONMENT
        case ParameterSource.DEFAULT_MAP:
            return Source.FILE
        case ParameterSource.DEFAULT | None:
            return Source.DEFAULT
    return Source.OPTION


def completion_of(
    setting: Setting,
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]:
    """What shells offer where a value of the setting is asked for."""

    def complete(
        ctx: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        from medfab_gateway.cli._completions import values_of

        found = values_of(setting.name, ctx.params)
        return [CompletionItem(value) for value in found if value.startswith(incomplete)]

    return complete
