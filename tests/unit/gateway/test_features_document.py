"""docs/gateway-features.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDERS = {"live": ROOT / "tests" / "integration", "unit": ROOT / "tests" / "unit" / "gateway"}


def test_every_test_that_the_table_names_is_there() -> None:
    text = (ROOT / "docs" / "gateway-features.md").read_text()
    named = re.findall(r"`(live|unit)/(\w+\.py)::(\w+)`", text)
    assert len(named) > 40
    missing = [
        f"{folder}/{file}::{test}"
        for folder, file, test in named
        if f"def {test}(" not in (FOLDERS[folder] / file).read_text()
    ]
    assert not missing
