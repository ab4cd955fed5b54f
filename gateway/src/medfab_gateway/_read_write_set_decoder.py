"""`rwset.TxReadWriteSet` bytes → `NamespaceReadWriteSet`s. Pure."""

from __future__ import annotations

from typing import Any

from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from medfab_gateway._block import (
    CollectionReadWriteSet,
    HashedMetadataWrite,
    HashedRead,
    HashedWrite,
    MetadataWrite,
    NamespaceReadWriteSet,
    RangeQuery,
    Read,
    Version,
    Write,
)


def decode_read_write_sets(serialized: bytes) -> tuple[NamespaceReadWriteSet, ...]:
    """What a transaction read and wrote, by chaincode. Raises protobuf's `DecodeError`."""
    sets = rwset_pb2.TxReadWriteSet.FromString(serialized)
    return tuple(_namespace(entry) for entry in sets.ns_rwset)


def _namespace(entry: Any) -> NamespaceReadWriteSet:
    public = kv_rwset_pb2.KVRWSet.FromString(entry.rwset)
    return NamespaceReadWriteSet(
        namespace=entry.namespace,
        reads=tuple(_read(read) for read in public.reads),
        range_queries=tuple(_range_query(query) for query in public.range_queries_info),
        writes=tuple(
            Write(key=write.key, value=write.value, is_delete=write.is_delete)
            for write in public.writes
        ),
        metadata_writes=tuple(
            MetadataWrite(key=write.key, entries=_entries(write))
            for write in public.metadata_writes
        ),
        collections=tuple(_collection(hashed) for hashed in entry.collection_hashed_rwset),
    )


def _collection(entry: Any) -> CollectionReadWriteSet:
    hashed = kv_rwset_pb2.HashedRWSet.FromString(entry.hashed_rwset)
    return CollectionReadWriteSet(
        collection=entry.collection_name,
        reads=tuple(
            HashedRead(key_hash=read.key_hash, version=_version(read))
            for read in hashed.hashed_reads
        ),
        writes=tuple(
            HashedWrite(
                key_hash=write.key_hash,
                value_hash=write.value_hash,
                is_delete=write.is_delete,
                is_purge=write.is_purge,
            )
            for write in hashed.hashed_writes
        ),
        metadata_writes=tuple(
            HashedMetadataWrite(key_hash=write.key_hash, entries=_entries(write))
            for write in hashed.metadata_writes
        ),
        private_hash=entry.pvt_rwset_hash,
    )


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
    return Version(block_number=read.version.block_num, transaction_number=read.version.tx_num)


def _entries(write: Any) -> dict[str, bytes]:
    return {entry.name: entry.value for entry in write.entries}
