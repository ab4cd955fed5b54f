"""Long forms of tests: `make soak` runs them in full size and keeps what they found.

`make test` runs the same tests scaled down, and keeps nothing.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
from importlib import metadata
from pathlib import Path

SOAK = os.environ.get("MEDFAB_SOAK") == "1"

RESULTS = Path(__file__).parent.parent / "bench" / "results" / "soak.json"


def record(test: str, **found: object) -> None:
    """Keep what a test in full size has found, in place of what it found the last time."""
    print(f"{test}: {found}")
    if not SOAK:
        return
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        results = json.loads(file.read() or "{}")
        results[test] = {
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
            "cpus": os.cpu_count(),
            "grpcio": metadata.version("grpcio"),
            **found,
        }
        file.truncate(0)
        file.write(json.dumps(dict(sorted(results.items())), indent=2) + "\n")
