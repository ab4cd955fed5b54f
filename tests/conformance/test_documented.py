"""`docs/conformance.md` says everything that the cases say, and nothing that they do not."""

from __future__ import annotations

from pathlib import Path

from conformance.cases import CASES

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"


def test_the_reasons_are_those_of_the_document() -> None:
    reasons = {case.why for _, case in CASES if case.why}
    text = DOCUMENT.read_text().partition("## Where they differ")[2]
    told = {line.removeprefix("- ").strip() for line in _items(text)}
    assert told == reasons


def test_every_difference_has_its_reason() -> None:
    for section, case in CASES:
        differs = case.follows or case.departs or {"go", "node"} - set(case.among)
        assert bool(case.why) or not differs, f"{section}: {case.name}"


def test_names_are_used_once() -> None:
    names = [(section, case.name) for section, case in CASES]
    assert len(names) == len(set(names))


def _items(text: str) -> list[str]:
    """The items of a Markdown list, each in one line."""
    items: list[str] = []
    for line in text.splitlines():
        if line.startswith("- "):
            items.append(line)
        elif items and line.startswith("  "):
            items[-1] += " " + line.strip()
    return items
