"""Which keys of the state a handler is for. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medfab_gateway.consumers.errors import DeclarationError

_SEPARATOR = "\x00"
_FIELD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


@dataclass(frozen=True, kw_only=True)
class KeyPattern:
    """Keys of one form, and names for their parts. Made by `composite`, `plain` and `any_key`."""

    object_type: str | None = None
    """Of composite keys; None: a plain key, or any."""

    names: tuple[str, ...] = ()
    regex: re.Pattern[str] | None = None
    """Of plain keys; None: a composite key, or any."""

    def match(self, key: str) -> Mapping[str, str] | None:
        """The parts by name; None where the key is of another form."""
        if self.object_type is not None:
            parts = key.split(_SEPARATOR)
            if len(parts) != len(self.names) + 3 or parts[0] or parts[-1]:
                return None
            if parts[1] != self.object_type:
                return None
            return dict(zip(self.names, parts[2:-1], strict=True))
        if self.regex is None:
            return {}
        found = self.regex.fullmatch(key)
        return found.groupdict() if found else None


def composite(object_type: str, *names: str) -> KeyPattern:
    """Composite keys of that object type with so many attributes; the names are for the handler.

    `composite("access", "patient", "request")` is for what the contract writes with
    `create_composite_key("access", [patient, request])`.
    """
    if not object_type or _SEPARATOR in object_type:
        raise DeclarationError("The object type of a composite key is a text without U+0000.")
    _check_names(names)
    return KeyPattern(object_type=object_type, names=names)


def plain(pattern: str) -> KeyPattern:
    """Keys that are not composite: `plain("asset-{number}")`. A field matches any text."""
    if not pattern or _SEPARATOR in pattern:
        raise DeclarationError("A plain key is a text without U+0000; see composite().")
    names = _FIELD.findall(pattern)
    _check_names(names)
    texts = _FIELD.split(pattern)[::2]
    regex = re.escape(texts[0])
    for name, text in zip(names, texts[1:], strict=True):
        regex += f"(?P<{name}>[^\\x00]+?){re.escape(text)}"
    return KeyPattern(names=tuple(names), regex=re.compile(regex, re.DOTALL))


def any_key() -> KeyPattern:
    """Every key, composite or not."""
    return KeyPattern()


def composite_key(object_type: str, *attributes: str) -> str:
    """The key itself, as the shim's `create_composite_key` makes it."""
    return _SEPARATOR + _SEPARATOR.join((object_type, *attributes)) + _SEPARATOR


def readable_key(key: str) -> str:
    r"""A key as text that every database takes: U+0000 as `\0`, a backslash as `\\`.

    PostgreSQL has no U+0000 in texts, and composite keys are full of it.
    """
    if "\x00" in key or "\\" in key:
        return key.replace("\\", "\\\\").replace("\x00", "\\0")
    return key


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not name.isidentifier():
            raise DeclarationError(f"{name!r} cannot be the name of a part of a key.")
    if len(set(names)) != len(names):
        raise DeclarationError(f"The parts of a key need different names: {', '.join(names)}.")
