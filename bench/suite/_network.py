"""The network's own benchmark as a part: bench/network_up.py measures, its file is taken in."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from bench import _results
from bench.suite._clients import ROOT
from bench.suite._honesty import RUNS, NotEnough

SECONDS = 600


async def network_part(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """From nothing to the first commit, beside the shape of nano-bash. Raises `NotEnough`."""
    if quick:
        say("network: not in a quick run; what was measured last stands")
        return kept()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.network_up",
        str(RUNS),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    )
    try:
        code = await asyncio.wait_for(process.wait(), SECONDS)
    except TimeoutError as error:
        raise NotEnough(f"bench/network_up.py has not ended after {SECONDS} s") from error
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if code != 0:
        raise NotEnough(f"bench/network_up.py ended with exit code {code}")
    return kept()


def kept() -> dict[str, Any]:
    """What bench/results/network_up.json and containers.json have."""
    found: dict[str, Any] = {"rows": [], "measured": {}}
    for name in ("network_up", "containers"):
        path = _results.RESULTS / f"{name}.json"
        if path.exists():
            document = json.loads(path.read_text())
            found["measured"][name] = document["date"]
            found["rows"] += [{**row, "source": name} for row in document["rows"]]
    return found
