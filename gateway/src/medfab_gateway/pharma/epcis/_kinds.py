"""How the parts of an EPCIS document are read and written, with every problem by its path."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from medfab_gateway.pharma._digital_link import from_link, parse_link
from medfab_gateway.pharma._epc import epc_parts
from medfab_gateway.pharma.epcis._vocabulary import Vocabulary
from medfab_gateway.pharma.errors import EpcisProblem, IdentifierError


@dataclass(frozen=True)
class Place:
    """Where in a document something is read; collects what is wrong."""

    problems: list[EpcisProblem]
    event: int | None
    path: str
    prefixes: Mapping[str, str]

    def below(self, step: str) -> Place:
        """A field, or `[index]`, of what is here."""
        dot = "." if self.path and not step.startswith("[") else ""
        return Place(self.problems, self.event, f"{self.path}{dot}{step}", self.prefixes)

    def wrong(self, message: str) -> None:
        """Take down a problem."""
        self.problems.append(
            EpcisProblem(event=self.event, field=self.path or "type", message=message)
        )


class Kind(ABC):
    """What a value has to be."""

    @abstractmethod
    def read(self, raw: Any, at: Place) -> Any:
        """The typed value; where `raw` is wrong, a problem is taken down and None returned."""

    def write(self, value: Any) -> Any:
        """For JSON."""
        return value


class Text(Kind):
    """Characters, at least one."""

    expected = "text"
    pattern = re.compile(r".+", re.DOTALL)

    def read(self, raw: Any, at: Place) -> Any:
        if not isinstance(raw, str) or not self.pattern.fullmatch(raw.strip()):
            at.wrong(f"{self.expected} was expected, not {shown(raw)}")
            return None
        return raw.strip()


class Uri(Text):
    """A URI, or a compact one."""

    expected = "a URI"
    pattern = re.compile(r"[A-Za-z][A-Za-z0-9+.\-_]*:[^\s<>\"{}|\\^`]+")


class Offset(Text):
    """The time zone of an event."""

    expected = "an offset such as +02:00"
    pattern = re.compile(r"[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00")


class Unit(Text):
    """A unit of measure: code of UN/ECE recommendation 20."""

    expected = "a unit such as CEL or KGM (UN/ECE recommendation 20)"
    pattern = re.compile(r"[A-Z0-9]{2,3}")


class Hex(Text):
    """Bytes in hexadecimal digits."""

    expected = "pairs of hexadecimal digits"
    pattern = re.compile(r"([0-9A-Fa-f]{2})+")


class Epc(Uri):
    """What an event is about; where it is an identifier of GS1's, its digits are checked."""

    def read(self, raw: Any, at: Place) -> Any:
        text = super().read(raw, at)
        if text is None:
            return None
        try:
            if text.startswith("urn:epc:"):
                epc_parts(text)
            elif text.startswith(("http://", "https://")):
                check_link(text)
        except IdentifierError as error:
            at.wrong(str(error))
            return None
        return text


def check_link(uri: str) -> None:
    """Check the digits of a Digital Link; any other web address is an identifier of its owner."""
    try:
        link = parse_link(uri)
    except IdentifierError:
        return
    if link.ai in ("00", "01", "414", "417", "8017", "8018"):
        from_link(uri)


class Time(Kind):
    """A moment with its time zone, kept in UTC."""

    _PATTERN = re.compile(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII
    )

    def read(self, raw: Any, at: Place) -> Any:
        found = self._PATTERN.fullmatch(raw.strip()) if isinstance(raw, str) else None
        if found is None:
            at.wrong(
                "a date and time with time zone was expected, e.g. 2026-07-22T06:45:00+02:00, "
                f"not {shown(raw)}"
            )
            return None
        text = found[0]
        if found["fraction"]:  # six digits at most, of which Python knows
            text = text.replace(found["fraction"], found["fraction"][:7].ljust(7, "0"))
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            at.wrong(f"there is no such moment as {raw}")
            return None

    def write(self, value: Any) -> Any:
        if value.tzinfo is None:
            raise ValueError("a time needs a time zone: use datetime.now(UTC) or similar")
        value = value.astimezone(UTC)
        digits = "microseconds" if value.microsecond % 1000 else "milliseconds"
        return value.isoformat(timespec=digits).replace("+00:00", "Z")


class Number(Kind):
    """A number, in its own digits."""

    def __init__(self, *, least: int | None = None) -> None:
        self._least = least

    def read(self, raw: Any, at: Place) -> Any:
        if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
            at.wrong(f"a number was expected, not {shown(raw)}")
            return None
        value = Decimal(str(raw))
        if self._least is not None and value < self._least:
            at.wrong(f"{raw} is less than {self._least}")
            return None
        return value

    def write(self, value: Any) -> Any:
        value = Decimal(str(value))
        return int(value) if value == value.to_integral_value() else value


