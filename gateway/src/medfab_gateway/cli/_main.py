"""The root command: finds its groups, and turns every error into one sentence and a code."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version

import click
from click.shell_completion import CompletionItem

from medfab_gateway.cli._exit_codes import MEANINGS, ExitCode, exit_code
from medfab_gateway.cli._live import clear_live_line
from medfab_gateway.cli._output import Output, color
from medfab_gateway.cli._run import interrupt_on_termination


@dataclass(frozen=True)
class _BuiltIn:
    module: str
    attribute: str


_BUILT_IN = {
    "block": _BuiltIn("medfab_gateway.cli.block", "block"),
    "ca": _BuiltIn("medfab_gateway.cli.ca", "ca"),
    "chaincode": _BuiltIn("medfab_gateway.cli.chaincode", "chaincode"),
    "channel": _BuiltIn("medfab_gateway.cli.channel", "channel"),
    "completion": _BuiltIn("medfab_gateway.cli.completion", "completion"),
    "config": _BuiltIn("medfab_gateway.cli.config", "config"),
    "contract": _BuiltIn("medfab_gateway.cli.contract", "contract"),
    "ehr": _BuiltIn("medfab_gateway.cli.ehr", "ehr"),
    "events": _BuiltIn("medfab_gateway.cli.events", "events"),
    "org": _BuiltIn("medfab_gateway.cli.org", "org"),
    "profile": _BuiltIn("medfab_gateway.cli.profile", "profile"),
    "pharma": _BuiltIn("medfab_gateway.cli.pharma", "pharma"),
    "wallet": _BuiltIn("medfab_gateway.cli.wallet", "wallet"),
}

# The list of commands is printed from here: to import them all for it would take most of a second.
# A test compares it with what the commands say of themselves.
_SHORT_HELP = {
    "block": "Blocks of a channel: fetch and look into them.",
    "ca": "Register, enrol, renew and revoke with a Fabric CA.",
    "chaincode": "Deploy contracts: package, install, approve, commit.",
    "channel": "Channels: join them, read and change their configuration.",
    "completion": "Print what makes a shell complete medfab with the tab key.",
    "config": "Settings: where, who and on which channel.",
    "contract": "Evaluate or submit a function of a contract.",
    "demo": "Start a consortium and tell the story of one record.",
    "ehr": "Health records: file, consent, request, read, audit, erase.",
    "events": "Print a channel's transactions or events as they are committed.",
    "network": "Run a Fabric consortium on this machine, as processes or in containers.",
    "orderer": "Orderers of the running network, which come and go one at a time.",
    "org": "Organisations of a channel, and how one is taken in.",
    "peer": "Peers of the running network.",
    "profile": "Connection profiles: where the nodes of a network are.",
    "pharma": "Medicines: commissioned, packed, shipped, verified, recalled, traced.",
    "wallet": "Identities: certificates with their private keys.",
}


class _Groups(click.Group):
    """Loads a group when it is named, and not for the list of groups."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*_BUILT_IN, *_plugins()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _BUILT_IN:
            place = _BUILT_IN[cmd_name]
            command = getattr(importlib.import_module(place.module), place.attribute)
        else:
            plugin = _plugins().get(cmd_name)
            if plugin is None:
                return None
            command = _load(plugin)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command of click")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self._short_help(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        found = [
            CompletionItem(name, help=self._short_help(ctx, name))
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def _short_help(self, ctx: click.Context, name: str) -> str:
        known = _SHORT_HELP.get(name)
        if known is not None:
            return known
        try:
            command = self.get_command(ctx, name)
        except click.ClickException as error:
            return error.message
        return command.get_short_help_str(limit=70) if command is not None else ""


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="medfab.commands")}


def _load(plugin: EntryPoint) -> object:
    try:
        return plugin.load()
    except (ImportError, AttributeError) as error:
        owner = plugin.dist.name if plugin.dist is not None else "an unknown distribution"
        raise click.ClickException(
            f"{plugin.name!r} of {owner} cannot be loaded ({error}); install {owner} again."
        ) from error


_HELP = """\
A healthcare consortium on Hyperledger Fabric.

\b
Examples:
  medfab demo
  medfab network up
  medfab network status
  medfab wallet list --org hospital
  medfab contract evaluate ehr ListConsents --channel care \\
      --org hospital --identity PATIENT

\b
Exit codes:
{codes}

Options that say where and who need not be repeated: they are taken from the
environment (MEDFAB_DIR, MEDFAB_ORG, MEDFAB_PROFILE, MEDFAB_WALLET,
MEDFAB_CHANNEL, MEDFAB_IDENTITY), else from the nearest medfab.toml; `medfab
config show` says what they come to.
"""


@click.group(
    cls=_Groups,
    help=_HELP.format(codes="\n".join(f"  {code}  {text}" for code, text in MEANINGS.items())),
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "color": color(),
    },
)
@click.version_option(version("medfab-gateway"), prog_name="medfab")
def medfab() -> None:
    """The root: its help is above."""


def main() -> None:
    """Entry point of the program; the only place that exits."""
    interrupt_on_termination()
    try:
        code = medfab.main(standalone_mode=False) or 0
        sys.stdout.flush()
    except click.UsageError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        Output.error(error.message)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        clear_live_line()
        click.echo("Interrupted.", err=True)
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.FAILED
    except Exception as error:
        known = exit_code(error)
        if known is None:
            raise
        Output.error(error)
        code = known
    sys.exit(code)
