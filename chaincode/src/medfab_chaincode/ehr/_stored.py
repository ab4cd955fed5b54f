"""Read back what the contract has stored: JSON of its own dataclasses, so trusted in form."""

import dataclasses
import json
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


def load(kind: type[T], data: bytes) -> T:
    """Rebuild the dataclass ``kind`` from its canonical JSON."""
    built: T = _build(kind, json.loads(data))
    return built


def _build(kind: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{name: _build(hints[name], item) for name, item in value.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
