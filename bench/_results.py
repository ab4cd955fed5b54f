"""The one shape of result files, and the machine and versions that belong into each."""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from official import node

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case beside one peer. A ratio above 1 means that ours is better."""

    case: str
    concurrency: int
    unit: str
    """What `ours` and `peer` count, e.g. `µs of CPU per transaction`: less is better."""
    ours: float
    """Median over the runs."""
    peer: float
    peer_name: str
    ratio_median: float
    ratio_min: float
    ratio_max: float


def compare(
    case: str,
    *,
    ours: Sequence[float],
    peer: Sequence[float],
    peer_name: str,
    unit: str,
    concurrency: int = 1,
) -> Row:
    """A row from alternating runs, costs in `unit`."""
    ratios = [theirs / own for own, theirs in zip(ours, peer, strict=True)]
    return Row(
        case=case,
        concurrency=concurrency,
        unit=unit,
        ours=round(statistics.median(ours), 3),
        peer=round(statistics.median(peer), 3),
        peer_name=peer_name,
        ratio_median=round(statistics.median(ratios), 3),
        ratio_min=round(min(ratios), 3),
        ratio_max=round(max(ratios), 3),
    )


def print_row(row: Row) -> None:
    print(
        f"{row.case:38} {row.concurrency:3} at once {row.ours:8.0f} against {row.peer:8.0f}  "
        f"ratio {row.ratio_median:5.2f}  ({row.ratio_min:.2f} … {row.ratio_max:.2f})  "
        f"{row.peer_name}",
        flush=True,
    )


def node_version() -> str:
    return subprocess.run([node(), "--version"], capture_output=True, text=True).stdout.strip()


def write(
    name: str,
    rows: Sequence[Row],
    *,
    versions: Mapping[str, str] | None = None,
    keep_others: bool = False,
) -> Path:
    """Write `bench/results/<name>.json`; returns its path.

    keep_others: what is not among `rows` stays, of an earlier run here.
    """
    found = [asdict(row) for row in rows]
    path = RESULTS / f"{name}.json"
    if keep_others and path.exists():
        measured = {(row.case, row.concurrency, row.peer_name) for row in rows}
        for row in json.loads(path.read_text())["rows"]:
            if (row["case"], row["concurrency"], row["peer_name"]) not in measured:
                found.append(row)
        found.sort(key=lambda row: (row["case"], row["concurrency"], row["peer_name"]))
    return save({**heading(name, versions=versions), "rows": found})


def save(document: dict[str, Any]) -> Path:
    """Write a document that begins with a `heading`; returns its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{document['name']}.json"
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path


def heading(name: str, *, versions: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What every result says of itself: when it was measured, where, and with which versions."""
    return {
        "name": name,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "machine": {
            "cpus": os.cpu_count(),
            "processor": _processor(),
            "system": platform.platform(),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("grpcio", "protobuf", "cryptography")},
            **(versions or {}),
        },
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
