"""Canonical JSON, and results: the same value is the same bytes on every endorsing peer."""

import base64
import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from medfab_chaincode._json_types import INT_64
from medfab_chaincode.errors import NotCanonicalError


def canonical_json(value: object) -> bytes:
    """Encode `value` as UTF-8 JSON with sorted keys and no white space.

    Besides JSON's own types: dataclasses and mappings with `str` keys become objects, lists and
    tuples arrays, enums their value, `bytes` base64, `Decimal` its plain digits as a string, and
    an aware `datetime` RFC 3339 in UTC. Floats are refused, because equal sums can differ in
    their last digit; use `Decimal`, `str` or `int`. An `int` has 64 bits, as in other languages.

    Raises `NotCanonicalError`, which names the type and never the value.
    """
    return _utf_8(_dump(_plain(value)))


def encode_result(result: object) -> bytes:
    """Encode what a function returned: None as nothing, bytes as they are, else text.

    What is a string in JSON (an enum, a `Decimal`, a `datetime` too) is written without quotes,
    as it comes in an argument; everything else is canonical JSON. Raises `NotCanonicalError`.
    """
    if result is None:
        return b""
    if isinstance(result, bytes):
        return result
    plain = _plain(result)
    return _utf_8(plain if isinstance(plain, str) else _dump(plain))


def _dump(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _utf_8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # `from None`: a UnicodeEncodeError carries the whole text.
        raise NotCanonicalError("a text holds a lone surrogate, which UTF-8 cannot carry") from None


def rfc3339(moment: datetime) -> str:
    """Write an aware datetime in UTC, with a fraction only where there is one.

    Raises `NotCanonicalError` for a naive datetime.
    """
    if moment.tzinfo is None:
        raise NotCanonicalError("a datetime without a time zone has no canonical form")
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _plain(value: object) -> Any:
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if not INT_64.start <= value < INT_64.stop:
            raise NotCanonicalError("a whole number has more than 64 bits")
        return value
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise NotCanonicalError("the keys of a JSON object are strings")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    raise NotCanonicalError(f"{type(value).__name__} has no canonical JSON form")
