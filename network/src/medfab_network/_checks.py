"""Checks of what a document says; each names the place (`where`) and never guesses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from medfab_network.errors import TopologyError


def names(document: Mapping[str, Any], key: str, where: str, allowed: set[str]) -> tuple[str, ...]:
    names = [text(n, f"{where}.{key}") for n in sequence(document.get(key), f"{where}.{key}")]
    if not names:
        raise TopologyError(f"{where}.{key}: at least one is needed")
    for name in names:
        if name not in allowed:
            known = ", ".join(sorted(allowed))
            raise TopologyError(f"{where}.{key}: {name!r} is not one of {known}")
    unique(names, f"{where}.{key}")
    return tuple(names)


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TopologyError(f"{where}: a mapping is expected")
    return value


def sequence(value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TopologyError(f"{where}: a list is expected")
    return value


def text(value: Any, where: str, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or not value:
        raise TopologyError(f"{where}: text is expected")
    if pattern is not None and not pattern.fullmatch(value):
        raise TopologyError(f"{where}: {value!r} does not match {pattern.pattern}")
    return value


def integer(value: Any, where: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise TopologyError(f"{where}: a whole number from {low} to {high} is expected")
    return value


def boolean(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise TopologyError(f"{where}: true or false is expected")
    return value


def one_of(value: Any, where: str, *allowed: str) -> str:
    if value not in allowed:
        raise TopologyError(f"{where}: one of {', '.join(allowed)} is expected")
    return str(value)


def known_keys(document: Mapping[str, Any], where: str, keys: Sequence[str]) -> None:
    unknown = sorted(set(document) - set(keys), key=str)
    if unknown:
        raise TopologyError(
            f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(keys))}"
        )


def unique(values: Sequence[str], where: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise TopologyError(f"{where}: {value!r} occurs twice")
