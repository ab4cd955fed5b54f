"""The groups that this distribution adds to the `medfab` command."""

from medfab_network.cli.backup import backup, restore
from medfab_network.cli.demo import demo
from medfab_network.cli.network import network
from medfab_network.cli.replace import replace
from medfab_network.cli.rotate import rotate
from medfab_network.cli.topology import topology

for command in (backup, replace, restore, rotate, topology):
    network.add_command(command)

__all__ = ["demo", "network"]
