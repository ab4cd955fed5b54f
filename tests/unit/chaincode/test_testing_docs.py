"""docs/testing-contracts.md: its code runs, and its tests pass."""

import inspect
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from medfab_chaincode import testing
from pages import ran

FILE = Path(__file__).parents[3] / "docs" / "testing-contracts.md"
PAGE = FILE.read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
NAMES: dict[str, Any] = {}
exec("\n".join(BLOCKS), NAMES)  # noqa: S102
TESTS = [value for name, value in NAMES.items() if name.startswith("test_")]


@pytest.mark.parametrize("snippet", TESTS, ids=lambda test: test.__name__)
async def test_snippet(snippet: Callable[[], Awaitable[None]]) -> None:
    await snippet()
    ran(FILE, *(b for b in BLOCKS if snippet.__name__ in b or "def test_" not in b))


def test_the_table_lists_every_way_to_look() -> None:
    actions = {"commit", "deploy", "endorse", "evaluate", "forget", "submit"}
    for name, _ in inspect.getmembers(testing.Ledger):
        if not name.startswith("_"):
            shown = f"ledger.{name}" in PAGE
            assert shown, f"{name} is not on the page"
            assert (f"| `ledger.{name}" in PAGE) == (name not in actions)
