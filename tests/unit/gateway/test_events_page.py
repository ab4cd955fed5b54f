"""docs/events.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "events.md").read_text()
FOLDERS = {"live": ROOT / "tests" / "integration", "unit": ROOT / "tests" / "unit" / "gateway"}


def test_the_tests_that_the_page_names_exist() -> None:
    named = re.findall(r"`(live|unit)/(test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 15
    for folder, file, function in named:
        assert f"def {function}(" in (FOLDERS[folder] / file).read_text(), function
