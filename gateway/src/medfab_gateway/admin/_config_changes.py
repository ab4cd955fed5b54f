"""What a configuration update does to a configuration: waits, is in force, or has been overtaken.

Pure. An update names every element by its version, so this can be told without its history.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fabric_protos.common import configtx_pb2

from medfab_gateway.admin._config_update import content_of, parse_config


class UpdateState(enum.Enum):
    """How an update stands to a configuration."""

    PENDING = "pending"
    """It fits, and is not in force."""
    IN_FORCE = "in force"
    """The configuration has what it asks for."""
    OVERTAKEN = "overtaken"
    """The configuration has changed since the update was made: it would be refused."""


@dataclass(frozen=True, kw_only=True)
class ConfigChange:
    """One element that an update adds, changes or removes."""

    action: str
    """`add`, `change` or `remove`."""
    kind: str
    """`group`, `value` or `policy`."""
    path: str
    """Where in the tree, `/Channel/Application/HospitalMSP/MSP`."""
    mod_policy: str
    """The policy that the change must satisfy, as a path; of what is added, that of its group."""


def update_state(config: bytes, update: bytes) -> UpdateState:
    """How the `common.ConfigUpdate` stands to the `common.Config`; both serialised."""
    parsed = configtx_pb2.ConfigUpdate.FromString(update)
    channel_group = parse_config(config).channel_group
    found = {*_states(parsed.read_set, parsed.write_set, channel_group)}
    if UpdateState.OVERTAKEN in found or len(found) != 1:
        return UpdateState.OVERTAKEN
    return found.pop()


def config_changes(config: bytes, update: bytes) -> tuple[ConfigChange, ...]:
    """What the update would do to the configuration, outer groups first.

    Also what would be removed, which the update itself does not name. Says nothing of use where
    `update_state` is not `PENDING`.
    """
    parsed = configtx_pb2.ConfigUpdate.FromString(update)
    channel_group = parse_config(config).channel_group
    return tuple(_changes(parsed.write_set, channel_group, "/Channel"))


_KINDS = (("policies", "policy"), ("values", "value"), ("groups", "group"))


def _states(read: Any, write: Any, current: Any) -> Iterator[UpdateState]:
    """`read`, `current`: None where there is nothing of that name."""
    if read is None or write.version > read.version:
        yield _modified(write, current)
    elif current is None or current.version != read.version:
        yield UpdateState.OVERTAKEN
    if write.DESCRIPTOR.name != "ConfigGroup":
        return
    for kind, _ in _KINDS:
        for name in getattr(write, kind):
            yield from _states(
                _member(read, kind, name), getattr(write, kind)[name], _member(current, kind, name)
            )


def _modified(write: Any, current: Any) -> UpdateState:
    if current is None:
        return UpdateState.PENDING if write.version == 0 else UpdateState.OVERTAKEN
    if current.version == write.version:
        return UpdateState.IN_FORCE if _says_the_same(write, current) else UpdateState.OVERTAKEN
    return UpdateState.PENDING if current.version == write.version - 1 else UpdateState.OVERTAKEN


def _says_the_same(write: Any, current: Any) -> bool:
    if write.mod_policy != current.mod_policy:
        return False
    if write.DESCRIPTOR.name == "ConfigGroup":
        return all(set(getattr(write, k)) == set(getattr(current, k)) for k, _ in _KINDS)
    return content_of(write) == content_of(current)


def _changes(write: Any, current: Any, path: str) -> Iterator[ConfigChange]:
    """Of a group that both have."""
    for kind, kind_name in _KINDS:
        written, there = getattr(write, kind), getattr(current, kind)
        for name in sorted(written):
            place = f"{path}/{name}"
            if name not in there:
                yield _change("add", kind_name, place, current.mod_policy, path)
            elif kind != "groups" and written[name].version > there[name].version:
                yield _change("change", kind_name, place, there[name].mod_policy, path)
        if write.version > current.version:
            for name in sorted(set(there) - set(written)):
                yield _change("remove", kind_name, f"{path}/{name}", current.mod_policy, path)
    if write.version > current.version and write.mod_policy != current.mod_policy:
        yield _change("change", "group", path, current.mod_policy, path)
    for name in sorted(write.groups):
        if name in current.groups:
            yield from _changes(write.groups[name], current.groups[name], f"{path}/{name}")


def _change(action: str, kind: str, path: str, mod_policy: str, group: str) -> ConfigChange:
    absolute = mod_policy if mod_policy.startswith("/") else f"{group}/{mod_policy}"
    return ConfigChange(action=action, kind=kind, path=path, mod_policy=absolute)


def _member(group: Any, kind: str, name: str) -> Any:
    if group is None or name not in getattr(group, kind):
        return None
    return getattr(group, kind)[name]
