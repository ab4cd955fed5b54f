"""How long `medfab network up` takes from nothing, with binaries already built.

Two cases: three organisations with chaincode deployed and running; and the same nodes as Fabric's
test-network-nano-bash (three CAs, three orderers, four peers, one channel, no chaincode). The time
of nano-bash, 8.1 s, was measured on two cores of this kind of machine (reference network.md) and
not in this run: its scripts do not come with Fabric's modules.

    .venv/bin/python bench/network_up.py [RUNS]
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from medfab_network import Network, Topology, load_topology, parse_topology
from medfab_network._binaries import FABRIC_CA_VERSION, FABRIC_VERSION, ensure_binaries
from medfab_network._progress import Silent

ROOT = Path(__file__).parent.parent
NANO_BASH_SECONDS = 8.1


_LIKE_NANO_BASH = {
    "name": "nano",
    "base_port": 30000,
    "ordering": {"name": "orderer", "msp_id": "OrdererMSP", "orderers": 3},
    "organizations": [
        {"name": "org1", "msp_id": "Org1MSP", "peers": 2},
        {"name": "org2", "msp_id": "Org2MSP", "peers": 2},
    ],
    "channels": [{"name": "mychannel", "organizations": ["org1", "org2"]}],
}


async def one_run(topology: Topology) -> tuple[float, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as folder:
        network = Network(Path(folder) / "net", topology)
        began = time.monotonic()
        try:
            report = await network.up()
            return time.monotonic() - began, report.seconds
        finally:
            await network.clean()


async def measure(case: str, topology: Topology, runs: int) -> dict[str, Any]:
    totals, stages = [], []
    for number in range(runs):
        total, seconds = await one_run(topology)
        totals.append(total)
        stages.append(seconds)
        parts = ", ".join(f"{name} {value:.2f}" for name, value in seconds.items())
        print(f"{case}, run {number + 1}: {total:.2f} s ({parts})", flush=True)
    median = statistics.median(totals)
    return {
        "case": case,
        "concurrency": 1,
        "unit": "s",
        "ours": round(median, 2),
        "peer": NANO_BASH_SECONDS,
        "peer_name": "test-network-nano-bash with three CAs, no chaincode; not in this run",
        "ratio_median": round(NANO_BASH_SECONDS / median, 2),
        "ratio_min": round(NANO_BASH_SECONDS / max(totals), 2),
        "ratio_max": round(NANO_BASH_SECONDS / min(totals), 2),
        "stages_median": {
            name: round(statistics.median(s[name] for s in stages), 2) for name in stages[0]
        },
    }


async def main(runs: int) -> None:
    await ensure_binaries(Silent())
    three = load_topology(ROOT / "tests" / "integration" / "two_providers.yaml")
    result: dict[str, Any] = {
        "name": "network_up",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            "fabric": FABRIC_VERSION,
            "fabric-ca": FABRIC_CA_VERSION,
            "python": platform.python_version(),
        },
        "rows": [
            await measure(
                "3 organisations: 4 CAs, 1 orderer, 3 peers, channel, chaincode in 3 processes",
                three.with_base_port(30000),
                runs,
            ),
            await measure(
                "as nano-bash: 3 CAs, 3 orderers, 4 peers, channel, no chaincode",
                parse_topology(_LIKE_NANO_BASH),
                runs,
            ),
        ],
    }
    target = ROOT / "bench" / "results" / "network_up.json"
    target.write_text(json.dumps(result, indent=2) + "\n")
    for row in result["rows"]:
        print(f"{row['case']}: median {row['ours']} s, nano-bash {row['peer']} s")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