class Boolean(Kind):
    """True or false."""

    def read(self, raw: Any, at: Place) -> Any:
        if not isinstance(raw, bool):
            at.wrong(f"true or false was expected, not {shown(raw)}")
            return None
        return raw


class OneOf(Kind):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def read(self, raw: Any, at: Place) -> Any:
        if raw not in self._words:
            at.wrong(f"{', '.join(self._words)} was expected, not {shown(raw)}")
            return None
        return raw


class Word(Kind):
    """A standard word in any of its forms, kept bare; or a URI of somebody's own.

    open: words that the list does not have are taken as they are.
    """

    def __init__(self, vocabulary: Vocabulary, *, open: bool = False) -> None:
        self._vocabulary = vocabulary
        self._open = open

    def read(self, raw: Any, at: Place) -> Any:
        name = self._vocabulary.name
        if not isinstance(raw, str):
            at.wrong(f"a {name} was expected, not {shown(raw)}")
            return None
        raw = raw.strip()
        bare = self._vocabulary.bare(raw)
        if bare is not None:
            return bare
        if self._open and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", raw):
            return raw
        if self._vocabulary.claims(raw) and not self._open:
            at.wrong(f"{shown(raw)} is not a {name} of CBV 2.0")
            return None
        if not Uri.pattern.fullmatch(raw):
            at.wrong(f"{shown(raw)} is not a {name} of CBV 2.0; one of your own needs to be a URI")
            return None
        return raw


class Many(Kind):
    """An array. least: how many there have to be."""

    def __init__(self, kind: Kind, *, least: int = 0, single: bool = False) -> None:
        self._kind = kind
        self._least = least
        self._single = single

    def read(self, raw: Any, at: Place) -> Any:
        if self._single and isinstance(raw, str):
            raw = [raw]
        if not isinstance(raw, list):
            at.wrong(f"an array was expected, not {shown(raw)}")
            return ()
        if len(raw) < self._least:
            at.wrong("is empty, and needs at least one element")
        return tuple(self._kind.read(each, at.below(f"[{n}]")) for n, each in enumerate(raw))

    def write(self, value: Any) -> Any:
        return [self._kind.write(each) for each in value]


_EXTENSION: Final = re.compile(r"([A-Za-z][A-Za-z0-9_.\-]*):(.+)")


class Thing(Kind):
    """An object with known fields, and with extensions where it may have some."""

    def __init__(
        self, of: type, fields: Mapping[str, tuple[str, Kind]], *, needed: Iterable[str] = (),
        extensible: bool = True,
    ) -> None:  # fmt: skip
        """fields: name in JSON → attribute and kind."""
        self._of = of
        self._fields = fields
        self._needed = tuple(needed)
        self._extensible = extensible

    def read(self, raw: Any, at: Place) -> Any:
        if not isinstance(raw, dict):
            at.wrong(f"an object was expected, not {shown(raw)}")
            return None
        values: dict[str, Any] = {}
        extensions: dict[str, Any] = {}
        for name in self._needed:
            if name not in raw:
                at.below(name).wrong("is missing")
        for name, value in raw.items():
            if name in self._fields:
                attribute, kind = self._fields[name]
                values[attribute] = kind.read(value, at.below(name))
            elif self._extensible and extension(name, value, at):
                extensions[name] = value
            elif not self._extensible or ":" not in name:
                at.below(name).wrong("is not a field of EPCIS 2.0 here")
        if self._extensible:
            values["extensions"] = extensions
        missing = [self._fields[name][0] for name in self._needed if name not in raw]
        return self._of(**{**dict.fromkeys(missing), **values})

    def write(self, value: Any) -> Any:
        written: dict[str, Any] = {}
        for name, (attribute, kind) in self._fields.items():
            each = getattr(value, attribute)
            if each is not None and each != ():
                written[name] = kind.write(each)
        if self._extensible:
            written |= value.extensions
        return written


def extension(name: str, value: Any, at: Place) -> bool:
    """Whether a field is an extension: its name begins with a prefix of the context."""
    found = _EXTENSION.fullmatch(name)
    if found is None:
        return False
    if found[1] not in at.prefixes and found[1] not in ("http", "https", "urn"):
        at.below(name).wrong(f"the prefix {found[1]!r} is not in @context")
        return True
    if _has_null(value):
        at.below(name).wrong("null is not a value in EPCIS")
    return True


def shown(raw: Any) -> str:
    """A value in a message: short."""
    text = repr(str(raw) if isinstance(raw, Decimal) else raw)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    if isinstance(value, list):
        return any(map(_has_null, value))
    return value is None
