"""CPU of our shim and contract API beside the official ones, in one run.

Each chaincode is a process of its own, in plaintext on loopback, that a mock peer (a Go program)
calls; the peer checks every answer and counts every write. What is measured is the CPU of the
chaincode's process for each transaction, warm-up left out. They take turns, so that each run of
ours has a run of every peer beside it. PyPI's package stops answering after some fifty
transactions, at any concurrency: it is given twenty, and left out where it stops before.

    make bench-chaincode            about ten minutes; writes bench/results/chaincode.json
    make bench-chaincode QUICK=1    one run of each, for a look; writes nothing
    make bench-chaincode ONLY=4     cases whose names begin so; the rows of the others stay
    make bench-chaincode BESIDE=Go  beside the peers whose names have that; the same
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import venv
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from bench._results import Row, compare, node_version, print_row, write

from medfab_network._binaries import cache_folder
from official import go_program, node, node_project

ROOT = Path(__file__).parent.parent
OFFICIAL = Path(__file__).parent / "official"
QUICK = bool(os.environ.get("QUICK"))
ONLY, ONLY_BESIDE = os.environ.get("ONLY", ""), os.environ.get("BESIDE", "")
RUNS = 1 if QUICK else 5
SECONDS = 30
UNIT = "µs of CPU per transaction"

RAW, API = "medfab_chaincode", "medfab_chaincode, contract API"
NODE, NODE_API = "fabric-shim 2.5.8 (Node)", "fabric-contract-api 2.5.8 (Node)"
GO, GO_BATCH = "fabric-chaincode-go 2.3.0", "fabric-chaincode-go 2.3.0, batches by hand"
PYPI = "fabric-chaincode-python 2.5.4 (PyPI), its logging off"
BESIDE = [(RAW, NODE), (RAW, GO), (RAW, GO_BATCH), (RAW, PYPI), (API, NODE_API), (API, PYPI)]


@dataclass(frozen=True)
class Case:
    """So many transactions, measured after so many for warming up."""

    name: str
    function: str
    size: int
    warmup: int
    wanted: int


CASES = [
    Case("1 read + 1 write", "ReadWrite", 1, 500, 2000),
    Case("4 reads + 4 writes", "ReadWrite", 4, 300, 1000),
    Case("32 reads + 32 writes", "ReadWrite", 32, 100, 200),
    Case("a range of 100 rows", "Range", 0, 300, 1000),
]
CONCURRENCY = (1, 16, 64)


class Unfinished(Exception):
    """A chaincode that did not answer every transaction."""


class Bench:
    """The programs, and the mock peer that calls them."""

    def __init__(self, go: Path, node_folder: Path, python: Path) -> None:
        self._go = go
        serve = ROOT / ".venv" / "bin" / "medfab-chaincode"
        shim_command = node_folder / "node_modules" / "fabric-shim" / "cli.js"
        options = ["--chaincode-id", "bench:1", "--tls-disabled", "--log-level", "warning"]
        node_options = ["--module-path", node_folder, "--chaincode-address", "ADDRESS"]
        node_options += ["--chaincode-id", "bench:1"]
        self._commands: dict[str, list[Any]] = {
            RAW: [sys.executable, "-m", "bench.chaincodes", "raw", "ADDRESS"],
            API: [serve, "serve", "bench.chaincodes:Api", "--address", "ADDRESS", *options],
            NODE: [node(), node_folder / "raw.js", "ADDRESS"],
            NODE_API: [node(), shim_command, "server", *node_options],
            GO: [go, "chaincode", "plain", "ADDRESS"],
            GO_BATCH: [go, "chaincode", "batch", "ADDRESS"],
            PYPI: [python, OFFICIAL / "chaincode-python" / "raw.py", "ADDRESS"],
        }
        pairs = [pair for pair in BESIDE if ONLY_BESIDE in pair[1]]
        self.names = [name for name in self._commands if any(name in pair for pair in pairs)]

    async def run(self, name: str, case: Case, at_once: int) -> float:
        """Microseconds of the chaincode's CPU for one transaction. Raises `Unfinished`."""
        address = f"127.0.0.1:{free_port()}"
        warmup, wanted = (5, 20) if name == PYPI else (case.warmup, case.wanted)
        numbers = [str(n) for n in (case.size, at_once, warmup, wanted)]
        command = [address if part == "ADDRESS" else part for part in self._commands[name]]
        async with (
            running(command, output=DEVNULL) as chaincode,
            running([self._go, "peer", address, case.function, *numbers], output=PIPE) as peer,
        ):
            assert peer.stdin is not None
            seconds = 10 if name == PYPI else SECONDS
            await said(peer, "warm", seconds)
            before = cpu_seconds(chaincode.pid)
            peer.stdin.write(b"\n")
            await said(peer, "done", seconds)
            return (cpu_seconds(chaincode.pid) - before) / wanted * 1e6


