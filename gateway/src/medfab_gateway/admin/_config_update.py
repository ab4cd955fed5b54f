"""The update that leads from one channel configuration to another. Pure.

What fabric's `configtxlator compute_update` gives (`internal/configtxlator/update`): of every
group on the way to a change the version, of every changed element the new content with the version
after the present one. A group whose members are added or removed lists all that it shall have.
"""

from __future__ import annotations

from typing import Any

from fabric_protos.common import configtx_pb2

from medfab_gateway.admin.errors import ConfigError, NoChangeError


def compute_update(channel_name: str, original: bytes, modified: bytes) -> bytes:
    """A serialised `common.ConfigUpdate`.

    Args:
        channel_name: The channel of both.
        original: The serialised `common.Config` in force.
        modified: The serialised `common.Config` that shall be.

    Raises:
        NoChangeError: Nothing differs.
        ConfigError: One of the two is no configuration.
    """
    before, after = (parse_config(each).channel_group for each in (original, modified))
    read_set, write_set, differs = _group(before, after)
    if not differs:
        raise NoChangeError(
            f"Nothing would change in the configuration of {channel_name}: it is like this already"
        )
    update = configtx_pb2.ConfigUpdate(
        channel_id=channel_name, read_set=read_set, write_set=write_set
    )
    return serialize(update)


def parse_config(serialized: bytes) -> Any:
    """A `common.Config` with a channel group; raises `ConfigError`."""
    try:
        config = configtx_pb2.Config.FromString(serialized)
    except ValueError as error:  # DecodeError is one
        raise ConfigError("The bytes are no channel configuration (common.Config)") from error
    if not config.HasField("channel_group"):
        raise ConfigError("The configuration has no channel group (common.Config)")
    return config


def serialize(message: Any) -> bytes:
    """The same bytes each time, also of messages with maps."""
    serialized: bytes = message.SerializeToString(deterministic=True)
    return serialized


_KINDS = ("policies", "values", "groups")


def _group(before: Any, after: Any) -> tuple[Any, Any, bool]:
    """Read set, write set, and whether anything differs."""
    read_set = configtx_pb2.ConfigGroup(version=before.version)
    write_set = configtx_pb2.ConfigGroup(version=before.version)
    same: list[tuple[str, str, Any]] = []
    differs = False
    for kind in _KINDS:
        old, new = getattr(before, kind), getattr(after, kind)
        for name in old:
            if name not in new:
                continue
            read, write, changed = _element(kind, old[name], new[name])
            if not changed:
                same.append((kind, name, read))
                continue
            differs = True
            if read is not None:
                getattr(read_set, kind)[name].CopyFrom(read)
            getattr(write_set, kind)[name].CopyFrom(write)
        for name in new:
            if name not in old:
                getattr(write_set, kind)[name].CopyFrom(_new_element(kind, new[name]))
    members_differ = any(set(getattr(before, k)) != set(getattr(after, k)) for k in _KINDS)
    if members_differ or before.mod_policy != after.mod_policy:
        write_set.version = before.version + 1
        write_set.mod_policy = after.mod_policy
        for kind, name, read in same:
            getattr(read_set, kind)[name].CopyFrom(read)
            getattr(write_set, kind)[name].CopyFrom(read)
        differs = True
    return read_set, write_set, differs


def _element(kind: str, before: Any, after: Any) -> tuple[Any, Any, bool]:
    """Of an element that stays: what is read, what is written, and whether it differs."""
    if kind == "groups":
        return _group(before, after)
    message_type = type(before)
    if before.mod_policy == after.mod_policy and content_of(before) == content_of(after):
        return message_type(version=before.version), None, False
    written = message_type()
    written.CopyFrom(after)
    written.version = before.version + 1
    return None, written, True


def _new_element(kind: str, element: Any) -> Any:
    written = type(element)()
    written.CopyFrom(element)
    written.version = 0
    if kind == "groups":
        for below in _KINDS:
            members = getattr(written, below)
            for name in members:
                members[name].CopyFrom(_new_element(below, members[name]))
    return written


def content_of(element: Any) -> object:
    """What a `ConfigValue` or `ConfigPolicy` says, comparable."""
    if element.DESCRIPTOR.name == "ConfigValue":
        return bytes(element.value)
    return element.policy if element.HasField("policy") else None
