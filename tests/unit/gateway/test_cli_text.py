"""Text for people: tables, JSON layout, control characters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfab_gateway.cli import format_table, printable
from medfab_gateway.cli._text import indent_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_json_is_laid_out_as_json_does(value: Any) -> None:
    compact = json.dumps(value, separators=(",", ":"))
    assert indent_json(compact) == json.dumps(value, indent=2)


def test_json_keeps_digits_and_escapes() -> None:
    assert indent_json('{"a":1.10,"b":[1e400,"\\u00e9 \\" }{"]}') == (
        '{\n  "a": 1.10,\n  "b": [\n    1e400,\n    "\\u00e9 \\" }{"\n  ]\n}'
    )


def test_a_table_of_any_width_is_one_line_a_row() -> None:
    lines = format_table(["a", "long name"], [["1", "x" * 200], ["22", ""]], width=None)
    assert lines == ["a   long name", "1   " + "x" * 200, "22"]


@given(
    st.lists(st.tuples(*[st.text("ab -", max_size=60)] * 3), max_size=5),
    st.integers(min_value=30, max_value=100),
)
def test_a_table_keeps_to_the_width_and_loses_nothing(
    rows: list[tuple[str, str, str]], width: int
) -> None:
    lines = format_table(["one", "two", "three"], rows, width=width)
    assert max(map(len, lines)) <= width
    kept = "".join("".join(line.split()) for line in lines[1:])
    assert sorted(kept) == sorted("".join("".join(cell.split()) for row in rows for cell in row))


def test_cells_are_wrapped_between_words() -> None:
    lines = format_table(["who", "why"], [["practitioner-1", "denied: no consent"]], width=31)
    assert lines[1:] == ["practitioner-1  denied: no", "                consent"]


@pytest.mark.parametrize("text", ["\x1b[2J", "a\rb", "\x9b31m", "\x00"])
def test_control_characters_do_not_reach_a_terminal(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert "�" in shown
    assert printable("é\n\t✓") == "é\n\t✓"
