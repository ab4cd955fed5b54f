"""Where two endorsers' answers differ: named by keys, never by values."""

from collections.abc import Iterator, Mapping
from typing import Any

from medfab_chaincode.testing._endorser import Endorsement
from medfab_chaincode.testing._read_write_set import NamespaceSet


def differences(first: Endorsement, second: Endorsement) -> list[str]:
    """Say what differs between two answers, in the order of the chaincodes and keys."""
    return list(_differences(first, second))


def _differences(first: Endorsement, second: Endorsement) -> Iterator[str]:
    if (first.status, first.message) != (second.status, second.message):
        yield "the response's status or message"
    if first.result != second.result:
        yield "the result"
    if first.event != second.event:
        yield "the event"
    for name in sorted(first.sets.keys() | second.sets.keys()):
        ours = first.sets.get(name) or NamespaceSet()
        theirs = second.sets.get(name) or NamespaceSet()
        yield from _in_namespace(name, ours, theirs)


def _in_namespace(name: str, ours: NamespaceSet, theirs: NamespaceSet) -> Iterator[str]:
    yield from _keys(f"the reads of {name}", ours.reads, theirs.reads)
    if ours.range_queries != theirs.range_queries:
        yield f"the ranges read of {name}"
    yield from _keys(f"the writes to {name}", ours.writes, theirs.writes)
    yield from _keys(f"the policies set in {name}", ours.metadata_writes, theirs.metadata_writes)
    for collection in sorted(ours.collections.keys() | theirs.collections.keys()):
        mine, other = ours.collections[collection], theirs.collections[collection]
        where = f"{name}/{collection}"
        yield from _keys(f"the reads of {where}", mine.reads, other.reads)
        yield from _keys(f"the writes to {where}", mine.writes, other.writes)
        yield from _keys(f"the policies in {where}", mine.metadata_writes, other.metadata_writes)


def _keys(what: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    absent = object()
    keys = sorted(
        key
        for key in ours.keys() | theirs.keys()
        if ours.get(key, absent) != theirs.get(key, absent)
    )
    if keys:
        yield f"{what}: {', '.join(map(repr, keys))}"
