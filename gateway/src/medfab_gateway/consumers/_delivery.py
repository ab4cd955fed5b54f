"""What sinks get: the events of valid transactions, or the transactions themselves. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from medfab_gateway.consumers._changes import LedgerBlock, LedgerTransaction
from medfab_gateway.consumers.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which transactions a sink is told of."""

    chaincode: str | None = None
    """None: of every chaincode."""

    events: Sequence[str] | None = None
    """Names of events; None: all events."""

    what: str = "events"
    """`events`; or `transactions`: all valid ones, without arguments and results."""

    def __post_init__(self) -> None:
        if self.what not in ("events", "transactions"):
            raise ConfigurationError(f"`what` is events or transactions, not {self.what!r}.")
        if self.events is not None and self.what == "transactions":
            raise ConfigurationError("`events` selects events; with transactions, leave it out.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One event or transaction. The same for the same place on the ledger, whenever it comes."""

    channel: str
    transaction: LedgerTransaction
    chaincode: str | None
    event: str | None
    """None: the transaction itself."""

    payload: bytes = field(repr=False, default=b"")

    @property
    def id(self) -> str:
        """`channel/block/transaction`: to recognise what has come before."""
        place = self.transaction
        return f"{self.channel}/{place.block_number}/{place.number}"

    def document(self) -> dict[str, Any]:
        """As JSON: what files and webhooks get."""
        transaction = self.transaction
        timestamp = transaction.timestamp
        document: dict[str, Any] = {
            "id": self.id,
            "channel": self.channel,
            "block": transaction.block_number,
            "transaction_number": transaction.number,
            "transaction_id": transaction.transaction_id,
            "timestamp": timestamp.isoformat() if timestamp else None,
            "creator_msp_id": transaction.creator_msp_id,
            "chaincode": self.chaincode,
        }
        if self.event is None:
            return {**document, "function": transaction.function}
        try:
            payload = {"payload": json.loads(self.payload)}
        except ValueError:
            payload = {"payload_base64": base64.b64encode(self.payload).decode()}
        return {**document, "event": self.event, **payload}

    def line(self) -> bytes:
        """The document in one line, the same bytes each time."""
        return json.dumps(self.document(), ensure_ascii=False, separators=(",", ":")).encode()


def deliveries(block: LedgerBlock, channel: str, selection: Selection) -> Iterator[Delivery]:
    """Of one block, in order."""
    for number, decoded in enumerate(block.block.transactions):
        transaction = LedgerTransaction(block.block.number, number, decoded)
        if decoded.validation_code != "VALID" or transaction.wrong is not None:
            continue
        chaincode = decoded.chaincode_name
        if selection.chaincode is not None and chaincode != selection.chaincode:
            continue
        if selection.what == "transactions":
            yield Delivery(
                channel=channel, transaction=transaction, chaincode=chaincode, event=None
            )
            continue
        event = decoded.event
        if event is None or (selection.events is not None and event.name not in selection.events):
            continue
        yield Delivery(
            channel=channel,
            transaction=transaction,
            chaincode=chaincode,
            event=event.name,
            payload=event.payload,
        )
