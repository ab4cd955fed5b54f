"""Parsing JSON strictly: what two parsers could understand differently is refused."""

import json
from typing import Any, NoReturn


class StrictJsonError(Exception):
    """The text is not strict JSON; says how, never what it holds."""


def parse_json(raw: bytes) -> Any:
    """Parse UTF-8 JSON. Refuses NaN, infinities, and objects with a name twice.

    Raises `StrictJsonError`.
    """
    try:
        return json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError):
        # `from None`: these errors carry the whole text.
        raise StrictJsonError("text that is not JSON") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonError("a JSON object with a name twice")
    return members


def _constant(_: str) -> NoReturn:
    raise StrictJsonError("NaN or infinity, which are not JSON")
