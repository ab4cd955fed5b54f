"""A block with the private data of its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._block import Block
from medfab_gateway._block_decoder import decode_block
from medfab_gateway._read_write_set import Writes


@dataclass(frozen=True, kw_only=True)
class PrivateWrites(Writes):
    """What one transaction wrote into one collection."""

    transaction_number: int
    """Its index in the block, from 0."""

    namespace: str
    """The chaincode's name."""

    collection: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockAndPrivateData:
    """A block, and of its private data what the peer has and the identity may see.

    ::

        async with network.block_and_private_data_events(0, 1) as blocks:
            async for each in blocks:
                for written in each.private_data:
                    print(each.block.number, written.collection, len(written.writes))
    """

    block: Block

    private_data: tuple[PrivateWrites, ...] = field(repr=False)
    """A collection that cannot be decoded is left out: whoever endorsed the transaction may have
    made it so, and that must not stop the reader."""


def decode_block_and_private_data(message: Any) -> BlockAndPrivateData:
    """From a `protos.BlockAndPrivateData`."""
    return BlockAndPrivateData(
        block=decode_block(message.block),
        private_data=tuple(
            writes
            for number, transaction in sorted(message.private_data_map.items())
            for writes in _decode_writes(number, transaction)
        ),
    )


def _decode_writes(number: int, transaction: Any) -> Iterator[PrivateWrites]:
    for namespace in transaction.ns_pvt_rwset:
        for collection in namespace.collection_pvt_rwset:
            try:
                written = kv_rwset_pb2.KVRWSet.FromString(collection.rwset)
            except DecodeError:
                continue
            yield PrivateWrites(
                transaction_number=number,
                namespace=namespace.namespace,
                collection=collection.collection_name,
                message=written,
            )
