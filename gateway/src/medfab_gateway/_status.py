"""What became of a transaction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Status:
    """The outcome of a transaction.

    ::

        status = await network.commit(transaction_id).status()
        if not status.successful:
            print(status.transaction_id, "changed nothing:", status.code)
    """

    code: str
    """The name of Fabric's validation code: `VALID`, `MVCC_READ_CONFLICT`, …"""

    successful: bool
    """True where the transaction is valid: its writes are in the ledger."""

    block_number: int
    """The block that holds it."""

    transaction_id: str
