"""A batch of blocks → one database transaction: rows, dead letters, checkpoint."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from medfab_gateway.consumers._buffer import TableBuffer
from medfab_gateway.consumers._chain import ChainPosition
from medfab_gateway.consumers._changes import Failure, LedgerBlock
from medfab_gateway.consumers._delivery import Delivery, deliveries
from medfab_gateway.consumers._dispatch import Group, Plan
from medfab_gateway.consumers._schema import replace, settle
from medfab_gateway.consumers._sink import Sink
from medfab_gateway.consumers._state import ConsumerState, DeadLetter, State
from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers._tables import Operation, Table
from medfab_gateway.consumers.errors import ChainError


class Applier:
    """Keeps one consumer's database current. One thread at a time."""

    def __init__(
        self,
        store: Store,
        *,
        consumer: str,
        channel: str,
        plans: Sequence[Plan],
        sinks: Sequence[Sink] = (),
    ) -> None:
        self._store = store
        self._channel = channel
        self.plans = plans
        self._sinks = sinks
        self.state = State(store, consumer)
        self.position = ChainPosition()

    def prepare(self) -> tuple[ConsumerState, list[Plan]]:
        """To be called with the lead. What is there, and the projections that are to be rebuilt.

        Raises `StoreError`.
        """
        with self._store.transaction():
            self._store.alone()
            self.state.create_tables()
            state = self.state.begin(
                channel=self._channel, leader=f"{socket.gethostname()}:{os.getpid()}"
            )
            projections = [plan.projection for plan in self.plans]
            next_block = state.position.next_block
            changed = settle(self._store, self.state, projections, next_block=next_block)
        self.position = state.position
        for sink in self._sinks:
            sink.restore(state.feed_positions.get(sink.name))
        if self._positions() != state.feed_positions:
            # Before the first batch: what a batch that is killed has left must be known for ours.
            with self._store.transaction():
                self.state.save_feed_positions(self._positions())
        wanted = [
            plan
            for plan in self.plans
            if plan.projection in changed or plan.name in state.requested
        ]
        if state.requested and not wanted:
            self._settle_requests()
        return state, wanted

    def begin_at(self, position: ChainPosition) -> None:
        """Leave out what was before, for a consumer that has handled nothing yet."""
        with self._store.transaction():
            self.state.move(self.position, position, self._positions())
        self.position = position

    def apply(
        self, blocks: Sequence[LedgerBlock], stop: threading.Event | None = None
    ) -> list[DeadLetter]:
        """Handle them, all or none. Gives what could not be taken.

        Raises `ChainError` (the blocks before the wrong one are handled), `LeadLostError`,
        `StoreUnavailableError`, `Stopped`.
        """
        position, good, wrong = self._follow(blocks)
        letters = self._apply(good, position, stop or threading.Event()) if good else []
        if wrong is not None:
            raise wrong
        return letters

    def _follow(
        self, blocks: Sequence[LedgerBlock]
    ) -> tuple[ChainPosition, Sequence[LedgerBlock], ChainError | None]:
        position = self.position
        for number, each in enumerate(blocks):
            try:
                position = position.after(each.block, channel=self._channel)
            except ChainError as error:
                return position, blocks[:number], error
        return position, blocks, None

    def _apply(
        self, blocks: Sequence[LedgerBlock], after: ChainPosition, stop: threading.Event
    ) -> list[DeadLetter]:
        letters: list[DeadLetter] = []
        delivered: list[tuple[Sink, list[Delivery]]] = []
        for sink in self._sinks:
            each = [d for block in blocks for d in deliveries(block, self._channel, sink.selection)]
            delivered.append((sink, each))
            letters += sink.deliver(each, stop)
        groups = [group for plan in self.plans for block in blocks for group in plan.groups(block)]
        with self._store.transaction():
            letters += self._write(groups, last_block=after.next_block - 1)
            for sink, each in delivered:
                letters += sink.write(each, self._store)
            if letters:
                self.state.add_dead_letters(letters)
            self.state.move(self.position, after, self._positions())
        self.position = after
        return letters

    def _write(self, groups: Sequence[Group], *, last_block: int) -> list[DeadLetter]:
        failed = [_letter(group, group.failure) for group in groups if group.failure is not None]
        good = [group for group in groups if group.failure is None]
        try:
            with self._store.savepoint():
                self._write_groups(good)
        except Exception as error:
            if not self._store.is_refusal(error):
                raise
            failed += self._write_one_by_one(good)
        for plan in self.plans:
            if any(handlers.block_to_live for handlers in plan.private.values()):
                for table in plan.projection.tables:
                    if table.private:
                        self._store.expire(table, last_block)
        return failed

    def _write_one_by_one(self, groups: Iterable[Group]) -> list[DeadLetter]:
        """The database refused a row: find out whose, and keep all others."""
        failed = []
        for group in groups:
            try:
                with self._store.savepoint():
                    self._write_groups([group])
            except Exception as error:
                if not self._store.is_refusal(error):
                    raise
                failed.append(_letter(group, Failure.of(error, handler="database")))
        return failed

    def _write_groups(self, groups: Iterable[Group]) -> None:
        buffers: dict[Table, TableBuffer] = {}
        for group in groups:
            for step in group.steps:
                if isinstance(step, Operation):
                    table = step.table
                    (buffers.get(table) or self._buffer(buffers, table)).apply(step)
                elif step.operation is None:
                    for table in group.plan.projection.tables:
                        if table.private:
                            self._buffer(buffers, table).forget(step.source)
                else:
                    buffer = self._buffer(buffers, step.operation.table)
                    buffer.put_derived(step.operation, step.source, step.expires_at)
        for buffer in buffers.values():
            buffer.flush()

    def _buffer(self, buffers: dict[Table, TableBuffer], table: Table) -> TableBuffer:
        return buffers.setdefault(table, TableBuffer(table, self._store.write))

    def _positions(self) -> dict[str, int]:
        return {sink.name: sink.position for sink in self._sinks if sink.position is not None}

    def _settle_requests(self) -> None:
        with self._store.transaction():
            self.state.request([])

    def rebuild(self, plans: Sequence[Plan]) -> Rebuild:
        """Make these anew, by a replay of all that has been handled."""
        return Rebuild(self, plans, self._store)


