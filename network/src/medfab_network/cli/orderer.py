"""`medfab orderer`: one orderer more or less in the network on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from medfab_gateway.cli import Group, Output, confirm, pass_output, yes_option
from medfab_network.cli._node_report import report
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.cli.network import bin_dir_option, directory_option, existing


@click.group(cls=Group)
def orderer() -> None:
    """Orderers of the running network, which come and go one at a time.

    Transactions go on meanwhile. On machines of their own, organisations do
    the same step by step: docs/orderers.md.

    \b
    Examples:
      medfab orderer add
      medfab orderer remove orderer1.orderer
    """


@orderer.command()
@directory_option
@bin_dir_option
@pass_output
def add(directory: Path, bin_dir: Path | None, output: Output) -> None:
    """Take the running network to one more orderer.

    It starts, fetches the blocks of all channels as a follower, is counted as
    a consenter, and only then listed for peers and clients. Refused where too
    few of the others are well. An `add` that was cut off goes on when it is
    repeated.

    \b
    Example:
      medfab orderer add
    """
    network = existing(directory, progress=ConsoleProgress(), bin_dir=bin_dir)
    sentence = "{node} is a consenter of all channels, in {seconds}."
    report(network, network.add_orderer, sentence, output)


@orderer.command()
@click.argument("node")
@directory_option
@bin_dir_option
@yes_option
@pass_output
def remove(node: str, directory: Path, bin_dir: Path | None, yes: bool, output: Output) -> None:
    """Take the orderer NODE out of all channels, stop it and delete its folder.

    Peers and clients are told first, then it is counted no more. Refused where
    the others could not go on without it. It may be one that does not run.

    \b
    Example:
      medfab orderer remove orderer1.orderer
    """
    network = existing(directory, progress=ConsoleProgress(), bin_dir=bin_dir)
    confirm(f"Take {node} out of all channels, and delete its blocks and keys?", yes=yes)
    sentence = "{node} is out of all channels, and deleted, in {seconds}."
    report(network, lambda: network.remove_orderer(node), sentence, output)
