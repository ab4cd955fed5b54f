"""`medfab peer`: one peer more in the network on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from medfab_gateway.cli import Group, Output, pass_output
from medfab_network.cli._node_report import report
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.cli.network import bin_dir_option, directory_option, existing


@click.group(cls=Group)
def peer() -> None:
    """Peers of the running network.

    \b
    Example:
      medfab peer add --org hospital
    """


@peer.command()
@click.option("--org", "organization", required=True, help="The organisation that gets it.")
@directory_option
@bin_dir_option
@pass_output
def add(organization: str, directory: Path, bin_dir: Path | None, output: Output) -> None:
    """Give an organisation one more peer.

    It starts with the organisation's chaincodes, joins its channels, fetches
    their blocks, and can endorse. Private data comes from the organisation's
    other peers. Transactions go on meanwhile.

    \b
    Example:
      medfab peer add --org hospital
    """
    network = existing(directory, progress=ConsoleProgress(), bin_dir=bin_dir)
    sentence = "{node} is on all channels of its organisation, in {seconds}."
    report(network, lambda: network.add_peer(organization), sentence, output)
