"""`medfab network`: the consortium on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from medfab_gateway.cli import (
    DIR,
    Group,
    Output,
    confirm,
    pass_output,
    run,
    setting_option,
    yes_option,
)
from medfab_network._disk import DiskSpace
from medfab_network._progress import Progress
from medfab_network._status import NodeStatus
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.errors import NotRunningError
from medfab_network.network import DEFAULT_DIRECTORY, Network
from medfab_network.topology import Topology, default_in_containers, load_topology

_F = TypeVar("_F", bound=Callable[..., Any])

directory_option = setting_option(
    DIR,
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with the network's state.",
)
_topology = click.option(
    "--topology",
    "topology_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    envvar="MEDFAB_TOPOLOGY",
    help="Topology file; default: what the folder was made with, else the default consortium.",
)
bin_dir_option = click.option(
    "--bin-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar="MEDFAB_BIN_DIR",
    help="Folder with Fabric's programs; default: cached, on PATH, or built.",
)


@click.group(cls=Group)
def network() -> None:
    """Run a Fabric consortium on this machine, as processes or in containers.

    \b
    Examples:
      medfab network up
      medfab network status
      medfab network logs peer0.hospital --follow
      medfab network down
    """


@network.command()
@directory_option
@_topology
@bin_dir_option
@click.option("--base-port", type=click.IntRange(1024, 60000), help="First port; see topology.")
@click.option("--docker", is_flag=True, help="Run the nodes in containers, not as processes.")
@pass_output
def up(
    directory: Path,
    topology_file: Path | None,
    bin_dir: Path | None,
    base_port: int | None,
    docker: bool,
    output: Output,
) -> None:
    """Start the network, or go on from wherever an earlier `up` got to.

    Builds Fabric first where it is not there (a few minutes, once), and with
    --docker the images, from the same programs. A network that was made in
    containers stays there.

    \b
    Examples:
      medfab network up
      medfab network up --topology three.yaml --dir /tmp/three
      medfab network up --docker
    """
    topology = load_topology(topology_file) if topology_file else None
    if base_port is not None:
        topology = (topology or Network(directory).topology).with_base_port(base_port)
    if docker:
        topology = _in_containers(topology, Network(directory))
    consortium = Network(directory, topology, progress=ConsoleProgress(), bin_dir=bin_dir)
    began = time.monotonic()
    report = run(consortium.up)
    seconds = time.monotonic() - began
    if output.as_json:
        output.json(
            {
                "directory": str(consortium.directory),
                "started": report.started,
                "lost": report.lost,
                "seconds": {name: round(value, 3) for name, value in report.seconds.items()},
                "total_seconds": round(seconds, 3),
            }
        )
        return
    if report.started:
        output.line(f"The network is up: {len(report.started)} nodes started in {seconds:.1f} s.")
        option = "" if directory == DEFAULT_DIRECTORY else f" --dir {directory}"
        output.line(f"Look around with `medfab network status{option}`.")
    else:
        output.line("The network was up already.")
    for node in report.lost:
        output.line(
            f"{node} has lost its blocks and takes no part: `medfab network replace {node}` makes "
            "it a new member."
        )


@network.command()
@bin_dir_option
@click.option("--force", is_flag=True, help="Make them anew, even where nothing has changed.")
@click.option("--all", "every", is_flag=True, help="Also those of Compose's profiles.")
@click.option(
    "--base-image",
    envvar="MEDFAB_BASE_IMAGE",
    help="An image with this version of Python, in place of Debian's packages.",
)
@click.option("--locked", is_flag=True, help="Refuse what images.lock does not name.")
@pass_output
def images(
    bin_dir: Path | None,
    force: bool,
    every: bool,
    base_image: str | None,
    locked: bool,
    output: Output,
) -> None:
    """Make the container images from Fabric's programs and this Python.

    No image registry is needed: libraries and Python come from Debian's
    packages. `up --docker` makes what is missing by itself. Equal inputs make
    an equal image; images.lock says which inputs are those of this version.

    \b
    Examples:
      medfab network images
      medfab network images --all --locked
      medfab network images --base-image python:3.11-slim
    """
    from medfab_network._binaries import ensure_binaries
    from medfab_network._containers import connect
    from medfab_network._images import Made, ensure_images
    from medfab_network._profile_services import OWN_NAMES
    from medfab_network._services import IMAGES

    client = connect()
    progress = ConsoleProgress()

    async def make() -> list[Made]:
        return await ensure_images(
            client,
            await ensure_binaries(progress, bin_dir),
            progress,
            kinds=(*IMAGES, *(("consumer", *OWN_NAMES) if every else ())),
            base_image=base_image,
            force=force,
            locked=locked,
        )

    try:
        made = run(make)
    finally:
        client.close()
    rows = [
        {
            "image": each.name,
            "id": each.identifier,
            "locked": not each.differences,
            "differences": list(each.differences),
        }
        for each in made
    ]
    output.table(rows, columns=["image", "id", "locked"])
    if not output.as_json:
        for line in sorted({line for each in made for line in each.differences}):
            output.line(f"not as in images.lock: {line}")


@network.command()
@_topology
@pass_output
def compose(topology_file: Path | None, output: Output) -> None:
    """Print the compose file of a topology.

    \b
    Example:
      medfab network compose > docker-compose.yaml
    """
    from medfab_network._container_setup import compose_text

    topology = load_topology(topology_file).with_containers() if topology_file else None
    text = compose_text(topology or default_in_containers())
    if output.as_json:
        import yaml

        output.json(yaml.safe_load(text))
    else:
        output.text(text.rstrip("\n"))


@network.command()
@directory_option
@pass_output
def down(directory: Path, output: Output) -> None:
    """Stop all nodes. Ledgers and identities stay; `up` starts them again.

    \b
    Example:
      medfab network down
    """
    stopped = run(Network(directory).down)
    if output.as_json:
        output.json({"stopped": stopped})
    else:
        output.line(f"{len(stopped)} nodes stopped." if stopped else "Nothing was running.")


@network.command()
@directory_option
@pass_output
def status(directory: Path, output: Output) -> None:
    """Show each node: pid, port, health, ledger heights, and room on its disk.

    The exit code is 1 unless every node is healthy. A disk with less than a
    tenth of its room, or less than 1 GiB, gets a warning on standard error:
    a node whose disk is full stops.

    \b
    Examples:
      medfab network status
      medfab network status --json
    """
    consortium = existing(directory)
    nodes = run(consortium.status)
    output.table([_row(node) for node in nodes], columns=_COLUMNS)
    for disk, names in _low_disks(nodes):
        click.echo(
            f"Warning: {_gibibytes(disk.free)} of {_gibibytes(disk.total)} left on the disk of "
            f"{', '.join(names)}: give it room before it is full.",
            err=True,
        )
    if not all(node.healthy for node in nodes):
        click.get_current_context().exit(1)


_COLUMNS = ["node", "kind", "pid", "port", "health", "disk_free", "ledger_heights"]


def _low_disks(nodes: Iterable[NodeStatus]) -> Iterable[tuple[DiskSpace, list[str]]]:
    """Each file system that is low, with its nodes: it is warned of once."""
    disks: dict[int, tuple[DiskSpace, list[str]]] = {}
    for status in nodes:
        if status.disk is not None and status.disk.is_low:
            disks.setdefault(status.disk.device, (status.disk, []))[1].append(status.node.name)
    return disks.values()


def _gibibytes(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"


def _row(status: NodeStatus) -> dict[str, Any]:
    health = "healthy" if status.healthy else "unhealthy"
    return {
        "node": status.node.name,
        "kind": status.node.kind,
        "organization": status.node.organization,
        "pid": status.pid,
        "port": status.node.port,
        "health": health if status.pid is not None else "stopped",
        "disk_free": _gibibytes(status.disk.free) if status.disk else None,
        "disk_free_bytes": status.disk.free if status.disk else None,
        "disk_total_bytes": status.disk.total if status.disk else None,
        "disk_is_low": status.disk.is_low if status.disk else None,
        "ledger_heights": dict(status.heights),
    }


@network.command()
@click.argument("node", required=False)
@directory_option
@click.option("-n", "--lines", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows, until Ctrl-C.")
@pass_output
def logs(node: str | None, directory: Path, lines: int, follow: bool, output: Output) -> None:
    """Print the log of a node; without a node, list those that have logs.

    \b
    Examples:
      medfab network logs
      medfab network logs peer0.hospital --lines 200
      medfab network logs ehr.clinic --follow
    """
    if follow and (node is None or output.as_json):
        raise click.UsageError("--follow needs a NODE, and does not go with --json.")
    consortium = existing(directory)
    if node is None:
        _list_logs(consortium, output)
        return
    if output.as_json:
        output.json({"node": node, "lines": consortium.log_tail(node, lines).splitlines()})
    elif not follow:
        output.text(consortium.log_tail(node, lines))
    else:
        pending = ""
        for piece in consortium.follow_log(node, lines):
            pending += piece
            whole, newline, rest = pending.rpartition("\n")
            if newline:
                output.text(whole)
                pending = rest


@network.command("log-level")
@click.argument("node")
@click.argument("specification", required=False)
@directory_option
@pass_output
def log_level(node: str, specification: str | None, directory: Path, output: Output) -> None:
    """Show how much a peer or an orderer logs, or change it while it runs.

    A change is in force at once, until the node ends. At `debug`, a peer's
    gossip writes private data into its log: keep that for made-up data.

    \b
    Examples:
      medfab network log-level peer0.hospital
      medfab network log-level orderer0.orderer orderer.consensus=debug:info
    """
    consortium = existing(directory)
    found = run(lambda: consortium.log_level(node, specification))
    if output.as_json:
        output.json({"node": node, "specification": found})
    else:
        output.line(found)


@network.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@directory_option
@pass_output
def monitoring(folder: Path, directory: Path, output: Output) -> None:
    """Write what Prometheus and Grafana need into FOLDER.

    prometheus.yml asks every peer and orderer, by TLS with a client
    certificate of this network; grafana-dashboard.json is to be imported.

    \b
    Example:
      medfab network monitoring monitoring/
    """
    files = existing(directory).monitoring()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    if output.as_json:
        output.json({"written": [str(folder / name) for name in files]})
    else:
        output.line(f"{', '.join(files)} written into {folder}.")


def _in_containers(given: Topology | None, current: Network) -> Topology:
    if given is None and not current.exists:
        return default_in_containers()
    return (given or current.topology).with_containers()


def existing(
    directory: Path, *, progress: Progress | None = None, bin_dir: Path | None = None
) -> Network:
    """The network of a folder; raises `NotRunningError` where there is none."""
    consortium = Network(directory, progress=progress, bin_dir=bin_dir)
    if not consortium.exists:
        raise NotRunningError(
            f"there is no network in {directory}; start one with `medfab network up`, or name "
            "its folder with --dir"
        )
    return consortium


def _list_logs(consortium: Network, output: Output) -> None:
    rows: list[dict[str, Any]] = []
    if consortium.topology.containers:  # the engine keeps the logs
        rows = [{"node": node} for node in sorted(consortium.processes())]
        output.table(rows, columns=["node"])
        return
    for path in sorted(consortium.logs.glob("*.log")):
        facts = path.stat()
        written = datetime.fromtimestamp(facts.st_mtime, UTC)
        rows.append(
            {
                "node": path.stem,
                "bytes": facts.st_size,
                "last_written": written.isoformat(sep=" ", timespec="seconds"),
            }
        )
    if rows or output.as_json:
        output.table(rows, columns=["node", "bytes", "last_written"])
    else:
        output.line(f"No node has a log in {consortium.logs}; `medfab network up` starts them.")


@network.command()
@directory_option
@yes_option
@pass_output
def clean(directory: Path, yes: bool, output: Output) -> None:
    """Stop all nodes and delete the network: ledgers, keys and all.

    \b
    Example:
      medfab network clean --yes
    """
    if not directory.exists():
        output.line(f"There is no network in {directory}.")
        if output.as_json:
            output.json({"stopped": [], "deleted": None})
        return
    confirm(f"Delete the network in {directory} with its ledgers and keys?", yes=yes)
    consortium = Network(directory)
    stopped = run(consortium.clean)
    if output.as_json:
        output.json({"stopped": stopped, "deleted": str(consortium.directory)})
    else:
        output.line(f"Deleted {consortium.directory}; {len(stopped)} nodes were stopped first.")
