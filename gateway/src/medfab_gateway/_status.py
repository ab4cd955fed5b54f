"""What became of a transaction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Status:
    """The outcome of a transaction."""

    code: str
    """The name of Fabric's validation code: `VALID`, `MVCC_READ_CONFLICT`, …"""

    successful: bool
    """True where the transaction is valid: its writes are in the ledger."""

    block_number: int
    """The block that holds it."""

    transaction_id: str
