# Made by scripts/make_sync.py from _subscription_async.py: change that, and run it.
"""One reader of a chaincode's events."""

from __future__ import annotations

from collections.abc import Callable

from medfab_gateway._calls import Client
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._checkpoint import Checkpoint
from medfab_gateway._events._feed import Batch, Feed
from medfab_gateway._events._ledger import fetch_block, fetch_height
from medfab_gateway._events._recovery import Recovery
from medfab_gateway._events._shared import SharedStream
from medfab_gateway._events._shared_streams import SharedStreams
from medfab_gateway.errors import CheckpointError, GatewayError


class Subscription:
    """A feed from a shared stream, from a position and at a pace of its own."""

    def __init__(
        self,
        client: Client,
        streams: SharedStreams,
        *,
        channel_name: str,
        chaincode_name: str,
        start_block: int | None,
        checkpoint: Checkpoint | None,
        open_feed: Callable[[int], Feed[CommittedEvent]],
    ) -> None:
        """start_block: None: the next to be committed; of no effect where there is a checkpoint.
        open_feed: makes the feed of a new shared stream, from the number of a block."""
        self._client = client
        self._streams = streams
        self._channel_name = channel_name
        self._chaincode_name = chaincode_name
        self._start_block = start_block
        self._checkpoint = checkpoint
        self._open_feed = open_feed
        self._handled: frozenset[str] = frozenset()
        self._recovery = Recovery(client, position_is_known=checkpoint is not None)
        self._began = False
        self._shared: SharedStream | None = None
        self.next_block = 0
        self.cursor = 0

    @property
    def closed(self) -> bool:
        return self._recovery.closed

    def next(self) -> Batch[CommittedEvent] | None:
        """Raises `GatewayError`; and `CheckpointError`, at first."""
        if not self._began:
            self._begin()
        while not self.closed:
            shared = self._join()
            batch = shared.take(self)
            if batch is None:
                shared.leave(self)
                self._shared = None
            elif batch.number >= self.next_block:
                self.next_block = batch.number + 1
                events = [e for e in batch.items if e.transaction_id not in self._handled]
                return Batch(number=batch.number, items=tuple(events))
        return None

    def close(self) -> None:
        self._recovery.close()
        if self._shared is not None:
            self._shared.leave(self)

    def _begin(self) -> None:
        while not self.closed:
            self._recovery.attempt()
            try:
                self.next_block = self._find_start()
            except GatewayError as error:
                self._recovery.wait_after(error)
            else:
                self._began = True
                return

    def _find_start(self) -> int:
        checkpoint = self._checkpoint
        if checkpoint is not None:
            if checkpoint.transaction_id is not None:
                self._handled = self._transactions_until(
                    checkpoint.block_number, checkpoint.transaction_id
                )
            return checkpoint.block_number
        if self._start_block is not None:
            return self._start_block
        return fetch_height(self._client, channel_name=self._channel_name)

    def _transactions_until(self, number: int, last: str) -> frozenset[str]:
        """The transactions of a block, up to the last one that was handled.

        A peer can be asked to go on after a transaction; but one that emitted no event is never
        found, and then no event is ever sent. So the peer is asked for the whole block, and what
        was handled is left out here.
        """
        block = fetch_block(self._client, channel_name=self._channel_name, number=number)
        ids = [transaction.transaction_id for transaction in block.transactions]
        if last not in ids:
            raise CheckpointError(
                f"The checkpoint is not of channel {self._channel_name}: block {number} there has "
                f"no transaction {last}.\nTo begin anew, delete it."
            )
        return frozenset(ids[: ids.index(last) + 1])

    def _join(self) -> SharedStream:
        joined = self._streams.join(
            self,
            self._shared,
            channel_name=self._channel_name,
            chaincode_name=self._chaincode_name,
            open_feed=self._open_feed,
        )
        if self._shared is not None and self._shared is not joined:
            self._shared.leave(self)
        self._shared = joined
        return joined
