"""What orderers and peers add to a block. `BlockMetadata`, and bytes → `BlockMetadata`; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.common import common_pb2

from medfab_gateway._transaction_decoder import DECODE_ERRORS, decode_creator, reason
from medfab_gateway._transaction_parts import Creator


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockSignature:
    """An orderer's signature over a block; nothing here has checked it."""

    signer: Creator | None
    """The orderer; None with BFT, where `consenter_id` names it."""

    consenter_id: int | None
    """Its id among the channel's consenters; None without BFT."""

    signature: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockMetadata:
    """What orderers and peers have added to a block. It is not part of the block's hash.

    ::

        print(block.metadata.last_config, len(block.metadata.signatures))
    """

    last_config: int | None
    """The number of the last block with a configuration; None where the block does not say."""

    signatures: tuple[BlockSignature, ...]

    consenter_metadata: bytes = field(repr=False)
    """Where consensus stood: with Raft a serialised `etcdraft.BlockMetadata`, with BFT SmartBFT's
    view metadata; empty in a genesis block."""

    commit_hash: bytes | None
    """SHA-256 over the peer's outcome of this block and of all before; the same at every peer of
    the channel. None in blocks that no peer has validated."""

    undecoded: str | None = None
    """Why (a part of) the metadata could not be decoded; None normally."""


def decode_metadata(entries: Sequence[bytes]) -> BlockMetadata:
    """entries: of `common.BlockMetadata`, by `common.BlockMetadataIndex`."""
    try:
        signed = _entry(entries, common_pb2.SIGNATURES)
        ordering = common_pb2.OrdererBlockMetadata.FromString(signed.value)
        last_config = ordering.last_config.index if ordering.HasField("last_config") else None
        if last_config is None and _has(entries, common_pb2.LAST_CONFIG):  # Fabric 1.x
            entry = _entry(entries, common_pb2.LAST_CONFIG)
            last_config = common_pb2.LastConfig.FromString(entry.value).index
        return BlockMetadata(
            last_config=last_config,
            signatures=tuple(_signature(each) for each in signed.signatures),
            consenter_metadata=ordering.consenter_metadata
            or _entry(entries, common_pb2.ORDERER).value,
            commit_hash=_entry(entries, common_pb2.COMMIT_HASH).value or None,
        )
    except DECODE_ERRORS as error:
        return BlockMetadata(
            last_config=None,
            signatures=(),
            consenter_metadata=b"",
            commit_hash=None,
            undecoded=reason(error),
        )


def _has(entries: Sequence[bytes], index: int) -> bool:
    return len(entries) > index and bool(entries[index])


def _entry(entries: Sequence[bytes], index: int) -> Any:
    """A `common.Metadata`; an empty one where the block has none at `index`."""
    return common_pb2.Metadata.FromString(entries[index] if _has(entries, index) else b"")


def _signature(signature: Any) -> BlockSignature:
    if signature.identifier_header:
        header = common_pb2.IdentifierHeader.FromString(signature.identifier_header)
        return BlockSignature(
            signer=None, consenter_id=header.identifier, signature=signature.signature
        )
    return BlockSignature(
        signer=decode_creator(signature.signature_header),
        consenter_id=None,
        signature=signature.signature,
    )
