"""The README's table of the five ratios that matter, between two marks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.suite._clients import ROOT

README = ROOT / "README.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
Document = dict[str, Any]


def write_table(document: Document) -> Path:
    """Put the table into the README; returns its path."""
    text = README.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README} has no marks {BEGIN} and {END}")
    README.write_text(f"{before}{BEGIN}\n{table(document)}{END}{after}")
    return README


def in_readme() -> str:
    """The table as it stands there."""
    return README.read_text().partition(BEGIN)[2].partition(END)[0].removeprefix("\n")


def table(document: Document) -> str:
    """Of what there is; a ratio above 1 is better than the other."""
    lines = [
        "",
        "| Beside what one would take instead | ratio, median (min … max) | again with |",
        "|---|---|---|",
        *(f"| {what} | {ratio} | `{command}` |" for what, ratio, command in _ratios(document)),
        "",
    ]
    return "\n".join(lines) + "\n"


def _ratios(document: Document) -> Iterator[tuple[str, str, str]]:
    parts = document["parts"]
    if "stacks" in parts:
        rows = parts["stacks"]["rows"]
        command = "make bench ONLY=stacks"
        yield (
            "evaluates per second, 16 at once: all Python beside all Node",
            _spread(_find(rows, "evaluate", 16, "all Node")),
            command,
        )
        yield (
            "submits per second, 64 at once: all Python beside all Node",
            _spread(_find(rows, "submit", 64, "all Node")),
            command,
        )
        yield (
            "submits per second, 64 at once: all Python beside all Go",
            _spread(_find(rows, "submit", 64, "all Go")),
            command,
        )
    if "network" in parts:
        for row in parts["network"]["rows"]:
            if row["unit"] == "s" and row.get("peer") is not None:
                what = f"{row['case']}; beside {row['peer_name']}"
                yield what, _spread(row), "make bench ONLY=network"
                break
    if "growth" in parts:
        for row in parts["growth"]["growth"]:
            if row["act"] == "EHR decision" and row["unit"].startswith("bytes"):
                size, ratio = max(row["ratios"].items(), key=lambda pair: int(pair[0]))
                what = f"cost of an access decision beside {int(size):,} consents, over 1,000"
                yield what, f"{ratio:.2f}", "make bench ONLY=growth LONG=1"


def _find(rows: list[Any], case: str, at_once: int, peer: str) -> Any:
    for row in rows:
        if (row["case"], row["concurrency"], row["peer_name"]) == (case, at_once, peer):
            return row
    raise LookupError(f"{case}, {at_once} at once, beside {peer} was not measured")


def _spread(row: Any) -> str:
    return f"{row['ratio_median']:.2f} ({row['ratio_min']:.2f} … {row['ratio_max']:.2f})"
