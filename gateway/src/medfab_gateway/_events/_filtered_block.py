"""A block without what its transactions say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fabric_protos.common import common_pb2

from medfab_gateway._block import Block
from medfab_gateway._validation import validation_code_name


@dataclass(frozen=True, kw_only=True, slots=True)
class FilteredTransaction:
    """That a transaction is in the block, and whether it is valid."""

    transaction_id: str
    type: str
    """`ENDORSER_TRANSACTION`, `CONFIG`, … (`common.HeaderType`)."""

    validation_code: str
    """`VALID`, `MVCC_READ_CONFLICT`, …"""

    chaincode_name: str | None
    """Of the chaincode that emitted an event; None: there is no event."""

    event_name: str | None
    """Its event, without the payload; of no effect unless the transaction is valid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilteredBlock:
    """The outcome of each transaction of a block.

    ::

        async with network.filtered_block_events(0, 1) as blocks:
            async for block in blocks:
                print(block.number, [each.validation_code for each in block.transactions])
    """

    number: int
    channel_id: str
    transactions: tuple[FilteredTransaction, ...]


def decode_filtered_block(block: Any) -> FilteredBlock:
    """From a `protos.FilteredBlock`."""
    return FilteredBlock(
        number=block.number,
        channel_id=block.channel_id,
        transactions=tuple(map(_decode_transaction, block.filtered_transactions)),
    )


def filter_block(block: Block, *, channel_id: str) -> FilteredBlock:
    """The same of a whole block, for what a peer cannot filter."""
    return FilteredBlock(
        number=block.number,
        channel_id=channel_id,
        transactions=tuple(
            FilteredTransaction(
                transaction_id=transaction.transaction_id,
                type=transaction.type,
                validation_code=transaction.validation_code,
                chaincode_name=transaction.chaincode_name if transaction.event else None,
                event_name=transaction.event.name if transaction.event else None,
            )
            for transaction in block.transactions
        ),
    )


def _decode_transaction(transaction: Any) -> FilteredTransaction:
    # Fabric accepts no transaction of several actions, and an action has one event at most.
    events = [
        action.chaincode_event for action in transaction.transaction_actions.chaincode_actions
    ]
    known = transaction.type in common_pb2.HeaderType.values()
    return FilteredTransaction(
        transaction_id=transaction.txid,
        type=common_pb2.HeaderType.Name(transaction.type) if known else f"TYPE_{transaction.type}",
        validation_code=validation_code_name(transaction.tx_validation_code),
        chaincode_name=events[0].chaincode_id if events else None,
        event_name=events[0].event_name if events else None,
    )
