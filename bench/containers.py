"""Containers beside processes: memory and start-up of each kind of node, and of a whole network.

The same topology in both forms, in turns: three organisations, three orderers, chaincode for
each. `up` from nothing (images and programs are there); then one node of each kind is stopped, and
started until it is healthy. Memory (PSS) is that of the node and, in a container, of its init.

    make bench-containers          # RUNS=3; needs a Docker engine
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench._results import compare, heading, save

from medfab_network import Network, Topology, load_topology
from medfab_network._binaries import FABRIC_CA_VERSION, FABRIC_VERSION, ensure_binaries
from medfab_network._containers import connect
from medfab_network._health import tls_context, wait_healthy
from medfab_network._images import ensure_images
from medfab_network._layout import Layout
from medfab_network._progress import Silent
from medfab_network._up import BringUp
from medfab_network.topology import Node

ROOT = Path(__file__).parent.parent
_BASE_PORT = int(os.environ.get("BASE_PORT", "34100"))
_KINDS = ("ca", "orderer", "peer", "chaincode")


@dataclass(kw_only=True)
class Run:
    """One network of one form."""

    up: float
    kilobytes: Mapping[str, float]
    """By kind: the mean of its nodes."""
    start: Mapping[str, float]
    """By kind: seconds from a start to health."""
    restart_all: float
    """Seconds of `up` after `down`."""


async def measure(topology: Topology) -> Run:
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as folder:
        directory = Path(folder) / "net"
        network = Network(directory, topology)
        try:
            began = time.monotonic()
            await network.up()
            up = time.monotonic() - began
            pids = network.processes()
            nodes = {node.name: node for node in topology.nodes()}
            memory: dict[str, list[int]] = {kind: [] for kind in _KINDS}
            for name, pid in pids.items():
                memory[nodes[name].kind].append(_memory(pid))
            start = {kind: await _restart(network, topology, kind) for kind in _KINDS}
            await network.down()
            began = time.monotonic()
            await network.up()
            return Run(
                up=up,
                kilobytes={kind: sum(each) / len(each) for kind, each in memory.items()},
                start=start,
                restart_all=time.monotonic() - began,
            )
        finally:
            await network.clean()


async def _restart(network: Network, topology: Topology, kind: str) -> float:
    """Of the last node of the kind, which is no orderer that leads nor the first peer."""
    node = [each for each in topology.nodes() if each.kind == kind][-1]
    processes = network._processes
    layout = Layout(network.directory)
    await processes.stop([node.name])
    bring_up = BringUp(topology, layout, processes, await ensure_binaries(Silent()), Silent())
    root = (layout.ca_server_certificate if kind == "ca" else layout.tls_ca_certificate)(
        node.organization
    )
    began = time.monotonic()
    _start(bring_up, topology, node)
    await wait_healthy(node, tls_context(root), processes)
    return time.monotonic() - began


def _start(bring_up: BringUp, topology: Topology, node: Node) -> None:
    if node.kind == "chaincode":
        bring_up._start_chaincode(node, topology.chaincode(node.chaincode or ""))
    elif node.kind == "ca":
        from medfab_network._authority import ca_start
        from medfab_network._enrolment import registrar_secret

        layout = bring_up._layout
        secret = registrar_secret(layout, node.organization)
        bring_up._start(node, ca_start(node, bring_up._binaries, layout, secret))
    else:
        bring_up._start_node(node)


def _memory(pid: int) -> int:
    """Kilobytes of a process and its children: a container's first process is an init."""
    total = 0
    for each in _with_children(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def _with_children(pid: int) -> Iterable[int]:
    yield pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield from _with_children(int(child))


async def main(runs: int) -> None:
    binaries = await ensure_binaries(Silent())
    client = connect()
    try:
        await ensure_images(client, binaries, Silent())
        engine = client.version()["Version"]
    finally:
        client.close()
    plain = load_topology(ROOT / "tests" / "integration" / "two_providers.yaml")
    plain = plain.with_base_port(_BASE_PORT).with_orderers(3)
    processes: list[Run] = []
    containers: list[Run] = []
    for number in range(runs):
        for topology, found in ((plain.with_containers(), containers), (plain, processes)):
            found.append(await measure(topology))
            print(
                f"{number + 1} {'containers' if topology.containers else 'processes'}: {found[-1]}"
            )
    rows = [
        compare(
            "up, from nothing",
            ours=[run.up for run in containers],
            peer=[run.up for run in processes],
            peer_name="the same as processes",
            unit="s",
        ),
        compare(
            "up, after down",
            ours=[run.restart_all for run in containers],
            peer=[run.restart_all for run in processes],
            peer_name="the same as processes",
            unit="s",
        ),
    ]
    for kind in _KINDS:
        rows.append(
            compare(
                f"{kind}: from its start to health",
                ours=[run.start[kind] for run in containers],
                peer=[run.start[kind] for run in processes],
                peer_name="the same as processes",
                unit="s",
            )
        )
        rows.append(
            compare(
                f"{kind}: memory",
                ours=[run.kilobytes[kind] / 1024 for run in containers],
                peer=[run.kilobytes[kind] / 1024 for run in processes],
                peer_name="the same as processes",
                unit="MiB",
            )
        )
    versions = {"fabric": FABRIC_VERSION, "fabric-ca": FABRIC_CA_VERSION, "docker": engine}
    document = {
        **heading("containers", versions=versions),
        "runs": runs,
        "load_average": os.getloadavg()[1],
    }
    print(save({**document, "rows": [asdict(row) for row in rows]}))
    for row in rows:
        print(f"{row.case}: {row.ours} {row.unit}, as process {row.peer}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
