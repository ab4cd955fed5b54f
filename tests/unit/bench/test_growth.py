"""What growth is called flat, and the pieces of work that are measured, at a small size."""

from __future__ import annotations

import pytest
from bench.suite._growth import Point, decisions, growth, measure, packs, projections


def points(*costs: float) -> list[Point]:
    return [
        Point(act="a", unit="ms", size=10**power, cost=cost, cost_min=cost, cost_max=cost, date="-")
        for power, cost in enumerate(costs, start=3)
    ]


@pytest.mark.parametrize(
    ("costs", "verdict"),
    [((4, 4, 4, 4), "flat"), ((4, 5, 6, 8), "log"), ((4, 40, 400, 4000), "grows")],
)
def test_verdicts(costs: tuple[float, ...], verdict: str) -> None:
    [row] = growth(points(*costs))
    assert row["verdict"] == verdict
    assert row["ratios"]["1000000"] == costs[-1] / costs[0]


async def test_what_is_counted_does_not_grow_with_others() -> None:
    for act in (decisions, packs):
        few, many = await act(100), await act(300)
        assert [(p.act, p.unit, p.cost) for p in few] == [(p.act, p.unit, p.cost) for p in many]
        assert min(point.cost for point in few) > 0


def test_projections_are_checked_and_timed() -> None:
    found = list(projections([100, 200]))
    assert [point.size for point in found] == [100, 100, 200, 200]
    assert all(0 < point.cost_min <= point.cost <= point.cost_max for point in found)


async def test_points_of_sizes_that_are_left_out_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.suite._growth.SIZES", (100, 200))
    old = {"act": "EHR decision", "unit": "messages between peer and chaincode", "date": "then"}
    costs = {"cost": 4.0, "cost_min": 4.0, "cost_max": 4.0}
    kept = [old | costs | {"size": size} for size in (100, 900)]
    found = await measure(False, lambda _: None, kept=kept)
    messages = [p for p in found["points"] if (p["act"], p["unit"]) == (old["act"], old["unit"])]
    assert sorted(p["size"] for p in messages) == [100, 200, 900]
    assert [p["date"] for p in messages if p["size"] == 900] == ["then"]
    assert [p["date"] for p in messages if p["size"] == 100] != ["then"]