class Rebuild:
    """One transaction over the whole replay: until it is committed, readers see the old rows."""

    def __init__(self, applier: Applier, plans: Sequence[Plan], store: Store) -> None:
        self._applier = applier
        self._plans = plans
        self._store = store
        self._position = ChainPosition()
        self._stack = ExitStack()

    def begin(self) -> None:
        with ExitStack() as stack:
            stack.enter_context(self._store.transaction())
            present = self._applier.state.projections()
            for plan in self._plans:
                replace(self._store, self._applier.state, plan.projection, present.get(plan.name))
            self._stack = stack.pop_all()

    def feed(self, blocks: Sequence[LedgerBlock]) -> None:
        for each in blocks:
            self._position = self._position.after(each.block, channel=self._applier._channel)
        groups = [group for plan in self._plans for block in blocks for group in plan.groups(block)]
        letters = self._applier._write(groups, last_block=self._position.next_block - 1)
        if letters:
            self._applier.state.add_dead_letters(letters)

    def finish(self) -> None:
        """Raises `ChainError` where the replay did not end in the checkpoint."""
        target = self._applier.position
        if self._position != target:
            raise ChainError(
                f"The replay ended at block {self._position.next_block} with another hash than the "
                f"checkpoint's, at block {target.next_block}: the peer has another ledger. The "
                "old rows are kept."
            )
        self._applier.state.request([])
        self._applier.state.move(target, target, self._applier._positions())
        self._stack.close()

    def abandon(self, error: BaseException) -> None:
        """Roll back: the old rows are kept."""
        self._stack.__exit__(type(error), error, error.__traceback__)


def _letter(group: Group, failure: Failure) -> DeadLetter:
    return DeadLetter(
        feed=group.plan.name,
        block_number=group.block_number,
        transaction_number=group.transaction_number,
        transaction_id=group.transaction_id,
        handler=failure.handler,
        error=failure.error,
    )
