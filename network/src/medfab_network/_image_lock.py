"""`images.lock`: what our images are made of, so that two builds make the same image.

Debian's packages by version and SHA-256, Python's by version (their digests are in uv.lock), and
Fabric's programs by the checksums of their Go modules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Package:
    """One of Debian's."""

    version: str
    sha256: str
    """Of the file that was fetched."""


def locked_packages(release: str, machine: str) -> dict[str, Package]:
    """By name, for a Debian release and a kind of machine; empty where nothing is locked."""
    found = _document()["debian"].get(f"{release}-{machine}", {})
    return {name: Package(**package) for name, package in found.items()}


def python_differences(versions: Mapping[str, str]) -> list[str]:
    """How installed distributions are not those of the lock, each for people to read."""
    locked = _document()["python"]
    return [
        f"{name} is {version}, locked is {locked.get(name, 'none')}"
        for name, version in sorted(versions.items())
        if locked.get(name) != version
    ]


def program_differences(keys: Mapping[str, str]) -> list[str]:
    """The same for Fabric's programs, by the checksums of their modules."""
    locked = _document()["programs"]
    return [
        f"{name} is built of other modules than the locked ones"
        for name, key in sorted(keys.items())
        if locked.get(name) != key
    ]


@cache
def _document() -> dict[str, Any]:
    text = resources.files("medfab_network").joinpath("data/images.lock").read_text()
    document: dict[str, Any] = json.loads(text)
    return document
