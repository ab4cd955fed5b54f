"""Several consumers in one process, until they are told to end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Sequence

from medfab_gateway.consumers._consumer import Consumer
from medfab_gateway.consumers._metrics import Operations
from medfab_gateway.errors import MedfabError

_log = logging.getLogger("medfab_gateway.consumers")


async def serve(
    consumers: Sequence[Consumer],
    *,
    listen: tuple[str, int] | None = None,
    ready: asyncio.Future[int] | None = None,
) -> list[tuple[Consumer, MedfabError]]:
    """Run them until SIGTERM or Ctrl-C: batches under way are finished. Gives those that failed.

    A consumer that fails does not stop the others; `/healthz` says 503 from then on. Where all
    have failed, there is nothing left to do. listen: host and port of metrics and health; None:
    none. ready: is given the port.
    """
    failures: list[tuple[Consumer, MedfabError]] = []

    async def run(consumer: Consumer) -> None:
        try:
            await consumer.run()
        except MedfabError as error:
            _log.error("Consumer %s has failed: %s", consumer.name, error)
            failures.append((consumer, error))

    def stop() -> None:
        _log.info("Ending: batches under way are finished first.")
        for consumer in consumers:
            consumer.stop()

    with contextlib.ExitStack() as stack:
        if listen is not None:
            operations = Operations(listen, [consumer.progress for consumer in consumers])
            stack.callback(operations.close)
            if ready is not None:
                ready.set_result(operations.port)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with contextlib.suppress(ValueError, RuntimeError):  # not the main thread
                loop.add_signal_handler(number, stop)
                stack.callback(loop.remove_signal_handler, number)
        async with asyncio.TaskGroup() as group:
            for consumer in consumers:
                group.create_task(run(consumer))
    return failures


def collect_garbage_less_often() -> None:
    """For a process that does nothing else: what batches make dies with them, and to look for
    cycles after every 700 objects takes a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run_consumer(consumer: Consumer) -> None:
    """`consumer.run()` for programs without asyncio: until SIGTERM or Ctrl-C. Raises likewise."""
    for _, error in asyncio.run(serve([consumer])):
        raise error
