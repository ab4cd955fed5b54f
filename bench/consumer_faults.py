"""50 kills -9 of consumer, database, peer and orderer under load; KILLS=n for another number.

    make consumer-faults

Writes bench/results/consumer_faults.json, and fails where a row is lost, doubled or wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench._results import heading, save

from integration.consumer_faults import survive
from integration.consumers_help import consumer_network
from postgres import postgres_server

KILLS = int(os.environ.get("KILLS", "50"))


async def main() -> None:
    with tempfile.TemporaryDirectory() as name, postgres_server() as postgres:
        folder = Path(name)
        async with consumer_network(folder / "net") as network:
            report = await survive(network, postgres, folder, kills=KILLS)
    print(json.dumps(asdict(report), indent=2))
    if KILLS >= 50:
        print(save({**heading("consumer_faults"), "rows": [asdict(report)]}))
    if report.differences:
        sys.exit(f"differences: {', '.join(report.differences)}")


if __name__ == "__main__":
    asyncio.run(main())
