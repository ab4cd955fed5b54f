"""A block with the private data of its transactions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from medfab_gateway._block import Block, Write
from medfab_gateway._block_decoder import decode_block


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivateWrites:
    """What one transaction wrote into one collection."""

    transaction_number: int
    """Its index in the block, from 0."""

    namespace: str
    """The chaincode's name."""

    collection: str
    writes: tuple[Write, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockAndPrivateData:
    """A block, and of its private data what the peer has and the identity may see."""

    block: Block
    private_data: tuple[PrivateWrites, ...] = field(repr=False)


def decode_block_and_private_data(message: Any) -> BlockAndPrivateData:
    """From a `protos.BlockAndPrivateData`."""
    return BlockAndPrivateData(
        block=decode_block(message.block),
        private_data=tuple(
            PrivateWrites(
                transaction_number=number,
                namespace=namespace.namespace,
                collection=collection.collection_name,
                writes=_decode_writes(collection.rwset),
            )
            for number, transaction in sorted(message.private_data_map.items())
            for namespace in transaction.ns_pvt_rwset
            for collection in namespace.collection_pvt_rwset
        ),
    )


def _decode_writes(serialized: bytes) -> tuple[Write, ...]:
    return tuple(
        Write(key=write.key, value=write.value, is_delete=write.is_delete)
        for write in kv_rwset_pb2.KVRWSet.FromString(serialized).writes
    )
