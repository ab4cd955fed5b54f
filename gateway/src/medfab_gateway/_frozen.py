"""Frozen dataclasses, made without their `__init__`.

That goes through `object.__setattr__` for every field, which takes three times as long as setting
the slots themselves; and a block holds thousands of such objects.

    set_key, set_version = setters(Read)
    read = new(Read)
    set_key(read, "k")
    set_version(read, None)

One without slots has its fields in its `__dict__`, where they can be put likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

new = object.__new__


def setters(kind: type) -> tuple[Callable[[Any, Any], None], ...]:
    """For each field of a dataclass with slots, in their order, what sets it in an instance.

    All must be set before anybody else sees the instance.
    """
    return tuple(getattr(kind, each.name).__set__ for each in fields(kind))
