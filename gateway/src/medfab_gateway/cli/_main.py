"""The root command: finds its groups, and turns every error into one sentence and a code."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import EntryPoint, entry_points, version

try:
    import click
except ModuleNotFoundError as error:
    raise SystemExit(
        "The medfab command needs the extra [cli]: pip install 'medfab-gateway[cli]'"
    ) from error

from medfab_gateway.cli._exit_codes import exit_code
from medfab_gateway.cli._output import Output

_BUILT_IN = {
    "ca": ("medfab_gateway.cli.ca", "ca"),
    "contract": ("medfab_gateway.cli.contract", "contract"),
    "events": ("medfab_gateway.cli.events", "events"),
    "wallet": ("medfab_gateway.cli.wallet", "wallet"),
}


class _Groups(click.Group):
    """Loads a group when it is named, so that `medfab wallet list` imports no gRPC."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*_BUILT_IN, *_plugins()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _BUILT_IN:
            module, attribute = _BUILT_IN[cmd_name]
            command = getattr(importlib.import_module(module), attribute)
        else:
            plugin = _plugins().get(cmd_name)
            if plugin is None:
                return None
            command = plugin.load()
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command of click")
        return command


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="medfab.commands")}


@click.group(
    cls=_Groups,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version("medfab-gateway"), prog_name="medfab")
def medfab() -> None:
    """A healthcare consortium on Hyperledger Fabric.

    \b
    Examples:
      medfab demo
      medfab network up
      medfab network status
      medfab wallet list --org hospital
      medfab contract evaluate ehr ListConsents --org hospital --identity patient-…

    \b
    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by a contract or
    authority, 4 not found, 5 unreachable or timed out, 6 conflict, 130 Ctrl-C.
    """


def main() -> None:
    """Entry point of the program; the only place that exits."""
    try:
        sys.exit(medfab.main(standalone_mode=False) or 0)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; there is nobody to tell.
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        Output.error(error)
        sys.exit(code)
