"""Where a consumer of events goes on, and the file that says so. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from medfab_gateway.errors import CheckpointError


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What has been handled so far.

    ::

        checkpoint = Checkpoint(block_number=0)
        async with network.chaincode_events("assets", checkpoint=checkpoint) as events:
            async for event in events:
                await handle(event)
    """

    block_number: int
    """The block in which the next event is expected; all before it has been handled."""

    transaction_id: str | None = None
    """The last transaction of that block that has been handled; None: none of it has been."""

    def __post_init__(self) -> None:
        if not 0 <= self.block_number < 2**64:
            raise ValueError(f"Block numbers are 0 … 2⁶⁴-1, not {self.block_number}.")


def first_block(checkpoint: Checkpoint | None, start_block: int | None) -> int | None:
    """Checkpoint, else start block, else None for the next block to be committed."""
    return start_block if checkpoint is None else checkpoint.block_number


def to_json(checkpoint: Checkpoint) -> bytes:
    """In the form that the official Go, Node and Java clients read, all three."""
    state: dict[str, int | str] = {"blockNumber": checkpoint.block_number}
    if checkpoint.transaction_id is not None:
        state["transactionId"] = checkpoint.transaction_id
    return json.dumps(state).encode()


def from_json(content: bytes, *, name: str) -> Checkpoint | None:
    """Any of their forms; None where nothing has been checkpointed. Raises `CheckpointError`.

    Go writes `transactionId` as `""` where there is none, and block 0 with it where nothing has
    been handled; Node writes the block's number as a string. name: of the file, for the error.
    """
    if not content.strip():
        return None
    try:
        # Go and Java write in place and shorten the file afterwards: killed in between, they
        # leave the rest of a longer state behind. All clients read the first value alone.
        state, _ = json.JSONDecoder().raw_decode(content.decode())
        transaction_id = state.get("transactionId")
        if "blockNumber" not in state:
            return None
        if state["blockNumber"] == 0 and transaction_id == "":
            return None
        if not isinstance(transaction_id, str | None):
            raise TypeError("transactionId is not a text")
        return Checkpoint(
            block_number=int(str(state["blockNumber"])), transaction_id=transaction_id or None
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{name} is not a checkpoint ({error}).\nIt should be JSON with the keys blockNumber "
            "and transactionId, as the Fabric Gateway clients write it. To begin anew, delete it."
        ) from error
