"""Read back what the contract has stored: the canonical JSON of its own dataclasses."""

from typing import Any, TypeVar, cast

from medfab_chaincode._convert import json_converter

T = TypeVar("T")


def load(kind: type[T], data: bytes) -> T:
    """Rebuild the dataclass ``kind``; a field added since must have a default."""
    hint: Any = kind
    return cast(T, json_converter(hint)(f"a stored {kind.__name__}", data))