@asynccontextmanager
async def running(command: list[Any], *, output: int) -> AsyncIterator[Process]:
    """A process that ends with the block."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=PIPE,
        stdout=output,
        stderr=output,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def said(peer: Process, word: str, seconds: float) -> None:
    """Wait for the line that begins so."""
    assert peer.stdout is not None
    assert peer.stderr is not None
    try:
        line = await asyncio.wait_for(peer.stdout.readline(), seconds)
    except TimeoutError as error:
        raise Unfinished(f"no end within {seconds} s") from error
    if not line.startswith(word.encode()):
        raise Unfinished((await peer.stderr.read()).decode()[-300:])


def cpu_seconds(pid: int) -> float:
    """What the process's threads have run, to the nanosecond (`/proc/PID/stat` counts in 10 ms)."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def measure(bench: Bench, case: Case, at_once: int) -> list[Row]:
    """All chaincodes in turn, run after run, then a row for each pair."""
    costs: dict[str, list[float]] = defaultdict(list)
    unfinished: dict[str, str] = {}
    for _ in range(RUNS):
        for name in bench.names:
            if name in unfinished:
                continue
            try:
                costs[name].append(await finished(bench, name, case, at_once))
            except Unfinished as error:
                if name != PYPI:
                    raise
                unfinished[name] = str(error)
                print(f"{case.name}, {at_once} at once: {name}: {error}", flush=True)
    return [
        compare(
            f"{case.name}, {'contract API' if own == API else 'shim'}",
            ours=costs[own],
            peer=costs[peer],
            peer_name=peer,
            unit=UNIT,
            concurrency=at_once,
        )
        for own, peer in BESIDE
        if peer in bench.names and peer not in unfinished
    ]


async def finished(bench: Bench, name: str, case: Case, at_once: int) -> float:
    """PyPI's package may try three times: it loses answers by chance, too."""
    for _ in range(2 if name == PYPI and at_once == 1 else 0):
        with suppress(Unfinished):
            return await bench.run(name, case, at_once)
    return await bench.run(name, case, at_once)


def pypi_python() -> Path:
    """The interpreter of an environment with PyPI's fabric-chaincode-python."""
    requirements = OFFICIAL / "chaincode-python" / "requirements.txt"
    folder = cache_folder() / f"python-{requirements.read_text().strip()}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, clear=True, with_pip=True)
        install: list[Any] = [python, "-m", "pip", "install", "-q", "-r", requirements]
        subprocess.run(install, check=True, timeout=600)
        (folder / "complete").touch()
    return python


async def main() -> None:
    go = await go_program(OFFICIAL / "chaincode-go")
    bench = Bench(go, node_project(OFFICIAL / "chaincode-node"), pypi_python())
    rows: list[Row] = []
    for case in [case for case in CASES if case.name.startswith(ONLY)]:
        for at_once in CONCURRENCY:
            for row in await measure(bench, case, at_once):
                rows.append(row)
                print_row(row)
    if not QUICK:
        versions = {"node": node_version(), "uvloop": metadata.version("uvloop")}
        print(write("chaincode", rows, versions=versions, keep_others=bool(ONLY or ONLY_BESIDE)))


if __name__ == "__main__":
    asyncio.run(main())
