"""Everything side by side: bench/results/latest.json, docs/performance.md, the README's table.

    make bench                    all parts; a quarter of an hour on two cores
    make bench QUICK=1            a look in two minutes, one run of each: results/quick.json
    make bench ONLY=stacks,growth these parts; of the others, what was measured last stays
    make bench LONG=1             growth up to a million of everything (some minutes more)
    make bench ONLY=page          page, plots and table alone, from what was measured last

A part of which fewer than five runs count is not written; the others are.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bench import _results
from bench.suite import _growth, _health, _stacks
from bench.suite._honesty import NotEnough
from bench.suite._network import network_part
from bench.suite._page import write_page
from bench.suite._readme import write_table

PARTS = ("stacks", "health", "growth", "network")
LATEST, QUICK_NAME = "latest", "quick"


def say(line: str) -> None:
    print(line, flush=True)


async def main() -> int:
    quick, long = os.environ.get("QUICK") == "1", os.environ.get("LONG") == "1"
    only = [part for part in os.environ.get("ONLY", "").split(",") if part]
    unknown = set(only) - {*PARTS, "page"}
    if unknown:
        say(f"ONLY: there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
        return 2
    name = QUICK_NAME if quick else LATEST
    document = earlier(name)
    wanted = [part for part in PARTS if not only or part in only]
    failed = []
    began = time.monotonic()
    for part in wanted:
        say(f"--- {part}")
        started = time.monotonic()
        try:
            found = await measure(part, quick=quick, long=long, document=document)
        except NotEnough as reason:
            failed.append(part)
            say(f"{part}: {reason}")
            continue
        document = earlier(name)  # another run may have written a part of it meanwhile
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        seconds = round(time.monotonic() - started)
        document["parts"][part] = {"date": today, "seconds": seconds, "quick": quick, **found}
        save(name, document, quick)  # part by part: what is measured is not lost with the next
    if not quick:
        for path in (write_page(document), write_table(document)):
            say(str(path))
    say(f"{_results.RESULTS / f'{name}.json'}, after {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


async def measure(
    part: str, *, quick: bool, long: bool, document: dict[str, Any]
) -> dict[str, Any]:
    old = document["parts"].get("growth", {})
    parts: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
        "stacks": lambda: _stacks.measure(quick, say),
        "health": lambda: _health.measure(quick, say),
        "growth": lambda: _growth.measure(quick, say, long=long, kept=old.get("points", ())),
        "network": lambda: network_part(quick, say),
    }
    return await parts[part]()


def earlier(name: str) -> dict[str, Any]:
    """What was measured last, or nothing yet."""
    path = _results.RESULTS / f"{name}.json"
    if path.exists():
        document: dict[str, Any] = json.loads(path.read_text())
        return document
    return {"parts": {}}


def save(name: str, document: dict[str, Any], quick: bool) -> Path:
    """Machine and versions are of the run at hand; every part has a date of its own."""
    versions = {"medfab": commit()}
    for part in document["parts"].values():
        versions |= part.get("versions", {})
    rows = [row for part in document["parts"].values() for row in part.get("rows", [])]
    heading = _results.heading(name, versions=versions)
    document |= {**heading, "quick": quick, "rows": rows}
    return _results.save({**heading, "quick": quick, "rows": rows, "parts": document["parts"]})


def commit() -> str:
    """What was measured: the commit, and whether files differed from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except KeyboardInterrupt:
        sys.exit("interrupted: what was measured before is in bench/results; ONLY= does the rest")
