"""The ledger explorer: blocks, transactions, and the history of every key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import ClassVar

from medfab_gateway._read_write_set import CollectionReadWriteSet, NamespaceReadWriteSet
from medfab_gateway.consumers._changes import LedgerBlock
from medfab_gateway.consumers._keys import readable_key
from medfab_gateway.consumers._projection import Projection, on_block
from medfab_gateway.consumers._tables import (
    BOOLEAN,
    BYTES,
    INTEGER,
    TEXT,
    TIME,
    Key,
    Operation,
    Row,
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

    Arguments and results are left out. Keys are as `readable_key` writes them; of those with more
    than 500 characters, the rest is a hash.
    """

    name: ClassVar[str] = "explorer"
    version: ClassVar[int] = 1
    tables: ClassVar[Sequence[Table]] = (BLOCKS, TRANSACTIONS, KEY_HISTORY, PRIVATE_HISTORY)
    views: ClassVar[Sequence[View]] = (
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

    # Every transaction of the channel comes through here, so rows are made without the checks of
    # `put`.

    @on_block
    def block(self, block: LedgerBlock) -> Iterator[Operation]:
        header = block.block
        block_number = header.number
        transactions: dict[Key, Row] = {}
        keys: dict[Key, Row] = {}
        hashes: dict[Key, Row] = {}
        valid = 0
        for number, transaction in enumerate(header.transactions):
            code = transaction.validation_code
            args = transaction.args
            event = transaction.event
            transactions[block_number, number] = (
                block_number,
                number,
                _indexable(_text(transaction.transaction_id)),
                transaction.type,
                code,
                _text(transaction.creator.msp_id),
                transaction.timestamp,
                _text(transaction.chaincode_name or "") or None,
                _text(args[0].decode("utf-8", "replace")) if args else None,
                None if event is None else _text(event.name),
            )
            if code == "VALID":
                valid += 1
                for namespace in transaction.read_write_sets:
                    if self.chaincode is None or namespace.namespace == self.chaincode:
                        self._add_keys(keys, namespace, block_number, number)
                        for collection in namespace.collections:
                            _add_hashes(
                                hashes, namespace.namespace, collection, block_number, number
                            )
        yield Operation("rows", TRANSACTIONS, (), transactions)
        yield Operation("rows", KEY_HISTORY, (), keys)
        yield Operation("rows", PRIVATE_HISTORY, (), hashes)
        yield BLOCKS.row(
            block_number,
            header.hash,
            header.previous_hash,
            header.data_hash,
            len(header.transactions),
            valid,
        )

    def _add_keys(
        self, rows: dict[Key, Row], namespace: NamespaceReadWriteSet, block: int, number: int
    ) -> None:
        chaincode = _text(namespace.namespace)
        for write in namespace.writes:
            key = (chaincode, _indexable(readable_key(write.key)), block, number)
            if write.is_delete:
                rows[key] = (*key, True, None, None)
            else:
                value = write.value
                digest = hashlib.sha256(value).digest()
                rows[key] = (*key, False, digest, value if self._values else None)


def _add_hashes(
    rows: dict[Key, Row],
    chaincode: str,
    collection: CollectionReadWriteSet,
    block: int,
    number: int,
) -> None:
    chaincode, name = _text(chaincode), _text(collection.collection)
    for hashed in collection.writes:
        key = (chaincode, name, hashed.key_hash, block, number)
        rows[key] = (*key, hashed.value_hash or None, hashed.is_delete, hashed.is_purge)


def _text(text: str) -> str:
    """A member of the channel may have put U+0000 anywhere."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def _indexable(text: str) -> str:
    """Whoever writes a key of many kilobytes must not stop an index: the rest is a hash."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}…{hashlib.sha256(text.encode()).hexdigest()}"


_LONGEST = 500  # characters: four bytes each at most, and PostgreSQL indexes 2,700
