"""A block of a channel: read-only data, as `decode_block` makes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fabric_protos.common import common_pb2

from medfab_gateway._block_hash import block_hash
from medfab_gateway._block_metadata import BlockMetadata, decode_metadata
from medfab_gateway._block_transaction import BlockTransaction
from medfab_gateway._lazy import lazy_property


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block of a channel.

    ::

        async with network.block_events(0, 1) as blocks:
            async for block in blocks:
                print(block.number, [each.transaction_id for each in block.transactions])
    """

    number: int
    previous_hash: bytes
    data_hash: bytes
    """SHA-256 of all the transactions' bytes."""

    transactions: tuple[BlockTransaction, ...]
    raw: bytes = field(repr=False)
    """The serialised `common.Block`."""

    @property
    def hash(self) -> bytes:
        """SHA-256 of the header in ASN.1: the `previous_hash` of the block that follows."""
        return block_hash(self.number, self.previous_hash, self.data_hash)

    @lazy_property
    def metadata(self) -> BlockMetadata:
        """What orderers and peers have added; decoded when it is first asked for."""
        return decode_metadata(common_pb2.Block.FromString(self.raw).metadata.metadata)
