"""What a transaction read and wrote. Reads and writes are made when they are first asked for.

The messages are parsed before: nothing here fails on what a transaction holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from medfab_gateway._frozen import new, setters
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
        found = []
        for message in self.message.hashed_reads[:]:
            read = new(HashedRead)
            _set_read_key_hash(read, message.key_hash)
            _set_read_hash_version(read, _version(message) if message.HasField("version") else None)
            found.append(read)
        return tuple(found)

    @lazy_property
    def writes(self) -> tuple[HashedWrite, ...]:
        found = []
        for message in self.message.hashed_writes[:]:
            write = new(HashedWrite)
            _set_key_hash(write, message.key_hash)
            _set_value_hash(write, message.value_hash)
            _set_is_hash_delete(write, message.is_delete)
            _set_is_purge(write, message.is_purge)
            found.append(write)
        return tuple(found)

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
        found = []
        for message in self.message.writes[:]:
            write = new(Write)
            _set_key(write, message.key)
            _set_value(write, message.value)
            _set_is_delete(write, message.is_delete)
            found.append(write)
        return tuple(found)

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
        return _reads(self.message.reads)

    @lazy_property
    def range_queries(self) -> tuple[RangeQuery, ...]:
        return tuple(_range_query(query) for query in self.message.range_queries_info)


def _range_query(query: Any) -> RangeQuery:
    found = query.WhichOneof("reads_info") == "raw_reads"
    return RangeQuery(
        start_key=query.start_key,
        end_key=query.end_key,
        exhausted=query.itr_exhausted,
        reads=_reads(query.raw_reads.kv_reads) if found else None,
    )


def read_write_set_of(message: Any) -> NamespaceReadWriteSet:
    """From a (deep) `rwset.NsReadWriteSet`."""
    namespace = message.namespace
    sets = message.rwset
    collections = message.collection_hashed_rwset[:]
    if namespace == _LIFECYCLE and sets and not collections:
        serialized = sets[-1].SerializeToString()
        if len(serialized) <= _LONGEST_DEFINITION:
            return _definition(serialized)
    public = sets[-1] if sets else kv_rwset_pb2.KVRWSet()
    return _namespace(namespace, public, tuple([_collection(each) for each in collections]))


_LIFECYCLE = "_lifecycle"
_LONGEST_DEFINITION = 4096  # bytes: nobody shall be able to fill the memory through the cache


@lru_cache(maxsize=256)
def _definition(serialized: bytes) -> NamespaceReadWriteSet:
    """serialized: a `kvrwset.KVRWSet`. Every call reads the definition of its chaincode: the same
    keys, in the same version until there is another definition."""
    return _namespace(_LIFECYCLE, kv_rwset_pb2.KVRWSet.FromString(serialized), ())


def _namespace(
    namespace: str, public: Any, collections: tuple[CollectionReadWriteSet, ...]
) -> NamespaceReadWriteSet:
    made = new(NamespaceReadWriteSet)
    fields = made.__dict__
    fields["namespace"] = namespace
    fields["message"] = public
    fields["collections"] = collections
    return made


def _collection(message: Any) -> CollectionReadWriteSet:
    made = new(CollectionReadWriteSet)
    fields = made.__dict__
    fields["collection"] = message.collection_name
    fields["private_hash"] = message.pvt_rwset_hash
    sets = message.hashed_rwset
    fields["message"] = sets[-1] if sets else kv_rwset_pb2.HashedRWSet()
    return made


_set_read_key, _set_read_version = setters(Read)
_set_key, _set_value, _set_is_delete = setters(Write)
_set_read_key_hash, _set_read_hash_version = setters(HashedRead)
_set_key_hash, _set_value_hash, _set_is_hash_delete, _set_is_purge = setters(HashedWrite)


def _reads(messages: Any) -> tuple[Read, ...]:
    found = []
    for message in messages[:]:
        read = new(Read)
        _set_read_key(read, message.key)
        _set_read_version(read, _version(message) if message.HasField("version") else None)
        found.append(read)
    return tuple(found)


def _version(read: Any) -> Version:
    version = read.version
    return _version_of(version.block_num, version.tx_num)


@lru_cache(maxsize=4096)
def _version_of(block_number: int, transaction_number: int) -> Version:
    """What was written together is read together."""
    return Version(block_number=block_number, transaction_number=transaction_number)


def _entries(write: Any) -> dict[str, bytes]:
    return {entry.name: entry.value for entry in write.entries}
