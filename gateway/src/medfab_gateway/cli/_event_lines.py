"""What `medfab events` prints of a block or an event: a line for people, an object for programs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medfab_gateway.cli._text import printable

if TYPE_CHECKING:
    from medfab_gateway import Block, BlockTransaction, CommittedEvent, FilteredBlock

BLOCK_HEADING = ("block", "time", "outcome", "function", "by", "transaction")
FILTERED_HEADING = ("block", "outcome", "event", "transaction")
EVENT_HEADING = ("block", "chaincode", "event", "transaction")


@dataclass(frozen=True, kw_only=True)
class Line:
    """The same in both forms."""

    cells: tuple[str, ...]
    row: dict[str, Any]


def columns(cells: tuple[str, ...]) -> str:
    """A line; as wide as the terminal, or whole where it is not read on one."""
    block, *others, identifier = cells
    widths = {4: (8, 7, 28, 14), 2: (22, 28)}[len(others)]
    fitted = "  ".join(f"{cell:<{width}}" for cell, width in zip(others, widths, strict=True))
    line = printable(f"{block:>6}  {fitted}  {identifier}")
    return line[: shutil.get_terminal_size().columns] if sys.stdout.isatty() else line


def block_lines(block: Block) -> Iterator[Line]:
    """A line for each transaction."""
    for transaction in block.transactions:
        row = _row(block, transaction)
        time = transaction.timestamp
        cells = (
            str(row["block"]),
            f"{time:%H:%M:%S}" if time else "-",
            row["validation_code"],
            row["function"] or row["type"],
            row["creator"] or "-",
            row["transaction_id"] or "-",
        )
        yield Line(cells=cells, row=row)


def filtered_lines(block: FilteredBlock) -> Iterator[Line]:
    """A line for each transaction."""
    for transaction in block.transactions:
        event = None
        if transaction.event_name is not None:
            event = f"{transaction.chaincode_name}.{transaction.event_name}"
        row = {
            "block": block.number,
            "transaction_id": transaction.transaction_id,
            "type": transaction.type,
            "validation_code": transaction.validation_code,
            "event": event,
        }
        cells = (
            str(block.number),
            transaction.validation_code,
            event or transaction.type,
            transaction.transaction_id or "-",
        )
        yield Line(cells=cells, row=row)


def event_lines(event: CommittedEvent) -> Iterator[Line]:
    """One line."""
    row = {
        "block": event.block_number,
        "transaction_id": event.transaction_id,
        "chaincode": event.chaincode_name,
        "event": event.name,
    }
    cells = (str(event.block_number), event.chaincode_name, event.name, event.transaction_id)
    yield Line(cells=cells, row=row)


def _row(block: Block, transaction: BlockTransaction) -> dict[str, Any]:
    function = None
    if transaction.chaincode_name and transaction.args:
        name = transaction.args[0].decode(errors="replace")
        function = f"{transaction.chaincode_name}.{name}"
    return {
        "block": block.number,
        "transaction_id": transaction.transaction_id,
        "type": transaction.type,
        "validation_code": transaction.validation_code,
        "timestamp": transaction.timestamp.isoformat() if transaction.timestamp else None,
        "creator": transaction.creator.msp_id,
        "function": function,
        "endorsers": list(transaction.endorser_msp_ids),
        "event": transaction.event.name if transaction.event else None,
    }
