"""The groups that this distribution adds to the `medfab` command."""

from medfab_network.cli.demo import demo
from medfab_network.cli.network import network

__all__ = ["demo", "network"]
