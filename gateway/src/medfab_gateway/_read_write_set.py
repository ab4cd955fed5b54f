"""What a transaction read and wrote. Reads and writes are made when they are first asked for.

The messages are parsed before: nothing here fails on what a transaction holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from medfab_gateway._lazy import lazy_property
from medfab_gateway._reads_and_writes import (
    HashedMetadataWrite,
    HashedRead,
    HashedWrite,
    MetadataWrite,
    RangeQuery,
    Read,
    Version,
    Write,
)


@dataclass(frozen=True, kw_only=True)
class CollectionReadWriteSet:
    """What a transaction read and wrote in a private data collection: hashes alone."""

    collection: str

    private_hash: bytes
    """SHA-256 of the private read-write set; empty where nothing was written."""

    message: Any = field(repr=False)
    """A `kvrwset.HashedRWSet`."""

    @lazy_property
    def reads(self) -> tuple[HashedRead, ...]:
        return tuple(
            HashedRead(key_hash=read.key_hash, version=_version(read))
            for read in self.message.hashed_reads
        )

    @lazy_property
    def writes(self) -> tuple[HashedWrite, ...]:
        return tuple(
            HashedWrite(
                key_hash=write.key_hash,
                value_hash=write.value_hash,
                is_delete=write.is_delete,
                is_purge=write.is_purge,
            )
            for write in self.message.hashed_writes
        )

    @lazy_property
    def metadata_writes(self) -> tuple[HashedMetadataWrite, ...]:
        return tuple(
            HashedMetadataWrite(key_hash=write.key_hash, entries=_entries(write))
            for write in self.message.metadata_writes
        )


@dataclass(frozen=True, kw_only=True)
class Writes:
    """The writes of a `kvrwset.KVRWSet`, be it public or private."""

    message: Any = field(repr=False)
    """A `kvrwset.KVRWSet`."""

    @lazy_property
    def writes(self) -> tuple[Write, ...]:
        return tuple(
            Write(key=write.key, value=write.value, is_delete=write.is_delete)
            for write in self.message.writes
        )

    @lazy_property
    def metadata_writes(self) -> tuple[MetadataWrite, ...]:
        return tuple(
            MetadataWrite(key=write.key, entries=_entries(write))
            for write in self.message.metadata_writes
        )


@dataclass(frozen=True, kw_only=True)
class NamespaceReadWriteSet(Writes):
    """What a transaction read and wrote in the state of one chaincode.

    ::

        for namespace in block.transactions[0].read_write_sets:
            print(namespace.namespace, len(namespace.reads), len(namespace.writes))
    """

    namespace: str
    """The chaincode's name."""

    collections: tuple[CollectionReadWriteSet, ...]

    @lazy_property
    def reads(self) -> tuple[Read, ...]:
        return tuple(_read(read) for read in self.message.reads)

    @lazy_property
    def range_queries(self) -> tuple[RangeQuery, ...]:
        return tuple(_range_query(query) for query in self.message.range_queries_info)


def _range_query(query: Any) -> RangeQuery:
    found = query.WhichOneof("reads_info") == "raw_reads"
    return RangeQuery(
        start_key=query.start_key,
        end_key=query.end_key,
        exhausted=query.itr_exhausted,
        reads=tuple(_read(read) for read in query.raw_reads.kv_reads) if found else None,
    )


def _read(read: Any) -> Read:
    return Read(key=read.key, version=_version(read))


def _version(read: Any) -> Version | None:
    if not read.HasField("version"):
        return None
    version = read.version
    return Version(block_number=version.block_num, transaction_number=version.tx_num)


def _entries(write: Any) -> dict[str, bytes]:
    return {entry.name: entry.value for entry in write.entries}
