"""Typed values to the contract's JSON and back, by their annotations.

Moments are whole milliseconds since 1970, tuples are lists, enumerations their values. What an
answer has in addition is ignored: a newer contract may say more.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import secrets
import types
import typing
from datetime import datetime
from typing import Any, TypeVar

from medfab_gateway.ehr._fhir_time import from_milliseconds, to_milliseconds

_T = TypeVar("_T")
_NONE = type(None)


def transient(value: object = None, /, **fields: object) -> bytes:
    """Encode a transient entry, with a salt: its hash, in the block, must not be guessable."""
    content = {} if value is None else to_wire(value)
    # In ASCII: half a surrogate pair then reaches the contract, which names the field that holds
    # it; encoding it here would raise an error that carries the whole text.
    salted = {**content, **to_wire(fields), "salt": secrets.token_hex(16)}
    return json.dumps(salted, separators=(",", ":")).encode()


def plain(value: object) -> bytes:
    """Encode a transient entry that is not kept, and needs no salt."""
    return json.dumps(to_wire(value), separators=(",", ":")).encode()


def to_wire(value: Any) -> Any:
    """``value`` as JSON; members that are None are left out."""
    match value:
        case enum.Enum():
            return value.value
        case datetime():
            return to_milliseconds(value)
        case tuple() | list():
            return [to_wire(item) for item in value]
        case dict():
            return {name: to_wire(item) for name, item in value.items() if item is not None}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_wire({name: getattr(value, name) for name in _fields(type(value))})
    return value


def from_wire(kind: type[_T], answer: bytes | str) -> _T:
    """Read a JSON answer as ``kind``."""
    return typing.cast(_T, decode(kind, json.loads(answer)))


def rows(kind: type[_T], answer: bytes | str) -> tuple[_T, ...]:
    """Read a JSON list of ``kind``."""
    return tuple(typing.cast(_T, decode(kind, row)) for row in json.loads(answer))


moment = from_milliseconds


def decode(kind: Any, value: Any) -> Any:
    """Make a ``kind`` of what was in JSON."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        (inner,) = [each for each in typing.get_args(kind) if each is not _NONE]
        return None if value is None else decode(inner, value)
    if origin is tuple:
        return tuple(decode(typing.get_args(kind)[0], item) for item in value)
    if kind is datetime:
        return from_milliseconds(value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _fields(kind)
        present = {name: value[name] for name in hints if name in value}
        return kind(**{name: decode(hints[name], item) for name, item in present.items()})
    return value


@functools.cache
def _fields(kind: type) -> dict[str, Any]:
    """Names and types of what goes over the wire."""
    hints = typing.get_type_hints(kind)
    return {
        field.name: hints[field.name]
        for field in dataclasses.fields(kind)
        if field.init and field.metadata.get("wire", True)
    }
