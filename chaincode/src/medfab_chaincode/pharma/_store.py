"""Typed reads and writes of public state, and what keys are called."""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from medfab_chaincode import Stub, canonical_json, parse_state

from ._custody_policy import custody_policy
from ._keys import Kind
from ._model import Item

T = TypeVar("T")
U = TypeVar("U")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_VALUE_BYTES = 65_536
"""No value of this contract's public state is larger: many of them share one message."""


class Store:
    """One transaction's view. Reads see committed state only, never this transaction's writes."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    async def get(self, type_: type[T], kind: Kind, *attributes: str) -> T | None:
        """Read one entry; None if there is none. Reads of one tick share a message."""
        value = await self._stub.get_state(self.key(kind, *attributes))
        return None if value is None else parse_state(type_, value)

    async def get_many(
        self, type_: type[T], kind: Kind, names: Sequence[Sequence[str]]
    ) -> list[T | None]:
        """Read many entries in one message."""
        if not names:
            return []
        keys = [self.key(kind, *attributes) for attributes in names]
        values = await self._stub.get_states(keys, value_bytes=_VALUE_BYTES)
        return [None if value is None else parse_state(type_, value) for value in values]

    async def get_pairs(
        self, one: tuple[type[T], Kind], other: tuple[type[U], Kind], names: Sequence[str]
    ) -> list[tuple[T | None, U | None]]:
        """Read two kinds of entry for each name, in one message."""
        if not names:
            return []
        keys = [self.key(kind, name) for _, kind in (one, other) for name in names]
        values = await self._stub.get_states(keys, value_bytes=_VALUE_BYTES)
        firsts, seconds = values[: len(names)], values[len(names) :]
        return [
            (
                None if first is None else parse_state(one[0], first),
                None if second is None else parse_state(other[0], second),
            )
            for first, second in zip(firsts, seconds, strict=True)
        ]

    async def items(self, digests: Sequence[str]) -> list[Item | None]:
        """Read many items in one message."""
        return await self.get_many(Item, Kind.ITEM, [[digest] for digest in digests])

    async def range(
        self, type_: type[T], kind: Kind, *attributes: str
    ) -> list[tuple[list[str], T]]:
        """Read all entries whose key begins so: (the whole key's attributes, value)."""
        found = []
        async for item in self._stub.get_state_by_partial_composite_key(kind, attributes):
            _, names = self._stub.split_composite_key(item.key)
            found.append((names, parse_state(type_, item.value)))
        return found

    async def page(
        self, type_: type[T], kind: Kind, *attributes: str, size: int, bookmark: str
    ) -> tuple[list[tuple[list[str], T]], str]:
        """Read one page of such a range, and the bookmark of the next (empty: none)."""
        page = await self._stub.get_state_by_partial_composite_key_with_pagination(
            kind, attributes, size, bookmark
        )
        rows = [
            (self._stub.split_composite_key(row.key)[1], parse_state(type_, row.value))
            for row in page.items
        ]
        return rows, page.bookmark

    def put(self, kind: Kind, *attributes: str, value: object) -> None:
        """Write one entry."""
        self._stub.put_state(self.key(kind, *attributes), canonical_json(sparse(value)))

    def delete(self, kind: Kind, *attributes: str) -> None:
        """Delete one entry; never one with a policy of its own."""
        self._stub.delete_state(self.key(kind, *attributes))

    def guard(self, digest: str, authorities: tuple[str, ...], *parties: str) -> None:
        """Demand an authority's signature and one party's for an item's key from now on."""
        parameter = custody_policy(authorities, parties)
        self._stub.set_state_validation_parameter(self.key(Kind.ITEM, digest), parameter)

    def unguard(self, digest: str) -> None:
        """Return an item's key, which moves with its container now, to the chaincode's policy."""
        self._stub.set_state_validation_parameter(self.key(Kind.ITEM, digest), b"")

    def key(self, kind: Kind, *attributes: str) -> str:
        """Make a composite key."""
        return self._stub.create_composite_key(kind, attributes)


def alike(type_: type[T], source: object, **more: object) -> T:
    """Make a `type_` of the fields that it shares with `source`, and of `more`."""
    known = {each.name for each in fields(source)}  # type: ignore[arg-type]
    names = [each.name for each in fields(type_)]  # type: ignore[arg-type]
    shared = {name: getattr(source, name) for name in names if name in known}
    return type_(**shared | more)


def sparse(value: object) -> object:
    """Leave out what has its default: a unit's entry is a third as large."""
    if not hasattr(value, "__dataclass_fields__"):
        return value
    kept: dict[str, Any] = {}
    for each in fields(value):  # type: ignore[arg-type]
        own = getattr(value, each.name)
        made = each.default_factory() if each.default_factory is not MISSING else each.default
        if own != made:
            kept[each.name] = own
    return kept


def milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
