"""An event that a contract emitted, as its stream delivers it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class CommittedEvent:
    """An event of a transaction that is valid and in a block.

        async with network.chaincode_events("assets", start_block=0) as events:
            async for event in events:
                print(event.block_number, event.transaction_id, event.name)
                await handle(event)

    A transaction has one event at most: the last one that its contract has set.
    """

    block_number: int
    transaction_id: str
    chaincode_name: str
    name: str
    payload: bytes = field(repr=False)
    """Public to the channel. Left out of `repr`, so that a log line does not carry it further."""
