"""When a run of the benchmark counts, and when its results may be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bench.suite import _honesty as honesty
from bench.suite._bench_network import Level
from bench.suite._stacks import ATTEMPTS, OURS, STACKS, Bench, Case, Run, Stack, document
from bench.suite._work import reads

from medfab_network import Network

CASE = Case("evaluate", 16, 4)
WORK = reads(4, first=0)


def report(**changes: Any) -> dict[str, Any]:
    good = {"error": "", "latencies": [0.1] * 4, "inputs": WORK.inputs, "answers": WORK.answers}
    return good | changes


def test_a_report_that_agrees_with_the_model_counts() -> None:
    honesty.check_report(report(), WORK, "all Go")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"error": "ABORTED: no endorsement"}, "all Go: ABORTED"),
        ({"latencies": [0.1] * 3}, "3 calls, not 4"),
        ({"inputs": reads(4, first=1).inputs}, "given something else"),
        ({"answers": reads(4, first=1).answers}, "answered something else"),
    ],
)
def test_one_that_does_not_is_not_counted(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(honesty.NotCounted, match=words):
        honesty.check_report(report(**changes), WORK, "all Go")


def test_a_harness_that_works_itself_is_seen() -> None:
    honesty.check_share(0.04, 10.0, "all Go")
    with pytest.raises(honesty.NotCounted, match=r"used 0\.60 s"):
        honesty.check_share(0.6, 10.0, "all Go")


def test_fewer_than_five_runs_are_not_written() -> None:
    honesty.check_counted(5, False, "evaluate")
    honesty.check_counted(1, True, "evaluate")
    with pytest.raises(honesty.NotEnough, match="4 runs counted, 5 are needed"):
        honesty.check_counted(4, False, "evaluate")
    with pytest.raises(honesty.NotEnough):
        honesty.check_counted(0, True, "evaluate")


def test_the_order_is_shuffled_and_the_same_again() -> None:
    orders = [honesty.order_of(STACKS, CASE.title, number) for number in range(20)]
    assert orders == [honesty.order_of(STACKS, CASE.title, number) for number in range(20)]
    assert all(sorted(order, key=str) == sorted(STACKS, key=str) for order in orders)
    assert len({tuple(order) for order in orders}) > 10
    assert len({order[0] for order in orders}) == len(STACKS)


class Rounds(Bench):
    """Rounds that go wrong where `wrong` says so; no network."""

    def __init__(self, folder: Path, wrong: set[int]) -> None:
        network = Network(folder / "net")
        super().__init__(network, Level(network), {}, {}, folder, lambda _: None)
        self.wrong = wrong
        self.seen: list[int] = []

    async def _round(self, case: Case, number: int) -> dict[Stack, Run]:
        self.seen.append(number)
        if number in self.wrong:
            raise honesty.NotCounted(f"round {number}")
        return {stack: run(number) for stack in STACKS}


def run(number: int) -> Run:
    cpu = {"client": 1.0, "chaincode": 1.0, "peers": 2.0, "orderer": 0.0, "rest": 0.0}
    return Run(calls=4, seconds=1.0 + number, latencies=[0.1] * 4, cpu=cpu, share=1.0)


async def test_warm_up_and_rounds_with_an_error_are_left_out(tmp_path: Path) -> None:
    bench = Rounds(tmp_path, {1, 3})
    _, runs = await bench.case(CASE, quick=False)
    assert bench.seen == [-1, 0, 1, 2, 3, 4, 5, 6]
    assert [each.seconds for each in runs[OURS]] == [1.0, 3.0, 5.0, 6.0, 7.0]
    assert bench.discarded == [f"{CASE.title}: round 1", f"{CASE.title}: round 3"]


async def test_where_too_few_count_there_is_no_result(tmp_path: Path) -> None:
    bench = Rounds(tmp_path, set(range(ATTEMPTS - honesty.RUNS + 1)))
    with pytest.raises(honesty.NotEnough, match="4 runs counted"):
        await bench.case(CASE, quick=False)


async def test_rows_compare_runs_of_the_same_round(tmp_path: Path) -> None:
    found = await Rounds(tmp_path, set()).case(CASE, quick=False)
    made = document([found], ["x"])
    assert len(made["rows"]) == 2 * (len(STACKS) - 1)
    assert {row["ratio_median"] for row in made["rows"]} == {1.0}
    assert {row["runs"] for row in made["rows"]} == {5}
    [ours] = [row for row in made["stacks"] if row["stack"] == OURS.name]
    assert ours["cpu_ms"] == {
        "client": 250.0, "chaincode": 250.0, "peers": 500.0, "orderer": 0.0, "rest": 0.0
    }  # fmt: skip
    assert ours["latency_ms"] == {"p50": 100.0, "p95": 100.0, "p99": 100.0}
    assert made["discarded"] == ["x"]
