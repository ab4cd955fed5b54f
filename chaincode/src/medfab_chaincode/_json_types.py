"""From parsed JSON to typed values: strict, and silent about what the values are.

Nothing is coerced: `1` is no `str` and no `bool`, `"1"` is no `int`, unknown fields are refused.
"""

import base64
import binascii
import dataclasses
import re
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from medfab_chaincode.errors import ChaincodeError, DefinitionError

Convert = Callable[[Any], Any]
"""Takes what the JSON parser (or the argument's text) gave; raises `MismatchError`."""

INT_64 = range(-(2**63), 2**63)
"""What an `int` may be: the whole numbers that the other languages' contracts can hold."""

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class MismatchError(Exception):
    """What was expected and what kind came; the path grows while it travels outwards."""

    def __init__(self, expected: str, came: str) -> None:
        super().__init__()
        self.expected = expected
        self.came = came
        self.path = ""

    def inside(self, step: str) -> "MismatchError":
        """Put one more step, `.field` or `[index]`, before the path."""
        self.path = step + self.path
        return self


def value_converter(hint: Any) -> Convert:
    """Compile the converter of one type hint.

    Raises `DefinitionError` for a hint that has no form on the wire.
    """
    inner, optional = without_none(hint)
    if optional:
        convert = value_converter(inner)
        return lambda value: None if value is None else convert(value)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if hint in STRING_FORMS:
        form = STRING_FORMS[hint]
        return lambda value: form(_json_string(value))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list and len(arguments) == 1:
        return _array(value_converter(arguments[0]), list)
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return _array(value_converter(arguments[0]), tuple)
    if origin is dict and len(arguments) == 2 and arguments[0] is str:
        return _mapping(value_converter(arguments[1]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enumeration(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record(hint)
    raise DefinitionError(
        f"{hint!r} has no form on the wire: use str, int, bool, bytes, Decimal, datetime, an enum,"
        " a dataclass, list[X], tuple[X, ...], dict[str, X] or X | None (and no float: two peers"
        " may round differently)"
    )


def without_none(hint: Any) -> tuple[Any, bool]:
    """Split `X | None` into (X, True); anything else is (hint, False)."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    members = [member for member in typing.get_args(hint) if member is not types.NoneType]
    if len(members) != 1:
        raise DefinitionError(f"{hint!r} could be several things: only X | None can be a union")
    return members[0], True


def _exactly(kind: type, expected: str) -> Convert:
    def convert(value: Any) -> Any:
        if type(value) is not kind:  # `isinstance` would take true for 1
            raise MismatchError(expected, _kind(value))
        return value

    return convert


def _json_string(value: Any) -> str:
    if type(value) is not str:
        raise MismatchError("a string", _kind(value))
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            # JSON can spell half a character ("\ud800"); no ledger and no peer can hold it.
            raise MismatchError("a string", "half a surrogate pair") from None
    return value


def _json_integer(value: Any) -> int:
    if type(value) is not int or value not in INT_64:
        raise MismatchError("a whole number of 64 bits", _kind(value))
    return value


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MismatchError("base64", "another string") from None


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise MismatchError("a decimal number in a string", "another string")
    return Decimal(text)


def _moment(text: str) -> datetime:
    # fromisoformat alone takes week dates, missing zones and more.
    try:
        if _RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise MismatchError("a date and time as in RFC 3339, to the microsecond", "another string")


def _array(convert: Convert, build: Callable[[list[Any]], Any]) -> Convert:
    def convert_array(value: Any) -> Any:
        if type(value) is not list:
            raise MismatchError("an array", _kind(value))
        items = []
        for index, item in enumerate(value):
            try:
                items.append(convert(item))
            except MismatchError as mismatch:
                raise mismatch.inside(f"[{index}]") from None
        return build(items)

    return convert_array


def _mapping(convert: Convert) -> Convert:
    def convert_mapping(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise MismatchError("an object", _kind(value))
        try:
            return {_json_string(key): convert(item) for key, item in value.items()}
        except MismatchError as mismatch:
            # The name is the caller's data: not repeated.
            raise mismatch.inside("[*]") from None

    return convert_mapping


def enum_values(kind: type[Enum]) -> list[str | int]:
    """Return the values of an enum's members.

    Raises `DefinitionError` if one is neither text nor a whole number, or two look the same as
    the text of an argument.
    """
    values = [member.value for member in kind]
    if not all(type(value) in (str, int) for value in values):
        raise DefinitionError(f"the values of {kind.__name__} must be texts or whole numbers")
    if len({str(value) for value in values}) != len(values):
        raise DefinitionError(f"two values of {kind.__name__} are the same text")
    return values


def _enumeration(kind: type[Enum]) -> Convert:
    # By type as well: 1 == True, and both would find the member of value 1.
    members = {(type(value), value): kind(value) for value in enum_values(kind)}

    def convert(value: Any) -> Any:
        if not isinstance(value, str | int):
            raise MismatchError(f"one of {kind.__name__}", _kind(value))
        return enum_member(members, kind, (type(value), value))

    return convert


def enum_member(members: dict[Any, Any], kind: type[Enum], value: Any) -> Any:
    """Look a member up by its value."""
    try:
        return members[value]
    except KeyError:
        raise MismatchError(f"one of {kind.__name__}", "another value") from None


def _record(kind: type[Any]) -> Convert:
    known = _RECORDS.get(kind)
    if known is not None:
        return known
    converters: dict[str, Convert] = {}
    required: set[str] = set()

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            raise MismatchError(f"an object ({kind.__name__})", _kind(value))
        if not value.keys() <= converters.keys():
            # The unknown name is the caller's data: not repeated.
            raise MismatchError(f"no other fields than {kind.__name__}'s", "an unknown field")
        missing = required - value.keys()
        if missing:
            raise MismatchError("a value", "nothing").inside(f".{min(missing)}")
        fields = {}
        for name, item in value.items():
            try:
                fields[name] = converters[name](item)
            except MismatchError as mismatch:
                raise mismatch.inside(f".{name}") from None
        try:
            return kind(**fields)
        except (ValueError, TypeError) as error:
            if isinstance(error, ChaincodeError):
                raise
            # `from None`: __post_init__ may quote the value.
            raise MismatchError(f"a valid {kind.__name__}", "an invalid one") from None

    # Known before its fields are compiled: a class may hold itself.
    _RECORDS[kind] = convert
    try:
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            if not field.init:
                raise DefinitionError(f"its field {field.name!r} has init=False")
            converters[field.name] = value_converter(hints[field.name])
            if field.default is field.default_factory is dataclasses.MISSING:
                required.add(field.name)
    except (DefinitionError, NameError) as error:
        del _RECORDS[kind]
        raise DefinitionError(f"{kind.__name__} cannot be read from JSON: {error}") from error
    return convert


def _kind(value: Any) -> str:
    """Name the JSON kind of a value: all that an error may say about it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


_RECORDS: dict[type[Any], Convert] = {}

STRING_FORMS: dict[Any, Callable[[str], Any]] = {Decimal: _decimal, datetime: _moment}

_SCALARS: dict[Any, Convert] = {
    str: _json_string,
    bool: _exactly(bool, "true or false"),
    int: _json_integer,
    bytes: lambda value: _base64(_json_string(value)),
}
