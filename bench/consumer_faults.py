"""50 kills -9 of consumer, database, peer and orderer under load, in rounds of 25.

    make consumer-faults               (ROUNDS="3 4": other moments; KILLS=8: fewer in each)

Each round is a network, a load and two consumers of its own, and a row of
bench/results/consumer_faults.json. Fails where a row is lost, doubled or wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench._results import RESULTS, heading, save

from integration.consumer_faults import Report, survive
from integration.consumers_help import consumer_network
from postgres import postgres_server

KILLS = int(os.environ.get("KILLS") or 25)
ROUNDS = [int(each) for each in (os.environ.get("ROUNDS") or "1 2").split()]
FILE = RESULTS / "consumer_faults.json"


async def play(seed: int) -> Report:
    with tempfile.TemporaryDirectory() as name, postgres_server() as postgres:
        folder = Path(name)
        async with consumer_network(folder / "net") as network:
            return await survive(network, postgres, folder, kills=KILLS, seed=seed)


def main() -> None:
    # SIGTERM would end this without a clean-up, and leave a network running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for seed in ROUNDS:
        report = asyncio.run(play(seed))
        row = {"round": seed, **asdict(report)}
        print(json.dumps(row, indent=2))
        if KILLS >= 25:
            known = json.loads(FILE.read_text())["rows"] if FILE.exists() else []
            rows = [each for each in known if each["round"] != seed] + [row]
            rows.sort(key=lambda each: int(each["round"]))
            print(save({**heading("consumer_faults"), "rows": rows}))
        if report.differences:
            sys.exit(f"differences: {', '.join(report.differences)}")


if __name__ == "__main__":
    main()
