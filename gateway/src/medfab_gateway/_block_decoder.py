"""Bytes → `Block`. Pure.

Transactions are decoded later, by themselves: see `_block_transaction.py`.
"""

from __future__ import annotations

from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._block import Block
from medfab_gateway._block_transaction import block_transaction
from medfab_gateway._validation import validation_code_name
from medfab_gateway.errors import BlockDecodeError


def decode_block(block: Any) -> Block:
    """A block, from a `common.Block` or its bytes. Raises `BlockDecodeError`.

    A malformed transaction in it raises nothing: see `BlockTransaction.undecoded`.
    """
    raw: bytes = block if isinstance(block, bytes) else block.SerializeToString()
    if isinstance(block, bytes):
        try:
            block = common_pb2.Block.FromString(block)
        except DecodeError as error:
            raise BlockDecodeError(f"These {len(raw)} bytes are not a block.") from error
    header = block.header
    data = block.data.data
    codes = _validation_codes(block, len(data))
    return Block(
        number=header.number,
        previous_hash=header.previous_hash,
        data_hash=header.data_hash,
        transactions=tuple(
            [
                block_transaction(envelope, validation_code_name(code))
                for envelope, code in zip(data, codes, strict=True)
            ]
        ),
        raw=raw,
    )


_NOT_VALIDATED = bytes([transaction_pb2.NOT_VALIDATED])


def _validation_codes(block: Any, count: int) -> bytes:
    """One byte for each transaction; orderers write none."""
    metadata = block.metadata.metadata
    codes: bytes = b""
    if len(metadata) > common_pb2.TRANSACTIONS_FILTER:
        codes = metadata[common_pb2.TRANSACTIONS_FILTER]
    return codes[:count].ljust(count, _NOT_VALIDATED)
