"""Consumers and their databases that end or stall."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from functools import partial

from faults.ends import DOWN_SECONDS, KILL, PAUSE, PAUSE_SECONDS
from faults.plan import BY_ITSELF, STARTED, Fault
from faults.site import Site

FAMILY = "Consumers and their databases"
_DATABASE, _CONSUMER = "PostgreSQL of the consumer", "consumer"
_FAST_STOP = "SIGINT"  # what an administrator's stop is


def faults() -> Iterator[Fault]:
    yield Fault(FAMILY, _DATABASE, KILL, partial(_database, number=signal.SIGKILL))
    yield Fault(FAMILY, _DATABASE, _FAST_STOP, partial(_database, number=signal.SIGINT))
    yield Fault(FAMILY, _DATABASE, PAUSE, _pause_database)
    yield Fault(FAMILY, _CONSUMER, KILL, partial(_consumer, number=signal.SIGKILL))
    yield Fault(FAMILY, _CONSUMER, "SIGTERM", partial(_consumer, number=signal.SIGTERM))
    yield Fault(FAMILY, _CONSUMER, PAUSE, _pause_consumer)


async def _database(site: Site, *, number: signal.Signals) -> str:
    await asyncio.to_thread(site.rows.postgres.end, number)
    await asyncio.sleep(DOWN_SECONDS)
    await asyncio.to_thread(site.rows.postgres.start)
    return STARTED


async def _pause_database(site: Site) -> str:
    site.rows.postgres.send(signal.SIGSTOP)
    await asyncio.sleep(PAUSE_SECONDS)
    site.rows.postgres.send(signal.SIGCONT)
    return BY_ITSELF


async def _consumer(site: Site, *, number: signal.Signals) -> str:
    site.rows.process.send_signal(number)
    await asyncio.to_thread(site.rows.process.wait, 60)
    await asyncio.sleep(DOWN_SECONDS)
    site.rows.start()
    return STARTED


async def _pause_consumer(site: Site) -> str:
    site.rows.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(PAUSE_SECONDS)
    site.rows.process.send_signal(signal.SIGCONT)
    return BY_ITSELF
