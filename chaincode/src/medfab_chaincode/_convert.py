"""From an argument's text, or a JSON document, to a typed value: compiled once for each hint.

A scalar has a text form (for arguments) and a JSON form (inside objects); everything else is
JSON in both places.
"""

import re
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any

from medfab_chaincode._json_text import StrictJsonError, parse_json
from medfab_chaincode._json_types import (
    INT_64,
    STRING_FORMS,
    Convert,
    MismatchError,
    enum_member,
    enum_values,
    value_converter,
    without_none,
)
from medfab_chaincode.errors import InvalidArgumentError

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)


def argument_converter(hint: Any) -> Callable[[str, bytes], Any]:
    """Compile the converter of an argument declared as `hint`: called with (name, raw bytes).

    An empty argument is None where the hint allows None.
    Raises `DefinitionError` for a hint that has no form on the wire.
    """
    inner, optional = without_none(hint)
    convert = _text_converter(inner)

    def apply(name: str, raw: bytes) -> Any:
        if optional and not raw:
            return None
        return _guarded(convert, name, raw)

    return apply


def json_converter(hint: Any) -> Callable[[str, bytes], Any]:
    """Compile the converter of a JSON document of type `hint`: called with (what, raw bytes).

    Compiled once for each hint. Raises `DefinitionError` like `argument_converter`.
    """
    return _document_converter(hint)


@cache
def _document_converter(hint: Any) -> Callable[[str, bytes], Any]:
    convert = _through_json(value_converter(hint))
    return lambda what, raw: _guarded(convert, what, raw)


def _guarded(convert: Convert, what: str, raw: bytes) -> Any:
    try:
        return convert(raw)
    except MismatchError as mismatch:
        path = f"{what}{mismatch.path}"
        problem = f"expected {mismatch.expected}, got {mismatch.came}"
    except StrictJsonError as error:
        path, problem = what, f"expected JSON, got {error}"
    except RecursionError:
        path, problem = what, "expected JSON, got a document that is nested too deeply"
    # Outside of the handlers: what was caught may carry the value.
    raise InvalidArgumentError.at(path, problem)


# -- arguments ---------------------------------------------------------------------------------


def _text_converter(hint: Any) -> Convert:
    if hint is bytes:
        return lambda raw: raw
    if hint is str:
        return _text
    if hint is int:
        return lambda raw: _integer(_text(raw))
    if hint is bool:
        return lambda raw: _boolean(_text(raw))
    if hint in STRING_FORMS:
        convert = STRING_FORMS[hint]
        return lambda raw: convert(_text(raw))
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = {str(value): hint(value) for value in enum_values(hint)}
        return lambda raw: enum_member(members, hint, _text(raw))
    return _through_json(value_converter(hint))


def _through_json(convert: Convert) -> Convert:
    return lambda raw: convert(parse_json(raw))


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MismatchError("text in UTF-8", "other bytes") from None


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text) or int(text) not in INT_64:
        raise MismatchError("a whole number of 64 bits", "other text")
    return int(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise MismatchError("true or false", "other text")
    return text == "true"
