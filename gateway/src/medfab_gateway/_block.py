"""What is in a block: read-only data, as `decode_block` makes it.

Values, arguments and payloads are public to the channel, but are left out of every `repr`, so
that a log line does not carry them further.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """Where a value was written."""

    block_number: int
    transaction_number: int
    """Its index in that block, from 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A key that was read."""

    key: str
    version: Version | None
    """None: the key had no value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeQuery:
    """A range of keys that was read."""

    start_key: str
    end_key: str
    """Not part of the range; empty: to the end."""

    exhausted: bool
    """True: the contract read to the end of the range."""

    reads: tuple[Read, ...] | None
    """The keys found; None where the block holds only their hashes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """A key that was written or deleted."""

    key: str
    value: bytes = field(repr=False)
    is_delete: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MetadataWrite:
    """Metadata of a key that was written, such as its own endorsement policy."""

    key: str
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


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionReadWriteSet:
    """What a transaction read and wrote in a private data collection: hashes alone."""

    collection: str
    reads: tuple[HashedRead, ...]
    writes: tuple[HashedWrite, ...]
    metadata_writes: tuple[HashedMetadataWrite, ...]
    private_hash: bytes
    """SHA-256 of the private read-write set; empty where nothing was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamespaceReadWriteSet:
    """What a transaction read and wrote in the state of one chaincode."""

    namespace: str
    """The chaincode's name."""

    reads: tuple[Read, ...]
    range_queries: tuple[RangeQuery, ...]
    writes: tuple[Write, ...]
    metadata_writes: tuple[MetadataWrite, ...]
    collections: tuple[CollectionReadWriteSet, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChaincodeResponse:
    """What the contract answered when it was endorsed."""

    status: int
    message: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChaincodeEvent:
    """The event that the contract emitted; of no effect unless the transaction is valid."""

    name: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Creator:
    """Who made a transaction, as it is written in it: checked only if the transaction is valid."""

    msp_id: str
    certificate: bytes = field(repr=False)
    """PEM, for X.509 identities."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockTransaction:
    """One transaction of a block; whether it had an effect is for `validation_code` to say.

    Fields of a kind that the transaction does not have are empty or None: a configuration has no
    chaincode, for example.
    """

    transaction_id: str
    channel_id: str
    type: str
    """`ENDORSER_TRANSACTION`, `CONFIG`, … (`common.HeaderType`)."""

    timestamp: datetime | None
    """The clock of the creator, UTC, to the microsecond."""

    creator: Creator
    validation_code: str
    """`VALID`, `MVCC_READ_CONFLICT`, …; `NOT_VALIDATED` in blocks that no peer has validated."""

    chaincode_name: str | None = None
    args: tuple[bytes, ...] = field(default=(), repr=False)
    """The name of the function, then its arguments."""

    response: ChaincodeResponse | None = None
    event: ChaincodeEvent | None = None
    endorser_msp_ids: tuple[str, ...] = ()
    read_write_sets: tuple[NamespaceReadWriteSet, ...] = ()

    config: bytes | None = field(default=None, repr=False)
    """A serialised `common.ConfigEnvelope`, where `type` is `CONFIG`."""

    undecoded: str | None = None
    """Why (a part of) the transaction could not be decoded; None normally. Members of a channel
    can put malformed transactions into a block; peers mark them invalid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A block of a channel."""

    number: int
    hash: bytes
    """SHA-256 of the header in ASN.1: the `previous_hash` of the block that follows."""

    previous_hash: bytes
    data_hash: bytes
    """SHA-256 of all the transactions' bytes."""

    transactions: tuple[BlockTransaction, ...]
    raw: bytes = field(repr=False)
    """The serialised `common.Block`."""
