"""docs/security.md names tests: they exist, and every row of its checklist has one or a drill."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = re.compile(r"`((?:live|unit|tests)/[\w/]+\.py)(?:::(\w+))?`")
PLACES = {
    "live": ROOT / "tests" / "integration",
    "unit": ROOT / "tests" / "unit",
    "tests": ROOT / "tests",
}


def test_every_test_that_the_page_names_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 15
    for path, function in named:
        place, _, rest = path.partition("/")
        text = (PLACES[place] / rest).read_text("utf-8")
        assert not function or re.search(rf"def {function}\(", text), (path, function)


def test_every_row_of_the_checklist_is_shown_by_something() -> None:
    section = PAGE.split("## Checklist for production")[1].split("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    for what, how, shown in rows:
        assert what.strip()
        assert how.strip()
        assert NAMED.search(shown) or shown.strip() == "as above", what
