"""The ledger's state at one height: immutable, shared by everyone who has looked at it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from medfab_chaincode._results import KeyModification


class Version(NamedTuple):
    """Where a value was written; versions compare in the order of the chain."""

    block: int
    transaction: int
    """Its index in that block, from 0."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """A committed value."""

    value: bytes = field(repr=False)
    version: Version
    metadata: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """By name; Fabric knows `VALIDATION_PARAMETER`, the key's own endorsement policy."""


class Space(NamedTuple):
    """One table of keys: public state, the hashes of a collection, or its values at a peer."""

    chaincode: str
    collection: str = ""
    """Empty: public state."""
    holder: str = ""
    """The MSP id whose peer holds the private values; empty: the hashes, which all peers hold."""


Key = str | bytes
"""A key; in a space of hashes its SHA-256."""

Table = Mapping[Key, Versioned]
Updates = Mapping[tuple[Space, Key], Versioned | None]
"""What a block changes; None deletes. A deletion of what is not there counts as a change."""

_EMPTY: Table = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class World:
    """All tables and histories after a block."""

    tables: Mapping[Space, Table]
    histories: Mapping[tuple[str, str], tuple[KeyModification, ...]]
    """(chaincode, key) → its committed changes, oldest first."""

    height: int
    """The number of the next block."""

    def table(self, space: Space) -> Table:
        """Return one table, empty where nothing was ever written."""
        return self.tables.get(space, _EMPTY)

    def get(self, space: Space, key: Key) -> Versioned | None:
        """Return what is committed under a key, None where nothing is."""
        return self.table(space).get(key)

    def updated(self, updates: Updates) -> "World":
        """Return a world with these changes; tables that are not touched are shared."""
        tables = dict(self.tables)
        copies: dict[Space, dict[Key, Versioned]] = {}
        for (space, key), change in updates.items():
            if space not in copies:
                copies[space] = dict(self.table(space))
            if change is None:
                copies[space].pop(key, None)
            else:
                copies[space][key] = change
        return World({**tables, **copies}, self.histories, self.height)


def in_range(
    table: Table, start: str, end: str, *, with_end: bool = False
) -> Iterator[tuple[str, Versioned]]:
    """Yield the keys from `start` to `end` in their order; an empty `end` is no bound.

    Python orders text by code points, which is the order of its UTF-8 bytes in LevelDB.
    """
    keys = sorted(
        key
        for key in table
        if isinstance(key, str)
        and key >= start
        and (not end or key < end or (with_end and key == end))
    )
    for key in keys:
        yield key, table[key]
