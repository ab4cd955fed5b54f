"""Whole stacks on the real network, side by side: rates, latencies, and CPU by kind of process.

A stack is a client and a contract, each in a language; peers and orderer are the same processes
for all. Each case is a round of one run of every stack, again and again, in a shuffled order; a
round in which anything went wrong counts for nobody.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench._results import compare, node_version
from bench.suite import _honesty as honesty
from bench.suite._bench_network import (
    BATCH_COUNT,
    BATCH_TIMEOUT,
    CHAINCODES,
    CHANNEL,
    USER,
    Level,
    Programs,
    bench_network,
    client_setup,
)
from bench.suite._clients import Client, clients
from bench.suite._cpu import Census, Used
from bench.suite._work import (
    ASSETS,
    READ_PREFIX,
    Work,
    canonical,
    lists,
    price_of,
    reads,
    transfers,
)

from medfab_gateway import AsyncContract
from medfab_gateway.errors import GatewayError
from medfab_network import Network

WRITE_PREFIX = "w"
ATTEMPTS, QUICK_ATTEMPTS = 9, 5
"""Rounds at most, to have five that count, or one."""
KINDS = ("client", "chaincode", "peers", "orderer", "rest")


@dataclass(frozen=True)
class Stack:
    name: str
    client: str
    contract: str


STACKS = (
    Stack("all Python", "python", "python"),
    Stack("all Node", "node", "node"),
    Stack("all Node, native signer", "node-native", "node"),
    Stack("all Go", "go", "go"),
    Stack("Python client, Go contract", "python", "go"),
    Stack("Node client, Python contract", "node", "python"),
)
OURS = STACKS[0]


@dataclass(frozen=True)
class Case:
    """One kind of call, so many of them in a run, so many at once."""

    name: str
    at_once: int
    calls: int

    @property
    def title(self) -> str:
        return f"{self.name}, {self.at_once} at once"


CASES = (
    Case("evaluate", 1, 250),
    Case("evaluate", 16, 1000),
    Case("evaluate", 64, 1000),
    Case("evaluate a range", 16, 500),
    Case("submit", 1, 20),
    Case("submit", 16, 240),
    Case("submit", 64, 384),
)
QUICK_CASES = (Case("evaluate", 16, 300), Case("submit", 16, 96))


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run of one stack has shown."""

    calls: int
    seconds: float
    latencies: Sequence[float]
    """Seconds."""
    cpu: dict[str, float]
    """Seconds, by kind."""
    share: float
    """Of what the machine did meanwhile: less than 1 where others worked, too."""


async def measure(
    quick: bool, say: Callable[[str], None], *, cases: Sequence[Case] | None = None
) -> dict[str, Any]:
    """The part's document. Raises `NotEnough`. cases: None: those of the benchmark."""
    programs = await Programs.build()
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as name:
        folder = Path(name)
        async with bench_network(folder / "net", programs) as network:
            setup = client_setup(network, folder / "setup")
            async with (
                clients(
                    setup, go=programs.go, node_folder=programs.node_folder, logs=folder
                ) as running,
                network.gateway("hospital", USER) as gateway,
                Level(network) as level,
            ):
                channel = gateway.network(CHANNEL)
                contracts = {
                    language: channel.contract(chaincode)
                    for language, chaincode in CHAINCODES.items()
                }
                bench = Bench(network, level, running, contracts, folder, say)
                for contract in contracts.values():
                    await contract.submit("Fill", READ_PREFIX, str(ASSETS))
                found = [
                    await bench.case(each, quick)
                    for each in cases or (QUICK_CASES if quick else CASES)
                ]
                return document(found, bench.discarded)


