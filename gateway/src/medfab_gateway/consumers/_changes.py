"""What handlers of a projection are given: changes of the ledger, read-only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any

from medfab_gateway._block import Block
from medfab_gateway._block_transaction import BlockTransaction
from medfab_gateway._events._private_data import PrivateWrites


@dataclass(slots=True, eq=False)
class LedgerTransaction:
    """A transaction with its place on the ledger."""

    block_number: int
    number: int
    """Its index in the block, from 0."""

    decoded: BlockTransaction

    @property
    def transaction_id(self) -> str:
        return self.decoded.transaction_id

    @property
    def creator_msp_id(self) -> str:
        return self.decoded.creator.msp_id

    @property
    def wrong(self) -> str | None:
        """Why it could not be decoded; None normally."""
        return self.decoded._wrong

    @property
    def timestamp(self) -> datetime | None:
        """The clock of the creator, UTC."""
        return self.decoded.timestamp

    @property
    def function(self) -> str:
        """The function that was called, with its contract where it was named."""
        args = self.decoded.args
        return args[0].decode("utf-8", "replace").replace("\x00", "\ufffd") if args else ""


@dataclass(slots=True, eq=False)
class Written:
    """A key of public state that was written or deleted: `write["patient"]` is a part of it."""

    transaction: LedgerTransaction
    chaincode: str
    key: str = field(repr=False)
    attributes: Mapping[str, str] = field(repr=False)
    """The parts of the key that the pattern names."""

    value: bytes = field(repr=False)
    """Empty where it was deleted."""

    is_delete: bool

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def json(self) -> Any:
        """The value, which must be JSON."""
        return json.loads(self.value)


@dataclass(slots=True, eq=False)
class Emitted:
    """The event of a transaction."""

    transaction: LedgerTransaction
    chaincode: str
    name: str
    payload: bytes = field(repr=False)

    def json(self) -> Any:
        """The payload, which must be JSON."""
        return json.loads(self.payload)


@dataclass(slots=True, eq=False)
class PrivateWritten:
    """A private key with its new value. Deletions come to no handler: rows just go."""

    transaction: LedgerTransaction
    chaincode: str
    collection: str
    key: str = field(repr=False)
    attributes: Mapping[str, str] = field(repr=False)
    value: bytes = field(repr=False)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def json(self) -> Any:
        """The value, which must be JSON."""
        return json.loads(self.value)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a change was left out. No text of the error: it may hold what is private."""

    handler: str
    error: str
    """The type, and where in the program it was raised."""

    @classmethod
    def of(cls, error: BaseException, *, handler: str) -> Failure:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = ""
        if trace is not None:
            file = PurePath(trace.tb_frame.f_code.co_filename).name
            place = f" at {file}:{trace.tb_lineno}"
        return cls(handler=handler, error=f"{type(error).__name__}{place}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerBlock:
    """A block, and of its private data what could be read."""

    block: Block
    private_data: tuple[PrivateWrites, ...] = field(default=(), repr=False)
    unread: Mapping[tuple[str, int], Failure] = field(default_factory=dict)
    """By projection and number of the transaction: why private values could not be read."""


def private_source(chaincode: str, collection: str, key_hash: bytes) -> bytes:
    """What `derived_from` holds: SHA-256 over chaincode, collection and the hash of the key."""
    place = f"{chaincode}\x00{collection}\x00".encode()
    return hashlib.sha256(place + key_hash).digest()
