"""The `medfab` command.

Distributions add groups through entry points of the group `medfab.commands`:

```toml
[project.entry-points."medfab.commands"]
network = "medfab_network.cli:network"
```
"""

from medfab_gateway.cli._main import main
from medfab_gateway.cli._output import Output, clear_live_line, color, live_terminal, pass_output
from medfab_gateway.cli._run import run, uninterrupted
from medfab_gateway.cli._text import format_table, printable

__all__ = [
    "Output",
    "clear_live_line",
    "color",
    "format_table",
    "live_terminal",
    "main",
    "pass_output",
    "printable",
    "run",
    "uninterrupted",
]