class Bench:
    """The running network and clients."""

    def __init__(
        self,
        network: Network,
        level: Level,
        running: dict[str, Client],
        contracts: dict[str, AsyncContract],
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self._network = network
        self._level = level
        self._clients = running
        self._contracts = contracts
        self._folder = folder
        self._say = say
        self.discarded: list[str] = []

    async def case(self, case: Case, quick: bool) -> tuple[Case, dict[Stack, list[Run]]]:
        """Every stack's runs of a case, those of a round beside each other."""
        rounds: list[dict[Stack, Run]] = []
        wanted = 1 if quick else honesty.RUNS
        with suppress(honesty.NotCounted, GatewayError):
            await self._round(case, -1)  # warm-up: nobody looks at it
        for number in range(QUICK_ATTEMPTS if quick else ATTEMPTS):
            try:
                rounds.append(await self._round(case, number))
            except (honesty.NotCounted, GatewayError) as reason:
                self.discarded.append(f"{case.title}: {reason}")
                self._say(f"{case.title}: a round does not count: {reason}")
            if len(rounds) == wanted:
                break
        honesty.check_counted(len(rounds), quick, case.title)
        runs = {stack: [each[stack] for each in rounds] for stack in STACKS}
        for stack, found in runs.items():
            rates = [run.calls / run.seconds for run in found]
            spent = statistics.median(sum(run.cpu.values()) / run.calls for run in found)
            self._say(
                f"{case.title:28} {stack.name:30} {statistics.median(rates):7.1f}/s  "
                f"{spent * 1000:6.2f} ms CPU"
            )
        return case, runs

    async def _round(self, case: Case, number: int) -> dict[Stack, Run]:
        """One run of each stack, all of the same work."""
        work, after = work_of(case, number)
        calls = self._folder / "calls.json"
        calls.write_text(json.dumps(work.calls))
        found = {}
        for stack in honesty.order_of(STACKS, case.title, number):
            found[stack] = await self._run(stack, case, work, after, calls)
        return found

    async def _run(
        self, stack: Stack, case: Case, work: Work, after: dict[str, Any], calls: Path
    ) -> Run:
        contract = self._contracts[stack.contract]
        if work.submit:
            await contract.submit("Fill", WRITE_PREFIX, str(len(work.calls)))
            await self._level(CHANNEL)
        client = self._clients[stack.client]
        chaincode = CHAINCODES[stack.contract]
        await client.tell(
            do="load",
            chaincode=chaincode,
            submit=work.submit,
            at_once=case.at_once,
            calls=str(calls),
        )
        census = self._census(stack)
        before = census.snapshot()
        await client.tell(do="go")
        if work.submit:
            # What the other peer still has to do is part of the price.
            await self._level(CHANNEL)
        used = census.between(before, census.snapshot())
        report = await client.tell(do="report")
        honesty.check_report(report, work, stack.name)
        honesty.check_share(used.by_kind["harness"], used.total, stack.name)
        if work.submit:
            await read_back(contract, after, stack.name)
        return Run(
            calls=len(work.calls),
            seconds=report["seconds"],
            latencies=report["latencies"],
            cpu=by_kind(used),
            share=round(min(used.total / used.machine, 1.0), 3) if used.machine else 1.0,
        )

    def _census(self, stack: Stack) -> Census:
        """Everybody, by what they are to this stack."""
        census = Census(self._network.directory)
        census.name(os.getpid(), "harness")
        for name, client in self._clients.items():
            census.name(client.pid, "client" if name == stack.client else "idle clients")
        own = {node.name for node in self._chaincode_nodes(stack)}
        kinds = {node.name: node.kind for node in self._network.topology.nodes()}
        for name, pid in self._network.processes().items():
            kind = kinds[name]
            if kind == "chaincode" and name not in own:
                kind = "idle chaincode"
            census.name(pid, kind)
        return census

    def _chaincode_nodes(self, stack: Stack) -> Sequence[Any]:
        return self._network.topology.chaincode(CHAINCODES[stack.contract]).nodes


def work_of(case: Case, number: int) -> tuple[Work, dict[str, Any]]:
    """The work of a round; number -1: of the warm-up, which is a half of it."""
    count = case.calls if number >= 0 else max(case.at_once, case.calls // 2)
    first = (number + 1) * count
    if case.name == "submit":
        return transfers(WRITE_PREFIX, count, first=0)
    return (reads if case.name == "evaluate" else lists)(count, first=first), {}


async def read_back(contract: AsyncContract, after: dict[str, Any], side: str) -> None:
    """What is on the ledger now, beside what the model says. Raises `NotCounted`."""
    ids = sorted(after)
    found = await contract.evaluate("List", ids[0], ids[-1] + "~")
    if found.decode() != canonical([after[each] for each in ids]):
        raise honesty.NotCounted(f"{side}: the ledger is not as the model says")
    for each in (ids[0], ids[len(ids) // 2], ids[-1]):
        if (await contract.evaluate("Price", each)).decode() != price_of(each):
            raise honesty.NotCounted(f"{side}: a private value is not as it was given")


def by_kind(used: Used) -> dict[str, float]:
    """By the kinds of a bar: everything is in one of them."""
    names = {"client": "client", "chaincode": "chaincode", "peer": "peers", "orderer": "orderer"}
    found = dict.fromkeys(KINDS, 0.0)
    for kind, seconds in used.by_kind.items():
        found[names.get(kind, "rest")] += seconds
    return found


def document(
    found: Sequence[tuple[Case, dict[Stack, list[Run]]]], discarded: Sequence[str]
) -> dict[str, Any]:
    """The part as it is written: rows beside each peer, and what the page draws."""
    rows, stacks = [], []
    for case, runs in found:
        for stack in STACKS:
            if stack is not OURS:
                rows += _rows(case, runs[OURS], runs[stack], stack.name)
            stacks.append(_stack(case, stack, runs[stack]))
    shares = [run.share for _, runs in found for each in runs.values() for run in each]
    return {
        "settings": {
            "network": "2 organisations with a peer each, 1 orderer; both endorse every submit",
            "blocks": f"BatchTimeout {BATCH_TIMEOUT}, at most {BATCH_COUNT} transactions",
            "seed": honesty.SEED,
        },
        "versions": {
            "node": node_version(),
            "fabric-gateway (Node and Go)": "1.12.1",
            "fabric-contract-api (Node)": "2.5.8",
            "fabric-contract-api-go": "2.2.0",
        },
        "share_of_machine": round(statistics.median(shares), 3),
        "discarded": list(discarded),
        "rows": rows,
        "stacks": stacks,
    }


def _rows(case: Case, ours: list[Run], peer: list[Run], name: str) -> list[dict[str, Any]]:
    """Rates and CPU beside one peer: a ratio above 1 means that ours is better."""
    seconds = compare(
        case.name,
        ours=[run.seconds / run.calls for run in ours],
        peer=[run.seconds / run.calls for run in peer],
        peer_name=name,
        unit="calls per second",
        concurrency=case.at_once,
    )
    spent = compare(
        f"{case.name}: CPU",
        ours=[sum(run.cpu.values()) / run.calls * 1000 for run in ours],
        peer=[sum(run.cpu.values()) / run.calls * 1000 for run in peer],
        peer_name=name,
        unit="ms of CPU per call, all processes",
        concurrency=case.at_once,
    )
    rate = vars(seconds) | {"ours": _rate(ours), "peer": _rate(peer)}
    return [{**rate, "runs": len(ours)}, {**vars(spent), "runs": len(ours)}]


def _rate(runs: Sequence[Run]) -> float:
    return round(statistics.median(run.calls / run.seconds for run in runs), 1)


def _stack(case: Case, stack: Stack, runs: list[Run]) -> dict[str, Any]:
    latencies = sorted(each * 1000 for run in runs for each in run.latencies)
    return {
        "case": case.name,
        "concurrency": case.at_once,
        "stack": stack.name,
        "runs": len(runs),
        "per_second": _rate(runs),
        "latency_ms": {
            f"p{percent}": round(percentile(latencies, percent), 2) for percent in (50, 95, 99)
        },
        "cpu_ms": {
            kind: round(statistics.median(run.cpu[kind] / run.calls for run in runs) * 1000, 3)
            for kind in KINDS
        },
    }


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest rank."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


if __name__ == "__main__":
    import sys

    print(json.dumps(asyncio.run(measure("quick" in sys.argv, print)), indent=1))
