"""Where the CPU goes: of a call, blocking and async, and of a decoded transaction.

Writes one text a case into bench/profiles/: the functions that take most time by themselves, by
cProfile. The profiler makes Python look dearer than C: what counts is the order, not the sum; the
sums are in bench/results/gateway.json. Calls go to the mock gateway of bench/gateway.py, blocks
come from the real network.

    make profiles
"""

from __future__ import annotations

import asyncio
import cProfile
import io
import json
import pstats
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.gateway import CHANNEL, OFFICIAL, VALUE, mock_gateway, real_network, record_blocks
from bench.gateway_client import Meter, Setup, arguments, decode, read_blocks

from medfab_gateway import AsyncGateway, Gateway
from official import go_program

PROFILES = Path(__file__).parent / "profiles"
CALLS, TRANSACTIONS, SHOWN = 1000, 5000, 25


def profile(name: str, unit: str, count: int, work: Callable[[], object]) -> None:
    """Run `work`, which does `count` of `unit`, and write down where its time went."""
    found = cProfile.Profile(time.thread_time)
    found.runcall(work)
    text = io.StringIO()
    stats = pstats.Stats(found, stream=text)
    stats.sort_stats("tottime").print_stats(SHOWN)
    lines = [_short(line) for line in text.getvalue().splitlines() if line.strip()]
    target = PROFILES / f"{name}.txt"
    target.write_text("\n".join([f"{count} times: {unit}", *lines]) + "\n")
    print(target)


def _short(line: str) -> str:
    """Paths from the package on: the same on every machine."""
    packages = "medfab_gateway|grpc|asyncio|google|bench"
    return re.sub(rf"/\S*/(?=(?:{packages})/)|/\S*/lib/python[^/]*/", "", line)


def profile_blocking(setup: Setup) -> None:
    with Gateway.connect(*arguments(setup)) as gateway:
        contract = gateway.network(CHANNEL).contract(setup["chaincode"])

        def evaluate() -> None:
            for _ in range(CALLS):
                contract.evaluate(*setup["evaluate"])

        def submit() -> None:
            for _ in range(CALLS):
                contract.submit(setup["submit"][0], "key", VALUE)

        evaluate()  # warm
        profile("evaluate-blocking", "evaluate, one at a time", CALLS, evaluate)
        profile("submit-blocking", "submit, one at a time", CALLS, submit)


def profile_async(setup: Setup) -> None:
    async def evaluate() -> None:
        async with AsyncGateway.connect(*arguments(setup)) as gateway:
            contract = gateway.network(CHANNEL).contract(setup["chaincode"])

            async def some() -> None:
                for _ in range(CALLS // 16):
                    await contract.evaluate(*setup["evaluate"])

            await asyncio.gather(*(some() for _ in range(16)))

    def run() -> None:
        asyncio.run(evaluate())

    run()  # warm
    profile("evaluate-async", "evaluate, 16 at once", CALLS // 16 * 16, run)


def profile_decoder(blocks: Path) -> None:
    messages = read_blocks(blocks)

    def run() -> None:
        decode(messages, TRANSACTIONS, Meter())

    run()  # warm
    profile("decoder", "transaction, all of it", TRANSACTIONS, run)


async def main() -> None:
    PROFILES.mkdir(exist_ok=True)
    go = await go_program(OFFICIAL / "gateway-go")
    with tempfile.TemporaryDirectory(prefix="medfab-profiles-") as name:
        folder = Path(name)
        blocks = folder / "blocks"
        async with real_network(folder / "net") as gateway:
            await record_blocks(gateway, blocks)
        with mock_gateway(go, blocks, folder / "mock") as setup_file:
            setup: Setup = json.loads(setup_file.read_bytes())
            for each in (profile_blocking, profile_async):
                await asyncio.to_thread(each, setup)
        profile_decoder(blocks)


if __name__ == "__main__":
    asyncio.run(main())
