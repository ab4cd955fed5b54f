"""Fabric's messages as JSON, equal in content to configtxlator's. Pure.

protobuf's JSON mapping with the names of the fields as they are and fields that are not set
included; bytes that hold a message are that message. Which do, is in `_opaque_fields.py`.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from medfab_gateway._opaque_fields import may_hold_a_message, message_in

if TYPE_CHECKING:
    from medfab_gateway._block_json import Json

# Messages in messages in bytes: a block has eight; a transaction that is made to has any number.
_MAX_DEPTH = 20


def message_json(message: Any) -> dict[str, Json]:
    return _object(message, 0)


def _object(message: Any, depth: int) -> dict[str, Json]:
    return {
        field.name: _field(message, field, depth)
        for field in message.DESCRIPTOR.fields
        if not field.containing_oneof or message.HasField(field.name)
    }


def _field(message: Any, field: Any, depth: int) -> Json:
    value = getattr(message, field.name)
    if _is_map(field):
        return {str(key): _map_value(message, field, key, value[key], depth) for key in value}
    if field.label == FieldDescriptor.LABEL_REPEATED:
        return [_value(message, field, each, depth) for each in value]
    if field.message_type is not None and not message.HasField(field.name):
        return None
    if not value and may_hold_a_message(message, field.name):
        return None
    return _value(message, field, value, depth)


def _is_map(field: Any) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _map_value(message: Any, field: Any, key: str, value: Any, depth: int) -> Json:
    entry = field.message_type.fields_by_name["value"]
    if message.DESCRIPTOR.full_name == "common.ConfigGroup" and field.name == "values":
        decoded = _object(value, depth)
        held = message_in(message, key)
        decoded["value"] = _held(value.value, held, depth) if value.value else None
        return decoded
    return _value(message, entry, value, depth)


def _value(message: Any, field: Any, value: Any, depth: int) -> Json:
    """One value, of a field that is repeated or not."""
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _held(value, message_in(message, field.name), depth)
    if field.message_type is not None:
        if field.message_type.full_name == "google.protobuf.Timestamp":
            text: str = value.ToJsonString()
            return text
        return _object(value, depth)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return int(value) if known is None else str(known.name)
    if field.cpp_type in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64):
        return str(value)  # numbers in JSON are exact to 53 bits
    scalar: bool | int | float | str = value
    return scalar


def _held(value: bytes, message_type: Any, depth: int) -> Json:
    """The message in `value`; in base64 where there is none."""
    if message_type is not None and depth < _MAX_DEPTH:
        try:
            return _object(message_type.FromString(value), depth + 1)
        except (DecodeError, ValueError):  # ValueError: a timestamp out of range
            pass
    return base64.b64encode(value).decode("ascii")
