"""A consumer at work: the lead, the blocks, the batches, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import grpc

from medfab_gateway._backoff import pauses
from medfab_gateway._events._ledger_async import fetch_block, fetch_height
from medfab_gateway._gateway_async import AsyncGateway
from medfab_gateway._network_async import AsyncNetwork
from medfab_gateway.consumers._applier import Applier
from medfab_gateway.consumers._chain import ChainPosition
from medfab_gateway.consumers._dispatch import Plan, plans
from medfab_gateway.consumers._progress import Progress
from medfab_gateway.consumers._projection import Projection
from medfab_gateway.consumers._sink import Sink, Stopped
from medfab_gateway.consumers._source import BlockSource, end
from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers.errors import (
    ConfigurationError,
    LeadLostError,
    StoreUnavailableError,
)
from medfab_gateway.errors import ConnectionFailedError, DeliverError, GatewayError

_log = logging.getLogger("medfab_gateway.consumers")
_T = TypeVar("_T")
_STANDBY_SECONDS = 0.5
_LOOK_SECONDS = 1.0
_PASSING = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.CANCELLED,
}


class Consumer:
    """Follows a channel and keeps projections and sinks current.

        consumer = Consumer(
            "explorer",
            channel="care",
            connect=lambda: AsyncGateway.connect_user(".medfab", "hospital", "admin"),
            store=SqliteStore("explorer.sqlite"),
            projections=[Explorer()],
        )
        await consumer.run()

    Of several with one name and one database, one leads and the others stand by.
    """

    def __init__(
        self,
        name: str,
        *,
        channel: str,
        connect: Callable[[], AsyncGateway],
        store: Store,
        projections: Sequence[Projection] = (),
        sinks: Sequence[Sink] = (),
        start: int | str = 0,
        private: str = "contract",
        max_transactions: int = 2000,
        buffer_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        """connect: makes a gateway, called anew after an interruption.
        start: the first block; or `next`, for what is committed from now on. It counts once, and
        not with projections, which need all blocks.
        private: `contract` or `stream`: how private data is read, see docs/consumers.md.
        max_transactions: of one batch, which is one block at least. buffer_bytes: read ahead.
        """
        if not projections and not sinks:
            raise ConfigurationError(f"Consumer {name} has neither projections nor a sink.")
        if start != 0 and projections:
            raise ConfigurationError(
                f"Consumer {name} has projections, which need the channel from block 0: leave "
                "`start` out, or make a consumer of its own for what it is for."
            )
        if not (start == "next" or (isinstance(start, int) and start >= 0)):
            raise ConfigurationError(f"`start` is the number of a block or next, not {start!r}.")
        if private not in ("contract", "stream"):
            raise ConfigurationError(f"`private` is contract or stream, not {private!r}.")
        if max_transactions < 1:
            raise ConfigurationError("`max_transactions` is 1 or more.")
        self.name: str = name
        self.channel: str = channel
        self.progress: Progress = Progress(consumer=name, channel=channel)
        self._connect = connect
        self._store = store
        self._projections = projections
        self._sinks = sinks
        self._start = start
        self._private_stream = private == "stream"
        careful = any(sink.one_block_at_a_time for sink in sinks)
        self._max_transactions = 1 if careful else max_transactions
        self._buffer_bytes = buffer_bytes
        self._stop = asyncio.Event()
        self._thread_stop = threading.Event()
        self._executor: ThreadPoolExecutor | None = None
        self._source: BlockSource | None = None

    def stop(self) -> None:
        """Let `run` end after the batch under way. From the event loop's thread."""
        self._stop.set()
        self._thread_stop.set()
        if self._source is not None:
            self._source.wake()

    async def run(self) -> None:
        """Until `stop()` is called or the task is cancelled; the batch under way is finished.

        What passes is waited for: peers, databases, another leader. Raises `ChainError`,
        `StoreError`, `DeclarationError`, and `DeliverError` where the identity may not read.
        """
        # One thread, for a connection to a database belongs to one.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"medfab-{self.name}")
        try:
            await self._run()
        except BaseException as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            self.progress.phase = "stopped" if cancelled else "failed"
            if not cancelled:
                self.progress.failed(error)
            raise
        else:
            self.progress.phase = "stopped"
        finally:
            self._executor.shutdown(wait=True)

    async def rebuild(self, projections: Sequence[str] = ()) -> bool:
        """Make projections anew from block 0; by name, none: all.

        Where another process leads, it is asked to, and False is returned. Raises as `run` does.
        """
        known = [each.name for each in self._projections]
        names = [*projections] or known
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ConfigurationError(
                f"Consumer {self.name} has no projection {', '.join(unknown)}; it has "
                f"{', '.join(known) or 'none'}."
            )
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"medfab-{self.name}")
        try:
            await self._db(self._store.open)
            leads = await self._db(self._store.try_to_lead, self.name)
            async with self._connect() as gateway:
                applier = self._applier(gateway)
                await self._db(_request, self._store, applier, names)
                if not leads:
                    return False
                await self._prepare(applier, gateway.network(self.channel))
                return True
        finally:
            await self._db(self._close)
            self._executor.shutdown(wait=True)

    async def _run(self) -> None:
        waits = pauses(0.2, 5.0)
        while not self._stop.is_set():
            try:
                await self._db(self._store.open)
                if await self._take_the_lead():
                    waits = pauses(0.2, 5.0)
                    await self._lead()
            except Stopped:
                return
            except (StoreUnavailableError, LeadLostError) as error:
                await self._wait(error, next(waits))
            except GatewayError as error:
                if not isinstance(error, ConnectionFailedError) and error.code not in _PASSING:
                    raise
                await self._wait(error, next(waits))
            finally:
                await self._db(self._close)

    async def _wait(self, error: BaseException, seconds: float) -> None:
        self.progress.phase = "waiting"
        self.progress.failed(error)
        _log.warning(
            "Consumer %s: %s Going on in %.1f s.", self.name, self.progress.last_error, seconds
        )
        await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _take_the_lead(self) -> bool:
        while not self._stop.is_set():
            if await self._db(self._store.try_to_lead, self.name):
                return True
            self.progress.phase = "standing by"
            await self._pause(_STANDBY_SECONDS)
        return False

    async def _lead(self) -> None:
        async with self._connect() as gateway:
            applier = self._applier(gateway)
            network = gateway.network(self.channel)
            await self._prepare(applier, network)
            self.progress.phase = "leading"
            _log.info("Consumer %s leads, from block %d.", self.name, self.progress.next_block)
            self._source = source = BlockSource(
                network,
                applier.plans,
                start=applier.position.next_block,
                private_stream=self._private_stream,
                buffer_bytes=self._buffer_bytes,
            )
            looking = asyncio.create_task(self._look(network))
            try:
                await self._follow(applier, network, source)
            finally:
                self._source = None
                await end(looking)
                await source.aclose()

    async def _follow(self, applier: Applier, network: AsyncNetwork, source: BlockSource) -> None:
        looked = time.monotonic()
        while not self._stop.is_set():
            blocks = await source.take(
                max_transactions=self._max_transactions, seconds=_LOOK_SECONDS
            )
            if blocks:
                began = time.perf_counter()
                letters = await self._db(applier.apply, blocks, self._thread_stop)
                self.progress.handled(
                    blocks=len(blocks),
                    transactions=sum(len(each.block.transactions) for each in blocks),
                    next_block=applier.position.next_block,
                    seconds=time.perf_counter() - began,
                )
                self._count(letters)
            if time.monotonic() - looked >= _LOOK_SECONDS:
                looked = time.monotonic()
                state = await self._db(applier.state.load)
                if state is None:
                    raise LeadLostError(f"The state of consumer {self.name} has been deleted.")
                wanted = [plan for plan in applier.plans if plan.name in state.requested]
                if wanted:
                    await self._rebuild(applier, network, wanted)
                    self.progress.phase = "leading"

    async def _look(self, network: AsyncNetwork) -> None:
        """How long the channel is, for the lag."""
        while True:
            with suppress(GatewayError):
                self.progress.seen(await fetch_height(network._client, channel_name=self.channel))
            await asyncio.sleep(5)

    async def _prepare(self, applier: Applier, network: AsyncNetwork) -> None:
        state, to_rebuild = await self._db(applier.prepare)
        self.progress.next_block = applier.position.next_block
        await self._check_last(applier, network)
        if state.moved_at is None and self._start != 0:
            await self._begin_late(applier, network)
        if to_rebuild:
            await self._rebuild(applier, network, to_rebuild)

    async def _check_last(self, applier: Applier, network: AsyncNetwork) -> None:
        """A wrong channel or a fork shows before anything new is committed."""
        last = applier.position.next_block - 1
        if last < 0:
            return
        try:
            block = await fetch_block(network._client, channel_name=self.channel, number=last)
        except DeliverError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:
                _log.warning(
                    "Consumer %s has handled block %d, which the peer has not got yet.",
                    self.name,
                    last,
                )
                return
            raise
        applier.position.check_last(block, channel=self.channel)

    async def _begin_late(self, applier: Applier, network: AsyncNetwork) -> None:
        height = await fetch_height(network._client, channel_name=self.channel)
        first = height if self._start == "next" else int(self._start)
        if first > height:
            raise ConfigurationError(
                f"Consumer {self.name} is to start at block {first}; channel {self.channel} has "
                f"{height} blocks."
            )
        if first == 0:
            return
        before = await fetch_block(network._client, channel_name=self.channel, number=first - 1)
        position = ChainPosition(next_block=first, last_hash=before.hash)
        await self._db(applier.begin_at, position)
        self.progress.next_block = first

    async def _rebuild(
        self, applier: Applier, network: AsyncNetwork, wanted: Sequence[Plan]
    ) -> None:
        names = ", ".join(plan.name for plan in wanted)
        last = applier.position.next_block - 1
        _log.info("Consumer %s rebuilds %s, up to block %d.", self.name, names, last)
        self.progress.phase = "rebuilding"
        rebuild = applier.rebuild(wanted)
        try:
            await self._db(rebuild.begin)
            if last >= 0:
                await self._replay(rebuild.feed, applier, network, wanted, last)
            await self._db(rebuild.finish)
        except BaseException as error:
            await self._db(rebuild.abandon, error)
            raise
        self.progress.rebuilds += 1

    async def _replay(
        self,
        feed: Callable[..., None],
        applier: Applier,
        network: AsyncNetwork,
        wanted: Sequence[Plan],
        last: int,
    ) -> None:
        source = BlockSource(
            network,
            wanted,
            start=0,
            stop=last,
            private_stream=self._private_stream,
            buffer_bytes=self._buffer_bytes,
        )
        try:
            while True:
                blocks = await source.take(
                    max_transactions=self._max_transactions, seconds=_LOOK_SECONDS
                )
                if blocks is None:
                    return
                if self._stop.is_set():
                    raise Stopped
                await self._db(feed, blocks)
        finally:
            await source.aclose()

    def _applier(self, gateway: AsyncGateway) -> Applier:
        return Applier(
            self._store,
            consumer=self.name,
            channel=self.channel,
            plans=plans(self._projections, msp_id=gateway.identity.msp_id),
            sinks=self._sinks,
        )

    def _count(self, letters: Sequence[Any]) -> None:
        self.progress.dead_letters += len(letters)
        for letter in letters:
            _log.error(
                "Consumer %s: block %d, transaction %s could not be taken by %s (%s): it is in "
                "the dead letters.",
                self.name,
                letter.block_number,
                letter.transaction_id,
                letter.feed,
                letter.error,
            )

    def _close(self) -> None:
        for sink in self._sinks:
            sink.close()
        self._store.close()

    async def _db(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """In the database's thread; a cancelled task still waits for what it has begun."""
        if self._executor is None:
            raise RuntimeError("the consumer is not running")
        running = asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._thread_stop.set()
            await asyncio.wait({running})
            if not running.cancelled() and running.exception() is not None:
                _log.debug("ended with %s", type(running.exception()).__name__)
            raise


def _request(store: Store, applier: Applier, names: Sequence[str]) -> None:
    with store.transaction():
        store.alone()
        applier.state.create_tables()
        applier.state.request(names)
