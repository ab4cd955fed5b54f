"""Whether a block continues what has been handled. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from medfab_gateway._block import Block
from medfab_gateway.consumers.errors import ChainError


@dataclass(frozen=True, kw_only=True)
class ChainPosition:
    """Where a consumer is on its channel."""

    next_block: int = 0
    last_hash: bytes | None = None
    """Of the header of the block before; None: there is none."""

    def after(self, block: Block, *, channel: str) -> ChainPosition:
        """The position behind `block`. Raises `ChainError` where it does not belong there."""
        if block.number != self.next_block:
            raise ChainError(
                f"Block {self.next_block} of channel {channel} is expected, and block "
                f"{block.number} came."
            )
        if self.last_hash is not None and block.previous_hash != self.last_hash:
            raise ChainError(
                f"Block {block.number} of channel {channel} does not follow the block that was "
                f"handled before it: it names {block.previous_hash.hex()[:16]}… as its "
                f"predecessor, which was {self.last_hash.hex()[:16]}…\n"
                "The peer has another ledger: a channel of the same name in another network, or "
                "a fork. Nothing was written. For another network, give the consumer another "
                "database or name; after a fork, find out which peer is right."
            )
        digest = hashlib.sha256()
        for transaction in block.transactions:
            digest.update(transaction.envelope)
        if digest.digest() != block.data_hash:
            raise ChainError(
                f"The transactions of block {block.number} of channel {channel} are not those "
                "that its header names: the peer sent, or keeps, a damaged block. Nothing was "
                "written."
            )
        for transaction in block.transactions[:1]:
            if transaction.validation_code == "VALID" and transaction.channel_id != channel:
                raise ChainError(
                    f"Block {block.number} is of channel {transaction.channel_id}, not {channel}."
                )
        return ChainPosition(next_block=block.number + 1, last_hash=block.hash)

    def check_last(self, block: Block, *, channel: str) -> None:
        """`block` is the last one that was handled, read again. Raises `ChainError`."""
        if self.last_hash is not None and block.hash != self.last_hash:
            raise ChainError(
                f"Block {block.number} of channel {channel} is not the one that was handled "
                f"before: its hash is {block.hash.hex()[:16]}…, and was "
                f"{self.last_hash.hex()[:16]}…\n"
                "The peer has another ledger: a channel of the same name in another network, or "
                "a fork. Nothing was written. For another network, give the consumer another "
                "database or name; after a fork, find out which peer is right."
            )
