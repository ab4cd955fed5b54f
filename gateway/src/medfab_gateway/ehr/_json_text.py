"""Parts of a JSON text, exactly as they were written.

FHIR decimals carry meaning in their digits (1.00 is not 1.0), so a resource is cut out of its
bundle as text and never goes through a float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

_SPACE = re.compile(r"[ \t\n\r]*")
_MARKED = re.compile(r'"\\u0000([0-9.eE+-]+)\\u0000"')
_STRING_OR_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\n\r]+')


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("an object has the same name twice")
    return fields


_DECODER = json.JSONDecoder(
    parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_unique
)


def parse(text: str) -> Any:
    """Parse strictly: decimals stay decimals; NaN and doubled names raise ``ValueError``."""
    return _DECODER.decode(text)


def dumps(value: Any) -> str:
    """JSON of what :func:`parse` gave; decimals are written with their own digits."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_marked)
    return _MARKED.sub(lambda found: found[1], text)


def members(text: str, start: int = 0) -> Iterator[tuple[str, int, int]]:
    """Yield (name, start, end) of each value of the object at ``start`` of valid JSON."""
    at = _skip(text, start) + 1
    while text[at := _skip(text, at)] != "}":
        name, at = _DECODER.raw_decode(text, at)
        begin = _skip(text, _skip(text, at) + 1)
        _, at = _DECODER.raw_decode(text, begin)
        yield name, begin, at
        at = _skip_comma(text, at)


def elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each element of the array at ``start`` of valid JSON."""
    at = _skip(text, start) + 1
    while text[at := _skip(text, at)] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = _skip_comma(text, end)


def compact(text: str) -> str:
    """Take the white space between the tokens of valid JSON away, and nothing else."""
    return _STRING_OR_SPACE.sub(lambda found: found[1] or "", text)


def _marked(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not JSON")
    return f"\x00{value}\x00"  # no text of valid FHIR has this character


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None  # noqa: S101 - the pattern matches the empty string
    return found.end()


def _skip_comma(text: str, at: int) -> int:
    at = _skip(text, at)
    return at + 1 if text[at] == "," else at
