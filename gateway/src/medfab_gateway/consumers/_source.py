"""Blocks of a channel, read ahead, with the private values that projections want."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from medfab_gateway._block import Block
from medfab_gateway._events._checkpoint import Checkpoint
from medfab_gateway._events._ledger_async import fetch_block, fetch_height
from medfab_gateway._network_async import AsyncNetwork
from medfab_gateway.consumers._changes import LedgerBlock
from medfab_gateway.consumers._dispatch import Plan
from medfab_gateway.consumers._private import read_private
from medfab_gateway.errors import GatewayError

_log = logging.getLogger("medfab_gateway.consumers")
_AT_ONCE = 8
"""Blocks asked for at a time while catching up: each is a call of some milliseconds."""


async def end(task: asyncio.Task[None]) -> None:
    """Cancel it and wait for its end, whatever that is. The caller can be cancelled meanwhile."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # seen: asyncio would complain otherwise


class BlockSource:
    """Reads in a task of its own; `take` gives what has come meanwhile."""

    def __init__(
        self,
        network: AsyncNetwork,
        plans: Sequence[Plan],
        *,
        start: int,
        stop: int | None = None,
        private_stream: bool = False,
        buffer_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        """stop: the last block; None: without end. private_stream: see docs/consumers.md.
        buffer_bytes: how much is read ahead of who takes."""
        self._network = network
        self._plans = [plan for plan in plans if plan.readers]
        self._start = start
        self._stop = stop
        self._private_stream = private_stream
        self._buffer_bytes = buffer_bytes
        self._pending: deque[LedgerBlock] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._task = asyncio.create_task(self._read())
        self._task.add_done_callback(lambda _: self._changed.set())

    async def take(self, *, max_transactions: int, seconds: float) -> list[LedgerBlock] | None:
        """What has come, in order: at least one block if any, and no more than so many
        transactions. Empty after so many seconds without one; None at the end.

        Raises what the reading raised, once all before has been taken.
        """
        if not self._pending and not self._task.done():
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
        if not self._pending and self._task.done():
            self._task.result()
            return None
        taken: list[LedgerBlock] = []
        count = 0
        while self._pending:
            count += len(self._pending[0].block.transactions)
            if taken and count > max_transactions:
                break
            block = self._pending.popleft()
            self._bytes -= len(block.block.raw)
            taken.append(block)
        self._room.set()
        return taken

    def wake(self) -> None:
        """Let `take` give what there is, even if that is nothing."""
        self._changed.set()

    async def aclose(self) -> None:
        await end(self._task)

    async def _read(self) -> None:
        async for block in self._blocks():
            if self._plans and not self._private_stream:
                block = await read_private(block, self._plans, self._network)
            while self._bytes > self._buffer_bytes:
                self._room.clear()
                await self._room.wait()
            self._pending.append(block)
            self._bytes += len(block.block.raw)
            self._changed.set()

    async def _blocks(self) -> AsyncIterator[LedgerBlock]:
        next_block = self._start
        if not self._private_stream:
            try:
                async for block in self._catch_up():
                    yield LedgerBlock(block=block)
                    next_block = block.number + 1
            except GatewayError as error:
                # The stream below knows what passes, and waits for it.
                _log.info("%s Going on by the stream of blocks.", str(error).partition("\n")[0])
        if self._stop is not None and next_block > self._stop:
            return
        # With a checkpoint, a peer that does not know the channel is only behind.
        checkpoint = Checkpoint(block_number=next_block) if next_block else None
        if self._private_stream:
            async with self._network.block_and_private_data_events(
                next_block, self._stop, checkpoint=checkpoint
            ) as private:
                async for each in private:
                    yield LedgerBlock(block=each.block, private_data=each.private_data)
            return
        async with self._network.block_events(
            next_block, self._stop, checkpoint=checkpoint
        ) as blocks:
            async for block in blocks:
                yield LedgerBlock(block=block)

    async def _catch_up(self) -> AsyncIterator[Block]:
        """Up to the present height, several at a time."""
        client, channel = self._network._client, self._network.channel_name
        height = await fetch_height(client, channel_name=channel)
        end = height if self._stop is None else min(height, self._stop + 1)
        ahead: deque[asyncio.Task[Block]] = deque()
        number = self._start
        try:
            while number < end or ahead:
                while number < end and len(ahead) < _AT_ONCE:
                    fetching = fetch_block(client, channel_name=channel, number=number)
                    ahead.append(asyncio.create_task(fetching))
                    number += 1
                yield await ahead.popleft()
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)
