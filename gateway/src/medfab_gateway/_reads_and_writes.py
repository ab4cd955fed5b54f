"""Single reads and writes of a transaction: read-only data, as in a block.

Keys and values are public to the channel, but are left out of every `repr`, so that a log line
does not carry them further.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """Where a value was written."""

    block_number: int
    transaction_number: int
    """Its index in that block, from 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A key that was read."""

    key: str = field(repr=False)
    version: Version | None
    """None: the key had no value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeQuery:
    """A range of keys that was read."""

    start_key: str = field(repr=False)
    end_key: str = field(repr=False)
    """Not part of the range; empty: to the end."""

    exhausted: bool
    """True: the contract read to the end of the range."""

    reads: tuple[Read, ...] | None
    """The keys found; None where the block holds only their hashes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """A key that was written or deleted."""

    key: str = field(repr=False)
    value: bytes = field(repr=False)
    is_delete: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MetadataWrite:
    """Metadata of a key that was written, such as its own endorsement policy."""

    key: str = field(repr=False)
    entries: Mapping[str, bytes] = field(repr=False)
    """By name, e.g. `VALIDATION_PARAMETER`; empty: removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HashedRead:
    """A private key that was read."""

    key_hash: bytes
    """SHA-256 of the key."""

    version: Version | None
    """None: the key had no value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HashedWrite:
    """A private key that was written, deleted or purged."""

    key_hash: bytes
    """SHA-256 of the key."""

    value_hash: bytes
    """SHA-256 of the value; empty where it is deleted."""

    is_delete: bool
    is_purge: bool
    """True: the value is removed from the past as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HashedMetadataWrite:
    """Metadata of a private key that was written."""

    key_hash: bytes
    """SHA-256 of the key."""

    entries: Mapping[str, bytes] = field(repr=False)
