"""Where the CPU of our chaincode process goes, on a real network, by py-spy: bench/profiles/.

The contract is that of `make bench`; 16 calls are under way at once. py-spy looks into the running
process from outside, C included, so nothing in it is slower than it is otherwise. Idle moments are
left out. On Linux it needs the right to trace another process of the same user: root has it, others
where `kernel.yama.ptrace_scope` is 0.

    make profiles
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import cycle
from pathlib import Path

from bench.profiles import PROFILES, SHOWN
from bench.suite._bench_network import CHAINCODES, CHANNEL, USER, Programs, bench_network

PY_SPY = Path(sys.executable).parent / "py-spy"
AT_ONCE, ASSETS, RATE, SECONDS = 16, 2000, 500, 6
WARM = 2.0  # seconds
HEAD = """\
The chaincode process of bench/suite/contract.py while a client makes {case}s on a real network,
16 at once, by py-spy (record --native -r {rate} -d {seconds}): shares of {samples} samples in which
it worked. A function, with what it calls (C included):
"""


def summary(case: str, folded: str) -> str:
    """The functions with the largest shares, with what they call and by themselves.

    folded: a line for each stack, outermost frame first, and its number of samples.
    """
    within, innermost = Counter[str](), Counter[str]()
    samples = 0
    for line in folded.splitlines():
        stack, _, number = line.rpartition(" ")
        frames = stack.split(";")
        python = [each for frame in frames if (each := _python(frame))]
        if not python or "epoll" in frames[-1]:  # waits for the network
            continue
        samples += int(number)
        innermost[python[-1]] += int(number)
        for name in set(python):
            within[name] += int(number)
    head = HEAD.format(case=case, rate=RATE, seconds=SECONDS, samples=samples)
    tables = [
        "\n".join(f"{100 * n / samples:5.1f} %  {name}" for name, n in found.most_common(SHOWN))
        for found in (within, innermost)
    ]
    return f"{head}\n{tables[0]}\n\nThe innermost Python function:\n\n{tables[1]}\n"


def _python(frame: str) -> str | None:
    """`function (package/file.py)`, the same on every machine.

    None for a frame of C, and for what a process begins with and is in all the time.
    """
    found = re.fullmatch(r"(.+) \((.+\.py):\d+\)", frame)
    if found is None or "/click/" in found[2] or found[2].startswith("click/"):
        return None
    file = re.sub(r".*/(?:site-packages|src|lib/python[\d.]+)/", "", found[2])
    return f"{found[1]} ({'/'.join(Path(file).parts[-2:])})"


async def record(pid: int, call: Callable[[], Awaitable[object]]) -> str:
    """Folded stacks of a process while `call` is made again and again, so many at once."""
    ended = False

    async def work() -> None:
        while not ended:
            await call()

    with tempfile.NamedTemporaryFile(suffix=".folded") as file:
        workers = [asyncio.create_task(work()) for _ in range(AT_ONCE)]
        try:
            await asyncio.sleep(WARM)
            options = ["--native", "-r", str(RATE), "-d", str(SECONDS), "--format", "raw"]
            process = await asyncio.create_subprocess_exec(
                PY_SPY, "record", "--pid", str(pid), *options, "--output", file.name,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            _, said = await process.communicate()
        finally:
            ended = True
            await asyncio.gather(*workers)
        if process.returncode != 0:
            raise SystemExit(f"py-spy cannot look into the chaincode: {said.decode()[-500:]}")
        return Path(file.name).read_text()


async def main() -> None:
    PROFILES.mkdir(exist_ok=True)
    programs = await Programs.build()
    with tempfile.TemporaryDirectory(prefix="medfab-profiles-") as name:
        async with (
            bench_network(Path(name) / "net", programs) as network,
            network.gateway("hospital", USER) as gateway,
        ):
            [node, *_] = network.topology.chaincode(CHAINCODES["python"]).nodes
            contract = gateway.network(CHANNEL).contract(CHAINCODES["python"])
            await contract.submit("Fill", "a", str(ASSETS))
            ids = (f"a{number:05d}" for number in cycle(range(ASSETS)))
            price = {"price": b"12 EUR"}
            calls: dict[str, Callable[[], Awaitable[object]]] = {
                "evaluate": lambda: contract.evaluate("Read", next(ids)),
                "submit": lambda: contract.submit(
                    "Transfer", next(ids), "me", "0", transient=price
                ),
            }
            for case, call in calls.items():
                folded = await record(network.processes()[node.name], call)
                target = PROFILES / f"chaincode-{case}.txt"
                target.write_text(summary(case, folded))
                print(target)


if __name__ == "__main__":
    asyncio.run(main())
