"""Docstrings as the site shows them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

FILE = Path(__file__).parents[3] / "scripts" / "website" / "docstrings.py"
_spec = importlib.util.spec_from_file_location("website_docstrings", FILE)
assert _spec is not None
assert _spec.loader is not None
docstrings = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(docstrings)


def test_code_is_fenced_with_its_language() -> None:
    shown = docstrings.as_markdown(
        "Asks.\n\n::\n\n    answer = await ask()\n\n    print(answer)\n\nEnd."
    )
    assert shown == "Asks.\n\n```python\nanswer = await ask()\n\nprint(answer)\n```\n\nEnd."
    assert "```text\nError\n└── Other\n```" in docstrings.as_markdown(
        "Tree::\n\n    Error\n    └── Other"
    )


def test_roles_and_literals() -> None:
    assert docstrings.as_markdown("See :class:`Gateway`, ``x``::") == "See `Gateway`, `x`:"


def test_what_is_fenced_already_stays() -> None:
    text = "Code:\n\n```python\na = 1\n\n    b = ``2``\n```"
    assert docstrings.as_markdown(text) == text
