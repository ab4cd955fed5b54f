"""`medfab demo`: a consented, audited record read on a network of its own."""

from __future__ import annotations

from pathlib import Path

import click

from medfab_gateway.cli import run
from medfab_network.network import DEFAULT_DIRECTORY


@click.command()
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    envvar="BUNDLE",
    help="FHIR R4 patient bundle; default: a small synthetic one.",
)
@click.option("--keep", is_flag=True, envvar="KEEP", help="Leave the network up afterwards.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    envvar="MEDFAB_DIR",
    help="Folder for the network's state.",
)
@click.option(
    "--topology",
    "topology_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    envvar="MEDFAB_TOPOLOGY",
    help="Topology with the organisations hospital, clinic and regulator; default: all seven.",
)
def demo(bundle: Path | None, keep: bool, directory: Path, topology_file: Path | None) -> None:
    """Start a consortium and tell the story of one record.

    Filed, asked for, denied, consented, read, revoked, audited; then every
    block of the channel is searched for the patient's data. Takes everything
    down at the end.

    \b
    Examples:
      medfab demo
      medfab demo --bundle patient.json
      medfab demo --keep
    """
    from medfab_network.demo import Demo
    from medfab_network.topology import load_topology

    story = Demo(directory, bundle=bundle, keep=keep, topology=load_topology(topology_file))
    run(story.run())
