"""From type hints to the JSON schemas of the metadata, as fabric-contract-api-go writes them."""

import dataclasses
import typing
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from medfab_chaincode._json_types import enum_values, without_none
from medfab_chaincode.errors import DefinitionError

Schema = dict[str, Any]

_PATH = "#/components/schemas/"

_SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    bytes: {"type": "string", "format": "byte"},
    Decimal: {"type": "string", "format": "decimal"},
    datetime: {"type": "string", "format": "date-time"},
}

_ENUM_TYPES = {str: "string", int: "integer"}


class Schemas:
    """Schemas of one chaincode; those of its dataclasses are collected in `components`."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}
        """From a dataclass's name to its schema."""
        self._kinds: dict[str, type[Any]] = {}

    def schema_of(self, hint: Any, *, path: str = _PATH) -> Schema:
        """Return the schema of one hint.

        path: before the name of a dataclass; a component refers to another by the name alone,
        relative to its own `$id`.

        `X | None` allows null, except for a dataclass: the official schema of contracts has no
        way to say that of a reference. `Any` (of a result) is the empty schema.

        Raises `DefinitionError` for a hint that has no form on the wire.
        """
        inner, optional = without_none(hint)
        if optional:
            return _or_null(self.schema_of(inner, path=path))
        if hint in _SCALARS:
            return dict(_SCALARS[hint])
        if hint is Any:
            return {}
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (list, tuple):
            return {"type": "array", "items": self.schema_of(arguments[0], path=path)}
        if origin is dict:
            values = self.schema_of(arguments[1], path=path)
            return {"type": "object", "additionalProperties": values}
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _enumeration(hint)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            self._add(hint)
            return {"$ref": path + hint.__name__}
        raise DefinitionError(f"{hint!r} has no form on the wire")

    def _add(self, kind: type[Any]) -> None:
        name = kind.__name__
        if self._kinds.setdefault(name, kind) is not kind:
            raise DefinitionError(f"two dataclasses have the name {name!r}: clients see it")
        if name in self.components:
            return
        properties: Schema = {}
        required: list[str] = []
        component = {"$id": name, "properties": properties, "additionalProperties": False}
        # Before its fields: a class may hold itself.
        self.components[name] = component
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            properties[field.name] = self.schema_of(hints[field.name], path="")
            if field.default is field.default_factory is dataclasses.MISSING:
                required.append(field.name)
        if required:
            component["required"] = required


def _enumeration(kind: type[Enum]) -> Schema:
    values = enum_values(kind)
    named = sorted({_ENUM_TYPES[type(value)] for value in values})
    return {"type": named[0] if len(named) == 1 else named, "enum": values}


def _or_null(schema: Schema) -> Schema:
    if "type" not in schema:
        return schema
    known = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    nullable = {**schema, "type": [*known, "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable
