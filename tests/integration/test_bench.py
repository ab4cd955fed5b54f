"""Whole stacks, scaled down: every side does the same work, and everybody is counted."""

from __future__ import annotations

import pytest
from bench.suite._stacks import STACKS, Case, measure

pytestmark = pytest.mark.integration


async def test_every_stack_does_the_same_work() -> None:
    """Answers, state, private values and processes are compared by the benchmark itself."""
    said: list[str] = []
    cases = [Case("evaluate", 4, 12), Case("evaluate a range", 2, 4), Case("submit", 8, 16)]
    found = await measure(True, said.append, cases=cases)
    assert len(found["rows"]) == len(cases) * 2 * (len(STACKS) - 1)
    for row in found["stacks"]:
        assert row["per_second"] > 0
        if row["case"] == "submit":  # the others are over before the kernel's clock has ticked
            assert row["cpu_ms"]["peers"] > 0, row
        assert 0 < row["latency_ms"]["p50"] <= row["latency_ms"]["p99"]
    # A loaded machine may lose a round: who has missed gossip for a moment does not endorse.
    assert len(said) == len(cases) * len(STACKS) + len(found["discarded"])
