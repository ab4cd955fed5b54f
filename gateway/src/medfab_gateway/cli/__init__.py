"""The `medfab` command.

Distributions add groups through entry points of the group `medfab.commands`:

```toml
[project.entry-points."medfab.commands"]
network = "medfab_network.cli:network"
```
"""

from medfab_gateway.cli._main import main
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

__all__ = ["Output", "main", "pass_output", "run"]
