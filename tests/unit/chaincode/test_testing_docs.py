"""docs/testing-contracts.md: its code runs, and its tests pass."""

import inspect
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from medfab_chaincode import testing

PAGE = (Path(__file__).parents[3] / "docs" / "testing-contracts.md").read_text()
NAMES: dict[str, Any] = {}
exec("\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)), NAMES)  # noqa: S102
TESTS = [value for name, value in NAMES.items() if name.startswith("test_")]


@pytest.mark.parametrize("snippet", TESTS, ids=lambda test: test.__name__)
async def test_snippet(snippet: Callable[[], Awaitable[None]]) -> None:
    await snippet()


def test_the_table_lists_every_way_to_look() -> None:
    actions = {"commit", "deploy", "endorse", "evaluate", "forget", "submit"}
    for name, _ in inspect.getmembers(testing.Ledger):
        if not name.startswith("_"):
            shown = f"ledger.{name}" in PAGE
            assert shown, f"{name} is not on the page"
            assert (f"| `ledger.{name}" in PAGE) == (name not in actions)
