"""Whether what a transaction has read still stands: Fabric's multi-version concurrency check."""

from collections.abc import Mapping
from typing import Any, Literal

from medfab_chaincode.testing._range_reads import range_query_info
from medfab_chaincode.testing._read_write_set import NamespaceSet, ReadWriteSet, sha256
from medfab_chaincode.testing._world import (
    Key,
    Space,
    Updates,
    Version,
    Versioned,
    World,
    in_range,
)

Conflict = Literal["MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"]


def find_conflict(sets: ReadWriteSet, world: World, updates: Updates) -> Conflict | None:
    """Compare a read set with the state before the block and what the block changed so far."""
    for name in sorted(sets):
        each = sets[name]
        if not all(
            _is_current(Space(name), key, version, world, updates)
            for key, version in each.reads.items()
        ):
            return "MVCC_READ_CONFLICT"
        if not _ranges_are_current(name, each, world, updates):
            return "PHANTOM_READ_CONFLICT"
        for collection, private in each.collections.items():
            space = Space(name, collection)
            if not all(
                _is_current(space, sha256(key.encode()), version, world, updates)
                for key, version in private.reads.items()
            ):
                return "MVCC_READ_CONFLICT"
    return None


def _is_current(
    space: Space, key: Key, version: Version | None, world: World, updates: Updates
) -> bool:
    if (space, key) in updates:
        return False
    committed = world.get(space, key)
    return (None if committed is None else committed.version) == version


def _ranges_are_current(name: str, each: NamespaceSet, world: World, updates: Updates) -> bool:
    if not each.range_queries:
        return True
    table: dict[Key, Versioned] = dict(world.table(Space(name)))
    for (space, key), change in updates.items():
        if space == Space(name):
            if change is None:
                table.pop(key, None)
            else:
                table[key] = change
    return all(_again(info, table) == info for info in each.range_queries.values())


def _again(info: Any, table: Mapping[Key, Versioned]) -> Any:
    """Read a range once more, as far as it was read the first time."""
    found = in_range(table, info.start_key, info.end_key, with_end=not info.itr_exhausted)
    return range_query_info(
        info.start_key,
        info.end_key,
        exhausted=info.itr_exhausted,
        reads=((key, item.version) for key, item in found),
    )
