"""CPU by kind of process, of every process that takes part: nobody works uncounted.

Taking part are the nodes of a network directory, the harness, and everything that either has
started. A process's CPU is that of /proc/PID/stat with its ended children's, so that one which
came and went between two looks is in it, too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


class UncountedError(Exception):
    """A process took part that nobody had named."""


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    name: str
    seconds: float
    """Of CPU, with the children that have ended and were waited for."""


@dataclass(frozen=True)
class Snapshot:
    """What every process has used until now."""

    at: float
    seconds: Mapping[int, float]
    machine: float
    """CPU seconds of the whole machine, idle time left out."""


@dataclass(frozen=True, kw_only=True)
class Used:
    """What was used between two snapshots."""

    by_kind: Mapping[str, float]
    """CPU seconds of each kind of process."""
    elapsed: float
    machine: float
    """CPU seconds of the whole machine: what is more than ours was somebody else's."""

    @property
    def total(self) -> float:
        return sum(self.by_kind.values())


@dataclass
class Census:
    """The processes that take part, each with its kind (`client`, `chaincode`, `peer` …)."""

    directory: Path
    """Of the network: its nodes carry the mark of it in their environment."""
    kinds: dict[int, str] = field(default_factory=dict)

    def name(self, pid: int, kind: str) -> None:
        self.kinds[pid] = kind

    def snapshot(self) -> Snapshot:
        """Look at everybody. Raises `UncountedError` where one is not named, or has gone."""
        found = taking_part(self.directory, os.getpid())
        unnamed = [f"{each.name} ({pid})" for pid, each in found.items() if pid not in self.kinds]
        if unnamed:
            raise UncountedError(f"take part and are not counted: {', '.join(sorted(unnamed))}")
        gone = [f"{kind} ({pid})" for pid, kind in self.kinds.items() if pid not in found]
        if gone:
            raise UncountedError(f"have ended: {', '.join(sorted(gone))}")
        seconds = {pid: process.seconds for pid, process in found.items()}
        return Snapshot(at=time.perf_counter(), seconds=seconds, machine=machine_seconds())

    def between(self, before: Snapshot, after: Snapshot) -> Used:
        by_kind: dict[str, float] = {}
        for pid, kind in self.kinds.items():
            spent = after.seconds[pid] - before.seconds[pid]
            by_kind[kind] = by_kind.get(kind, 0.0) + spent
        return Used(
            by_kind=by_kind,
            elapsed=after.at - before.at,
            machine=after.machine - before.machine,
        )


def taking_part(directory: Path, root: int) -> dict[int, Process]:
    """The process `root`, its descendants, the nodes of the directory and theirs."""
    everybody = all_processes()
    mark = f"MEDFAB_NODE={directory.resolve()}|".encode()
    found = {pid for pid in everybody if pid == root or (pid in everybody and _has_mark(pid, mark))}
    while True:
        more = {pid for pid, each in everybody.items() if each.parent in found} - found
        if not more:
            return {pid: everybody[pid] for pid in found}
        found |= more


def all_processes() -> dict[int, Process]:
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            process = read_process(int(folder.name))
            if process is not None:
                found[process.pid] = process
    return found


def read_process(pid: int) -> Process | None:
    """From /proc; None where it has ended."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    if fields[0] == "Z":
        return None  # ended: what it used will be its parent's
    ticks = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return Process(pid=pid, parent=int(fields[1]), name=name, seconds=ticks / TICKS)


def machine_seconds() -> float:
    """user, nice, system, irq, softirq of all processors."""
    fields = (PROC / "stat").read_text().splitlines()[0].split()[1:]
    return sum(int(fields[index]) for index in (0, 1, 2, 5, 6)) / TICKS


def _has_mark(pid: int, mark: bytes) -> bool:
    try:
        return mark in (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
