"""JSON as `_message_json.py` and configtxlator write it, back to Fabric's messages. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from medfab_gateway._opaque_fields import may_hold_a_message, message_in

if TYPE_CHECKING:
    from medfab_gateway._block_json import Json

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT64,
}


def message_from_json(message_type: Any, document: Json, where: str) -> Any:
    """A message of the type; `where` names the document in errors. Raises `ValueError`."""
    message = message_type()
    _fill(message, document, where)
    return message


def _fill(message: Any, document: Json, where: str) -> None:
    if not isinstance(document, Mapping):
        raise ValueError(f"{where} must be an object")
    fields = message.DESCRIPTOR.fields_by_name
    unknown = sorted(set(document) - set(fields))
    if unknown:
        raise ValueError(f"{where} has no {unknown[0]!r}; it has {', '.join(fields)}")
    # What bytes hold depends on fields beside them, which must be there by then.
    for name in sorted(document, key=lambda name: may_hold_a_message(message, name)):
        if document[name] is not None:
            _set(message, fields[name], document[name], f"{where}.{name}")


def _set(message: Any, field: Any, value: Json, where: str) -> None:
    target = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        if not isinstance(value, Mapping):
            raise ValueError(f"{where} must be an object")
        for key, each in value.items():
            _set_entry(message, field, key, each, f"{where}.{key}")
    elif field.label == FieldDescriptor.LABEL_REPEATED:
        if not isinstance(value, list):
            raise ValueError(f"{where} must be a list")
        for index, each in enumerate(value):
            place = f"{where}[{index}]"
            if field.message_type is not None:
                _fill(target.add(), each, place)
            else:
                target.append(_scalar(message, field, each, place))
    elif field.message_type is not None:
        if field.message_type.full_name == "google.protobuf.Timestamp":
            target.FromJsonString(value)
            return
        target.SetInParent()
        _fill(target, value, where)
    else:
        setattr(message, field.name, _scalar(message, field, value, where))


def _set_entry(message: Any, field: Any, key: str, value: Json, where: str) -> None:
    target = getattr(message, field.name)
    if field.message_type.fields_by_name["value"].message_type is None:
        target[key] = _scalar(message, field.message_type.fields_by_name["value"], value, where)
        return
    element = target[key]  # made by being asked for
    held = None
    if message.DESCRIPTOR.full_name == "common.ConfigGroup" and field.name == "values":
        held = message_in(message, key)
    if held is None or not isinstance(value, Mapping) or not isinstance(value.get("value"), dict):
        _fill(element, value, where)
        return
    _fill(element, {**value, "value": None}, where)
    element.value = _serialized(held, value["value"], f"{where}.value")


def _scalar(message: Any, field: Any, value: Json, where: str) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        if isinstance(value, dict):
            held = message_in(message, field.name)
            if held is None:
                raise ValueError(f"{where} cannot hold an object: base64 is expected")
            return _serialized(held, value, where)
        return _decoded(value, where)
    if field.enum_type is not None:
        known = field.enum_type.values_by_name.get(value) if isinstance(value, str) else None
        if known is None and not isinstance(value, int):
            names = ", ".join(field.enum_type.values_by_name)
            raise ValueError(f"{where} is {value!r}, which is none of {names}")
        return value if known is None else known.number
    try:
        if field.cpp_type in _INTEGERS and not isinstance(value, bool | float):
            return int(value)  # type: ignore[arg-type]
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL and not isinstance(value, bool):
            raise TypeError
    except (TypeError, ValueError):
        raise ValueError(f"{where} cannot be {value!r}") from None
    return value


def _serialized(held: Any, value: Json, where: str) -> bytes:
    serialized: bytes = message_from_json(held, value, where).SerializeToString(deterministic=True)
    return serialized


def _decoded(value: Json, where: str) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except binascii.Error:
        pass
    raise ValueError(f"{where} must be text in base64")
