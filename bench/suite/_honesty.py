"""When a run counts, and when results may be written: what makes the figures worth reading."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, TypeVar

from bench.suite._work import Work

RUNS = 5
"""Counted runs of each side: fewer are not written."""
SEED = 20261127
T = TypeVar("T")


class NotCounted(Exception):
    """A run that does not count, and why."""


class NotEnough(Exception):
    """Too few runs counted for results to be written."""


def check_report(report: dict[str, Any], work: Work, side: str) -> None:
    """A side's own report against what it was given. Raises `NotCounted`."""
    if report["error"]:
        raise NotCounted(f"{side}: {report['error'][:300]}")
    if len(report["latencies"]) != len(work.calls):
        raise NotCounted(f"{side}: {len(report['latencies'])} calls, not {len(work.calls)}")
    if report["inputs"] != work.inputs:
        raise NotCounted(f"{side}: was given something else than the others")
    if report["answers"] != work.answers:
        raise NotCounted(f"{side}: answered something else than the model")


def check_share(used_by_harness: float, used: float, side: str) -> None:
    """The harness waits while others work: it must not be what is measured."""
    if used_by_harness > max(0.05 * used, 0.05):
        raise NotCounted(f"{side}: the harness itself used {used_by_harness:.2f} s of CPU")


def check_counted(counted: int, quick: bool, what: str) -> None:
    if counted < (1 if quick else RUNS):
        raise NotEnough(f"{what}: {counted} runs counted, {RUNS} are needed: nothing is written")


def order_of(sides: Sequence[T], case: str, round_number: int) -> list[T]:
    """The order of one round: shuffled, and the same whenever it is asked for."""
    shuffled = list(sides)
    random.Random(f"{SEED} {case} {round_number}").shuffle(shuffled)
    return shuffled
