"""From nothing to the first committed transaction, with binaries already built.

In the shape of Fabric's test-network-nano-bash (three authorities, three orderers, four peers, one
channel): `Network.up()` and one transaction, beside the steps of those scripts (`bench.nano_bash`),
in turns. Ours does more in that time: every node has keys by two authorities, the chaincode runs
for both organisations and is installed on all four peers, both approve it, all TLS is mutual, and
`up` returns only when every peer sees every other. And the smaller network that most tests use.

    make bench-network-up          # RUNS=5
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench._results import compare, heading, save
from bench.nano_bash import AS_IT_IS, OUR_BATCHES, WITHOUT_SLEEPS, NanoBash, Variant

from medfab_network import Network, Topology, load_topology, parse_topology
from medfab_network._binaries import FABRIC_CA_VERSION, FABRIC_VERSION, Binaries, ensure_binaries
from medfab_network._progress import Silent

ROOT = Path(__file__).parent.parent
_BASE_PORT = int(os.environ.get("BASE_PORT", "34100"))
_CASE = "3 CAs, 3 orderers, 4 peers: from nothing to the first committed transaction"
_MEMORY = "memory (PSS) of all nodes after it"
LIKE_NANO_BASH: dict[str, Any] = {
    "name": "nano",
    "base_port": _BASE_PORT,
    "ordering": {"name": "orderer", "msp_id": "OrdererMSP", "orderers": 3},
    "organizations": [
        {"name": "org1", "msp_id": "Org1MSP", "peers": 2, "users": [{"name": "user1"}]},
        {"name": "org2", "msp_id": "Org2MSP", "peers": 2, "users": [{"name": "user1"}]},
    ],
    "channels": [{"name": "mychannel", "organizations": ["org1", "org2"]}],
    "chaincodes": [{"name": "assets", "channel": "mychannel", "contract": "bench.assets:Assets"}],
}


@dataclass(kw_only=True)
class Run:
    """One way from nothing."""

    seconds: float
    stages: Mapping[str, float]
    kilobytes: int


async def ours(topology: Topology) -> Run:
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as folder:
        network = Network(Path(folder) / "net", topology)
        began = time.monotonic()
        try:
            report = await network.up()
            up = time.monotonic()
            (chaincode,) = topology.chaincodes
            member = topology.channel(chaincode.channel).organizations[0]
            async with network.gateway(member) as gateway:
                contract = gateway.network(chaincode.channel).contract(chaincode.name)
                await contract.submit("Put", "1", "blue")
            ended = time.monotonic()
            stages = {**report.seconds, "first transaction": ended - up}
            return Run(
                seconds=ended - began,
                stages=stages,
                kilobytes=_memory(network.processes().values()),
            )
        finally:
            await network.clean()


def theirs(variant: Variant, binaries: Binaries) -> Run:
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as folder:
        network = NanoBash(Path(folder) / "net", binaries, _BASE_PORT, variant)
        began = time.monotonic()
        try:
            network.run()
            seconds = time.monotonic() - began
            stages = {
                **network.seconds,
                "of these: tries before there is a leader": network.leaderless,
            }
            return Run(seconds=seconds, stages=stages, kilobytes=_memory(network.processes()))
        finally:
            network.stop()


def _memory(pids: Iterable[int]) -> int:
    """Kilobytes; a page that several share counts as much as each one's part of it."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def _stages(runs: Sequence[Run]) -> dict[str, dict[str, float]]:
    found = {}
    for name in runs[0].stages:
        values = [run.stages[name] for run in runs]
        found[name] = {
            "min": round(min(values), 2),
            "median": round(statistics.median(values), 2),
            "max": round(max(values), 2),
        }
    return found


def _show(name: str, run: Run) -> None:
    parts = ", ".join(f"{stage} {value:.2f}" for stage, value in run.stages.items())
    print(f"{name}: {run.seconds:.2f} s, {run.kilobytes / 1024:.0f} MB ({parts})", flush=True)


async def main(runs: int) -> None:
    os.environ["PYTHONPATH"] = str(ROOT)  # where the chaincode finds its contract
    binaries = await ensure_binaries(Silent())
    topology = parse_topology(LIKE_NANO_BASH)
    variants = (AS_IT_IS, WITHOUT_SLEEPS, OUR_BATCHES)
    own: list[Run] = []
    others: dict[Variant, list[Run]] = {variant: [] for variant in variants}
    for _ in range(runs):
        own.append(await ours(topology))
        _show("ours", own[-1])
        for variant in variants:
            others[variant].append(await asyncio.to_thread(theirs, variant, binaries))
            _show(variant.name, others[variant][-1])
    rows = []
    for variant, measured in others.items():
        row = compare(
            _CASE,
            ours=[run.seconds for run in own],
            peer=[run.seconds for run in measured],
            peer_name=variant.name,
            unit="s",
        )
        rows.append({**asdict(row), "stages_ours": _stages(own), "stages_peer": _stages(measured)})
    memory = compare(
        _MEMORY,
        ours=[run.kilobytes / 1024 for run in own],
        peer=[run.kilobytes / 1024 for run in others[AS_IT_IS]],
        peer_name=AS_IT_IS.name,
        unit="MiB",
    )
    rows.append(asdict(memory))
    small = load_topology(ROOT / "tests" / "integration" / "two_providers.yaml")
    rows.append(await _alone(small.with_base_port(_BASE_PORT), runs))
    versions = {"fabric": FABRIC_VERSION, "fabric-ca": FABRIC_CA_VERSION}
    path = save(
        {
            **heading("network_up", versions=versions),
            "runs": runs,
            "load_average": os.getloadavg()[1],
            "rows": rows,
        }
    )
    for each in rows:
        beside = f"{each['peer_name']} {each['peer']}" if "peer" in each else "alone"
        print(f"{each['case']}: {each['ours']} {each['unit']}; {beside}")
    print(path)


async def _alone(topology: Topology, runs: int) -> dict[str, Any]:
    """Ours without anything beside it: a number to compare with our own of other days."""
    seconds, stages = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="medfab-bench-") as folder:
            network = Network(Path(folder) / "net", topology)
            began = time.monotonic()
            try:
                report = await network.up()
                seconds.append(time.monotonic() - began)
                stages.append(Run(seconds=seconds[-1], stages=report.seconds, kilobytes=0))
            finally:
                await network.clean()
    return {
        "case": "3 organisations: 4 CAs, 1 orderer, 3 peers, channel, chaincode in 3 processes: up",
        "concurrency": 1,
        "unit": "s",
        "ours": round(statistics.median(seconds), 2),
        "ours_min": round(min(seconds), 2),
        "ours_max": round(max(seconds), 2),
        "stages_ours": _stages(stages),
    }


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
