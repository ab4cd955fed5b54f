"""Types of protobuf derived from Fabric's, at run time: see `_deep_messages.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Held: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Of bytes fields, what they hold: by the full name of the message they are in, and by theirs."""


def derive_types(package: str, held_in: Held, *roots: Any) -> dict[str, Any]:
    """The types derived from Fabric's types `roots`, and from what they hold: by the full names of
    Fabric's.

    package: their own. held_in: see `_deep_messages.py`.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package.replace('.', '/')}.proto", package=package, syntax="proto3"
    )
    dependencies: set[str] = set()
    derived: set[str] = set()

    def derive(original: Any) -> str:
        """The type name of what stands for `original`; made, where it holds anything."""
        name = _derived_name(package, original.full_name)
        if original.full_name in derived:
            return name
        if not _holds(held_in, original):
            dependencies.add(original.file.name)
            return str(original.full_name)
        derived.add(original.full_name)
        message = descriptor_pb2.DescriptorProto()
        original.CopyToProto(message)
        message.name = original.full_name.replace(".", "_")
        held = held_in.get(original.full_name, {})
        for field in message.field:
            target = original.fields_by_name[field.name]
            if field.name in held:
                field.type = field.TYPE_MESSAGE
                field.label = field.LABEL_REPEATED
                field.type_name = f".{derive(held[field.name].DESCRIPTOR)}"
            elif target.message_type is not None and not target.message_type.containing_type:
                field.type_name = f".{derive(target.message_type)}"
            elif target.message_type is not None:  # a map: its entry is nested, and was copied
                field.type_name = f".{name}.{target.message_type.name}"
            elif target.enum_type is not None:
                dependencies.add(target.enum_type.file.name)
        file.message_type.append(message)
        return name

    for root in roots:
        derive(root.DESCRIPTOR)
    file.dependency.extend(sorted(dependencies))
    pool: Any = descriptor_pool.Default()  # type: ignore[no-untyped-call]
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(_derived_name(package, name))
        )
        for name in derived
    }


def _derived_name(package: str, name: str) -> str:
    return f"{package}.{name.replace('.', '_')}"


def _holds(held_in: Held, original: Any) -> bool:
    """Whether it, or a message in it, has a field in `held_in`."""
    return original.full_name in held_in or any(
        field.message_type is not None and _holds(held_in, field.message_type)
        for field in original.fields
    )
