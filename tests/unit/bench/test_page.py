"""Page, plots and the README's table say what bench/results/latest.json says."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from bench._results import RESULTS
from bench.suite import _svg
from bench.suite._page import PAGE, PLOTS, page, plots
from bench.suite._readme import in_readme, table

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def latest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / "latest.json").read_text())
    return found


def test_the_page_is_made_from_the_results(latest: dict[str, Any]) -> None:
    assert PAGE.read_text() == page(latest), "make bench ONLY=page"


def test_the_plots_are_made_from_the_results(latest: dict[str, Any]) -> None:
    made = plots(latest)
    assert {path.stem for path in PLOTS.glob("*.svg")} == set(made), "make bench ONLY=page"
    for name, content in made.items():
        assert (PLOTS / f"{name}.svg").read_text() == content, "make bench ONLY=page"
        assert f"performance/{name}.svg" in PAGE.read_text()


def test_the_table_of_the_readme_is_made_from_the_results(latest: dict[str, Any]) -> None:
    assert in_readme() == table(latest), "make bench ONLY=page"
    assert in_readme().count("\n| ") == 6  # five, and the head


def test_what_is_kept_was_not_quick_and_has_five_runs(latest: dict[str, Any]) -> None:
    assert not latest["quick"]
    for name, part in latest["parts"].items():
        assert not part["quick"], name
    rows = {"stacks": "stacks", "health": "work"}
    for name, measured in rows.items():
        if part := latest["parts"].get(name):  # one that did not come to five is not there
            assert min(row["runs"] for row in part[measured]) >= 5


def parsed(content: str) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314 - our own


def test_a_bar_is_as_long_as_its_values() -> None:
    rows = [("ours", {"client": 1.0, "peers": 3.0}), ("theirs <&>", {"client": 4.0, "peers": 4.0})]
    root = parsed(_svg.stacked_bars("CPU", "ms", rows, ["client", "peers"]))
    bars = [each for each in root.iter(f"{SVG}rect") if each.get("height") == "18"]
    widths = [float(each.get("width", "")) for each in bars]
    assert [round(width / widths[0]) for width in widths] == [1, 3, 4, 4]
    assert "theirs <&>" in [each.text for each in root.iter(f"{SVG}text")]


def test_plots_are_documents_of_svg() -> None:
    rows = [_svg.Interval("evaluate", 2.0, 1.5, 2.5)]
    for content in (
        _svg.intervals("Ratio", "x", rows),
        _svg.lines("Growth", "x", {"decision": {1000: 1.0, 100000: 1.2}}),
    ):
        assert parsed(content).tag == f"{SVG}svg"


@pytest.mark.parametrize(("value", "end"), [(0.7, 0.8), (1.0, 1.0), (2.6, 3.0), (130.0, 150.0)])
def test_axes_end_at_round_numbers(value: float, end: float) -> None:
    assert _svg.nice(value) == pytest.approx(end)
