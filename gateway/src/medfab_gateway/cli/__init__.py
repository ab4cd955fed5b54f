"""The `medfab` command.

Distributions add groups through entry points of the group `medfab.commands`:

```toml
[project.entry-points."medfab.commands"]
network = "medfab_network.cli:network"
```
"""

try:
    import click as _click  # noqa: F401  here, before a module of ours imports it
except ModuleNotFoundError as _error:
    raise SystemExit(
        "The medfab command needs the extra [cli]: pip install 'medfab-gateway[cli]'"
    ) from _error

from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._exit_codes import ConflictError, ExitCode, NotFoundError, RefusedError
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._live import clear_live_line, live_terminal, show_live_line
from medfab_gateway.cli._main import main
from medfab_gateway.cli._output import Output, color, pass_output
from medfab_gateway.cli._run import run, uninterrupted
from medfab_gateway.cli._settings import DIR, Setting, setting_option
from medfab_gateway.cli._text import format_table, printable

__all__ = [
    "DIR",
    "ConflictError",
    "Connection",
    "ExitCode",
    "Group",
    "NotFoundError",
    "Output",
    "RefusedError",
    "Setting",
    "channel_option",
    "clear_live_line",
    "color",
    "confirm",
    "format_table",
    "identity_option",
    "live_terminal",
    "main",
    "pass_connection",
    "pass_output",
    "printable",
    "run",
    "setting_option",
    "show_live_line",
    "uninterrupted",
    "yes_option",
]
