"""Parsed JSON → typed values, for what a dataclass can say."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable
from typing import Any

Reader = Callable[[Any], Any]

_PLAIN = {str: "text", bool: "true or false", types.NoneType: "null"}


class MismatchError(Exception):
    """What was expected, and where; never what was there."""

    def __init__(self, expected: str, path: str = "") -> None:
        super().__init__(f"{expected} was expected" + (f" at {path}" if path else ""))
        self.expected = expected
        self.path = path

    def below(self, step: str) -> MismatchError:
        """The same, seen from one level further up."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return MismatchError(self.expected, f"{step}{dot}{self.path}")


def reader_of(kind: Any) -> Reader:
    """The function that reads a value of type `kind`. Raises `TypeError` for other types."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return lambda value: value
    if kind in _PLAIN or kind is None:
        return _plain(types.NoneType if kind is None else kind)
    if kind in (int, float):
        return _number(kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _object(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _one_of(kind.__name__, {member.value: member for member in kind})
    if origin is typing.Literal:
        return _one_of("one of the literals", {value: value for value in arguments})
    if origin in (typing.Union, types.UnionType):
        others = [argument for argument in arguments if argument is not types.NoneType]
        return _union([reader_of(other) for other in others], nullable=len(others) < len(arguments))
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return _array(origin, reader_of(arguments[0]))
    if origin is dict and arguments[0] is str:
        return _mapping(reader_of(arguments[1]))
    raise TypeError(f"JSON cannot be read as {kind!r}.")


def _plain(kind: type) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise MismatchError(_PLAIN[kind])
        return value

    return read


def _number(kind: type[int] | type[float]) -> Reader:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | kind):
            raise MismatchError("a whole number" if kind is int else "a number")
        return kind(value)

    return read


def _one_of(name: str, values: dict[Any, Any]) -> Reader:
    def read(value: Any) -> Any:
        # By type too: True == 1 in Python, and not in JSON.
        if isinstance(value, dict | list) or value not in values:
            raise MismatchError(name)
        return values[value]

    return read


def _union(readers: list[Reader], *, nullable: bool) -> Reader:
    def read(value: Any) -> Any:
        if value is None and nullable:
            return None
        for reader in readers[:-1]:
            try:
                return reader(value)
            except MismatchError:
                continue
        return readers[-1](value)

    return read


def _array(kind: type, item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise MismatchError("an array")
        return kind(_at(f"[{index}]", item, entry) for index, entry in enumerate(value))

    return read


def _mapping(item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise MismatchError("an object")
        # The keys may be patient data: the place is not named.
        return {key: _at("[…]", item, entry) for key, entry in value.items()}

    return read


def _object(kind: Any) -> Reader:
    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    required = {
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    readers = {field.name: reader_of(hints[field.name]) for field in fields}

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise MismatchError(f"an object ({kind.__name__})")
        for name in required - value.keys():
            raise MismatchError("a value", name)
        found = {
            name: _at(name, reader, value[name])
            for name, reader in readers.items()
            if name in value
        }
        try:
            return kind(**found)
        except (TypeError, ValueError):
            raise MismatchError(f"what {kind.__name__} accepts") from None

    return read


def _at(step: str, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except MismatchError as error:
        raise error.below(step) from None
