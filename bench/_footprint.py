"""What the nodes of a network take: bytes on disk by part, memory, CPU."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import psutil

from medfab_network import Network
from medfab_network.topology import Node

# Of a path below a node's folder of data; the first that is found.
_PARTS = (
    ("blocks", re.compile(r"ledgersData/chains/chains/|^ledger/chains/")),
    ("index of blocks", re.compile(r"ledgersData/chains/index|^ledger/index")),
    ("state", re.compile(r"ledgersData/stateLeveldb/")),
    ("history", re.compile(r"ledgersData/historyLeveldb/")),
    ("private data", re.compile(r"ledgersData/pvtdataStore/")),
    ("on its way", re.compile(r"^transientstore/|^transientStore/")),
    ("consensus", re.compile(r"^etcdraft/")),
    ("database", re.compile(r"\.db$")),
)


@dataclass(frozen=True)
class Footprint:
    """Of one node."""

    disk: Counter[str]
    """Part → bytes. `on its way`: private values before their block, deleted in time."""
    memory: int
    """Resident bytes."""
    cpu: float
    """Seconds since the node's start."""


def footprints(network: Network) -> dict[str, Footprint]:
    pids = network.processes()
    return {
        node.name: Footprint(disk_of(network, node), *_process(pids[node.name]))
        for node in network.topology.nodes()
    }


def disk_of(network: Network, node: Node) -> Counter[str]:
    folder = network._processes.data_folder(node)
    found: Counter[str] = Counter()
    if folder is not None:
        for path in folder.rglob("*"):
            try:
                size = path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:  # a database compacts itself while we look
                continue
            found[_part(str(path.relative_to(folder)))] += size
    return found


def _part(path: str) -> str:
    return next((name for name, form in _PARTS if form.search(path)), "other")


def _process(pid: int) -> tuple[int, float]:
    process = psutil.Process(pid)
    times = process.cpu_times()
    return process.memory_info().rss, times.user + times.system
