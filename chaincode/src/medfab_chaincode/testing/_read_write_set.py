"""The read-write set of a transaction, built up during its simulation."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from medfab_chaincode.testing._range_reads import kv_read, proto_version
from medfab_chaincode.testing._world import Version

MetadataEntries = dict[str, bytes]


def sha256(value: bytes) -> bytes:
    """Return the hash under which a private key or value is known to all."""
    return hashlib.sha256(value).digest()


@dataclass(slots=True)
class CollectionSet:
    """What a transaction does in one private data collection."""

    reads: dict[str, Version | None] = field(default_factory=dict)
    writes: dict[str, bytes] = field(default_factory=dict)
    """Empty: deleted."""
    purges: set[str] = field(default_factory=set)
    """Those of the deleted keys whose past goes too."""
    metadata_writes: dict[str, MetadataEntries] = field(default_factory=dict)

    def private_bytes(self) -> bytes:
        """Return the serialised `KVRWSet` that the members get; empty if nothing is written."""
        return bytes(
            kv_rwset_pb2.KVRWSet(
                writes=[_write(key, self.writes[key]) for key in sorted(self.writes)],
                # The name alone: the entries are in the hashed set.
                metadata_writes=[
                    kv_rwset_pb2.KVMetadataWrite(key=key) for key in sorted(self.metadata_writes)
                ],
            ).SerializeToString()
        )

    def to_proto(self, name: str) -> Any:
        """Build the `CollectionHashedReadWriteSet` that everyone gets."""
        hashed = kv_rwset_pb2.HashedRWSet(
            hashed_reads=[_hashed_read(key, self.reads[key]) for key in sorted(self.reads)],
            hashed_writes=[self._hashed_write(key) for key in sorted(self.writes)],
            metadata_writes=[
                kv_rwset_pb2.KVMetadataWriteHash(
                    key_hash=sha256(key.encode()), entries=_entries(self.metadata_writes[key])
                )
                for key in sorted(self.metadata_writes)
            ],
        )
        private = self.private_bytes()
        return rwset_pb2.CollectionHashedReadWriteSet(
            collection_name=name,
            hashed_rwset=hashed.SerializeToString(),
            pvt_rwset_hash=sha256(private) if private else b"",
        )

    def _hashed_write(self, key: str) -> Any:
        value = self.writes[key]
        return kv_rwset_pb2.KVWriteHash(
            key_hash=sha256(key.encode()),
            is_delete=not value,
            value_hash=sha256(value) if value else b"",
            is_purge=key in self.purges,
        )


@dataclass(slots=True)
class NamespaceSet:
    """What a transaction does in the state of one chaincode."""

    reads: dict[str, Version | None] = field(default_factory=dict)
    range_queries: dict[tuple[str, str, bool], Any] = field(default_factory=dict)
    """(start, end, exhausted) → `RangeQueryInfo`; Fabric keeps the first of equal ones."""
    writes: dict[str, bytes] = field(default_factory=dict)
    """Empty: deleted."""
    metadata_writes: dict[str, MetadataEntries] = field(default_factory=dict)
    collections: defaultdict[str, CollectionSet] = field(
        default_factory=lambda: defaultdict(CollectionSet)
    )

    @property
    def writes_anything(self) -> bool:
        """Whether the chaincode's endorsement policy has a say in it."""
        return bool(
            self.writes
            or self.metadata_writes
            or any(each.writes or each.metadata_writes for each in self.collections.values())
        )

    def to_proto(self, name: str) -> Any:
        """Build the `NsReadWriteSet`."""
        public = kv_rwset_pb2.KVRWSet(
            reads=[kv_read(key, self.reads[key]) for key in sorted(self.reads)],
            range_queries_info=list(self.range_queries.values()),
            writes=[_write(key, self.writes[key]) for key in sorted(self.writes)],
            metadata_writes=[
                kv_rwset_pb2.KVMetadataWrite(key=key, entries=_entries(self.metadata_writes[key]))
                for key in sorted(self.metadata_writes)
            ],
        )
        return rwset_pb2.NsReadWriteSet(
            namespace=name,
            rwset=public.SerializeToString(),
            collection_hashed_rwset=[
                self.collections[each].to_proto(each) for each in sorted(self.collections)
            ],
        )


class ReadWriteSet(defaultdict[str, NamespaceSet]):
    """Chaincode → what the transaction does in its state."""

    def __init__(self) -> None:
        super().__init__(NamespaceSet)

    def to_bytes(self) -> bytes:
        """Return the serialised `TxReadWriteSet`: the bytes that a block holds."""
        message = rwset_pb2.TxReadWriteSet(
            data_model=rwset_pb2.TxReadWriteSet.KV,
            ns_rwset=[self[name].to_proto(name) for name in sorted(self)],
        )
        return bytes(message.SerializeToString())


def _write(key: str, value: bytes) -> Any:
    return kv_rwset_pb2.KVWrite(key=key, is_delete=not value, value=value)


def _hashed_read(key: str, version: Version | None) -> Any:
    read = kv_rwset_pb2.KVReadHash(key_hash=sha256(key.encode()))
    if version is not None:
        read.version.CopyFrom(proto_version(version))
    return read


def _entries(metadata: MetadataEntries) -> list[Any]:
    return [
        kv_rwset_pb2.KVMetadataEntry(name=name, value=metadata[name]) for name in sorted(metadata)
    ]
