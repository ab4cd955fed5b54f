"""`medfab org add` and `medfab org start`: one more organisation on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from medfab_gateway.cli import Output, pass_output, run
from medfab_network._up import UpReport
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.cli.network import bin_dir_option, directory_option, existing
from medfab_network.network import Network
from medfab_network.topology import Topology, load_topology

_F = TypeVar("_F", bound=Callable[..., Any])


def _options(function: _F) -> _F:
    function = click.option(
        "--topology",
        "topology_file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        required=True,
        envvar="MEDFAB_TOPOLOGY",
        help="The network's topology, with the organisation added.",
    )(function)
    return directory_option(bin_dir_option(pass_output(function)))


@click.command()
@click.argument("name")
@_options
def add(
    name: str, directory: Path, topology_file: Path, bin_dir: Path | None, output: Output
) -> None:
    """Take a running network to one more organisation.

    Its certificate authority, peers and chaincodes start, the members of its
    channels sign for it, its peers join and can endorse. Transactions go on
    meanwhile. An `add` that was cut off goes on when it is repeated. What it
    does is what organisations on machines of their own do step by step:
    docs/add-an-organization.md.

    \b
    Example:
      medfab org add pharmacy2 --topology with-pharmacy2.yaml
    """
    network = existing(directory, progress=ConsoleProgress(), bin_dir=bin_dir)
    topology = load_topology(topology_file)
    _report(name, network, lambda: network.add_organization(name, topology), output, topology)


@click.command()
@click.argument("name")
@_options
def start(
    name: str, directory: Path, topology_file: Path, bin_dir: Path | None, output: Output
) -> None:
    """Start the nodes of a new organisation, and no more.

    Its certificate authority, peers and chaincodes run then, and it has an
    administrator; it is on no channel. What comes next is for it and the
    others: docs/add-an-organization.md.

    \b
    Example:
      medfab org start pharmacy2 --topology with-pharmacy2.yaml
    """
    network = existing(directory, progress=ConsoleProgress(), bin_dir=bin_dir)
    topology = load_topology(topology_file)
    _report(name, network, lambda: network.start_organization(name, topology), output, topology)


def _report(
    name: str,
    network: Network,
    work: Callable[[], Any],
    output: Output,
    topology: Topology,
) -> None:
    began = time.monotonic()
    report: UpReport = run(work)
    seconds = time.monotonic() - began
    if output.as_json:
        output.json(
            {
                "organization": name,
                "directory": str(network.directory),
                "started": report.started,
                "seconds": {step: round(value, 3) for step, value in report.seconds.items()},
                "total_seconds": round(seconds, 3),
            }
        )
        return
    channels = ", ".join(channel.name for channel in topology.channels_of(name))
    member = name in {each.name for each in network.topology.organizations}
    output.line(
        f"{name} is a member of {channels}: {len(report.started)} nodes started, in "
        f"{seconds:.1f} s."
        if member
        else f"{name} runs, and is on no channel yet: {len(report.started)} nodes started."
    )
