"""The ledger explorer: blocks, transactions, and the history of every key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from medfab_gateway.consumers._changes import LedgerBlock, LedgerTransaction
from medfab_gateway.consumers._keys import readable_key
from medfab_gateway.consumers._projection import Projection, on_block, on_transaction
from medfab_gateway.consumers._tables import (
    BOOLEAN,
    BYTES,
    INTEGER,
    TEXT,
    TIME,
    Operation,
    Table,
    View,
    optional,
)

BLOCKS = Table(
    "ledger_blocks",
    {
        "number": INTEGER,
        "hash": BYTES,
        "previous_hash": BYTES,
        "data_hash": BYTES,
        "transactions": INTEGER,
        "valid_transactions": INTEGER,
    },
    key=["number"],
)
TRANSACTIONS = Table(
    "ledger_transactions",
    {
        "block": INTEGER,
        "number": INTEGER,
        "transaction_id": TEXT,
        "type": TEXT,
        "validation_code": TEXT,
        "creator_msp_id": TEXT,
        "created_at": optional(TIME),
        "chaincode": optional(TEXT),
        "function": optional(TEXT),
        "event": optional(TEXT),
    },
    key=["block", "number"],
    indexes=[["transaction_id"]],
)
KEY_HISTORY = Table(
    "ledger_key_history",
    {
        "chaincode": TEXT,
        "key": TEXT,
        "block": INTEGER,
        "number": INTEGER,
        "is_delete": BOOLEAN,
        "value_hash": optional(BYTES),
        "value": optional(BYTES),
    },
    key=["chaincode", "key", "block", "number"],
)
PRIVATE_HISTORY = Table(
    "ledger_private_history",
    {
        "chaincode": TEXT,
        "collection": TEXT,
        "key_hash": BYTES,
        "block": INTEGER,
        "number": INTEGER,
        "value_hash": optional(BYTES),
        "is_delete": BOOLEAN,
        "is_purge": BOOLEAN,
    },
    key=["chaincode", "collection", "key_hash", "block", "number"],
)


class Explorer(Projection):
    """What any member of the channel can see on it, as tables.

    Arguments and results are left out. Keys are as `readable_key` writes them.
    """

    name = "explorer"
    version = 1
    tables = (BLOCKS, TRANSACTIONS, KEY_HISTORY, PRIVATE_HISTORY)
    views = (
        View(
            name="ledger_keys",
            query=(
                "SELECT chaincode, key, block, number, value_hash, value FROM ("
                "SELECT *, row_number() OVER (PARTITION BY chaincode, key "
                "ORDER BY block DESC, number DESC) AS newest FROM ledger_key_history) AS history "
                "WHERE newest = 1 AND is_delete = FALSE"
            ),
        ),
    )

    def __init__(self, *, chaincode: str | None = None, values: bool = True) -> None:
        """chaincode: only its keys; None: those of all chaincodes. values: False keeps hashes of
        the values alone."""
        super().__init__(chaincode=chaincode)
        self._values = values

    @on_block
    def block(self, block: LedgerBlock) -> Iterator[Operation]:
        header = block.block
        valid = 0
        for number, transaction in enumerate(header.transactions):
            code = transaction.validation_code
            valid += code == "VALID"
            event = transaction.event
            args = transaction.args
            yield TRANSACTIONS.row(
                header.number,
                number,
                _text(transaction.transaction_id),
                transaction.type,
                code,
                _text(transaction.creator.msp_id),
                transaction.timestamp,
                _text(transaction.chaincode_name),
                _text(args[0].decode("utf-8", "replace")) if args else None,
                _text(event.name) if event is not None else None,
            )
        yield BLOCKS.row(
            header.number,
            header.hash,
            header.previous_hash,
            header.data_hash,
            len(header.transactions),
            valid,
        )

    @on_transaction
    def keys(self, transaction: LedgerTransaction) -> Iterator[Operation]:
        block, number = transaction.block_number, transaction.number
        for namespace in transaction.decoded.read_write_sets:
            chaincode = namespace.namespace
            if self.chaincode is not None and chaincode != self.chaincode:
                continue
            for write in namespace.message.writes:
                value = None if write.is_delete else write.value
                yield KEY_HISTORY.row(
                    chaincode,
                    readable_key(write.key),
                    block,
                    number,
                    write.is_delete,
                    None if value is None else hashlib.sha256(value).digest(),
                    value if self._values else None,
                )
            for collection in namespace.collections:
                for hashed in collection.message.hashed_writes:
                    yield PRIVATE_HISTORY.row(
                        chaincode,
                        collection.collection,
                        hashed.key_hash,
                        block,
                        number,
                        hashed.value_hash or None,
                        hashed.is_delete,
                        hashed.is_purge,
                    )


def _text(text: str | None) -> str | None:
    """A member of the channel may have put U+0000 anywhere."""
    return text.replace("\x00", "\ufffd") if text and "\x00" in text else text
