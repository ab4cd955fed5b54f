"""What peers say of their ledgers and packages."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class JoinOutcome(enum.Enum):
    """What joining a channel came to."""

    JOINED = "joined"
    """The node has joined now."""
    ALREADY_JOINED = "already joined"
    """It had joined before; nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class ChainInfo:
    """The ledger of a channel at one peer."""

    height: int
    """Number of blocks; the newest is `height - 1`."""
    current_block_hash: bytes
    """Hash of the newest block's header."""
    previous_block_hash: bytes
    """Hash of the header of the block before it; empty for the genesis block."""


@dataclass(frozen=True, kw_only=True)
class InstalledChaincode:
    """A package on a peer."""

    package_id: str
    """`label:sha256`."""
    label: str
    """Label of the package."""
    references: dict[str, tuple[tuple[str, str], ...]]
    """Channel → (name, version) of the definitions that use it."""

    @classmethod
    def from_message(cls, message: Any) -> InstalledChaincode:
        """From an entry of `QueryInstalledChaincodesResult`."""
        return cls(
            package_id=message.package_id,
            label=message.label,
            references={
                channel: tuple(
                    (each.name, each.version) for each in message.references[channel].chaincodes
                )
                for channel in sorted(message.references)
            },
        )
