"""`medfab network replace`: a node that has lost its disk."""

from __future__ import annotations

from pathlib import Path

import click

from medfab_gateway.cli import Output, confirm, pass_output, yes_option
from medfab_network.cli._node_report import report
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.cli.network import bin_dir_option, directory_option, existing


@click.command()
@click.argument("node")
@click.option("--from-snapshot", is_flag=True, help="By a snapshot of another of its own peers.")
@directory_option
@bin_dir_option
@yes_option
@pass_output
def replace(
    node: str,
    from_snapshot: bool,
    directory: Path,
    bin_dir: Path | None,
    yes: bool,
    output: Output,
) -> None:
    """Make the peer or orderer NODE anew that has lost its disk.

    What is left of its ledgers is deleted; its keys stay where they are there.
    A peer fetches all blocks from the orderers, or with --from-snapshot the
    state from another peer of its organisation, and the private data that
    other peers have. An orderer is taken out of the consensus and in again.
    The others work on meanwhile. Refused where they cannot make up for it.
    docs/replace-a-node.md says what can be had again, and what can not.

    \b
    Examples:
      medfab network replace peer0.hospital
      medfab network replace peer0.hospital --from-snapshot
      medfab network replace orderer1.orderer
    """
    network = existing(directory, progress=ConsoleProgress(), bin_dir=bin_dir)
    confirm(f"Delete what is left of the ledgers of {node}?", yes=yes)
    report(
        network,
        lambda: network.replace(node, from_snapshot=from_snapshot),
        "{node} is made anew, in {seconds}.",
        output,
    )
