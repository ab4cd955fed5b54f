"""Disks that are full for a while, of nodes and of the databases of consumers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial

from faults.ends import nodes_of
from faults.plan import BY_ITSELF, Fault
from faults.site import Site

FAMILY = "Disks that are full"
SECONDS = 8.0
"""For so long a disk is full, and then has room again."""
_PATIENCE = 12.0
"""Seconds: whoever has not come back by then after there is room is started again."""
_WORDS = ("no space left", "No space left", "disk is full", "disk I/O error")
_NODES = (
    "orderer leader",
    "orderer follower",
    "peer of the clients",
    "peer of another organisation",
    "certificate authority",
)
_DATABASES = {"PostgreSQL of the consumer": "postgres", "SQLite of the consumer": "sqlite"}


def faults() -> Iterator[Fault]:
    for target in _NODES:
        yield Fault(FAMILY, target, "disk full", partial(_node, target=target), needs_disks=True)
    for target, disk in _DATABASES.items():
        yield Fault(FAMILY, target, "disk full", partial(_database, disk=disk), needs_disks=True)


async def _node(site: Site, *, target: str) -> str:
    (node,) = await nodes_of(site, target)
    await _fill(site, node)
    ended = node not in site.pids()
    site.disks[node].free()
    if not ended and await _comes_back(site, node):
        return BY_ITSELF
    ended = node not in site.pids()
    if not ended:
        await site.end([node])
    await site.start([node])
    return "it had ended; started again" if ended else "it hung; started again"


async def _fill(site: Site, disk: str) -> None:
    """Fill it, and wait until somebody has noticed."""
    evidence = site.evidence(*_WORDS)
    site.disks[disk].fill()
    await asyncio.sleep(SECONDS)
    await evidence.seen(site.load.samples, enough=lambda: False)


async def _comes_back(site: Site, name: str) -> bool:
    """Whether it takes part again: a peer gets new blocks, an orderer follows, a CA enrols."""
    node = site.node(name)
    enrolled = len(site.load.enrolled_at)
    deadline = time.monotonic() + _PATIENCE
    (before,) = await _height(site, name) or [0]
    while time.monotonic() < deadline and name in site.pids():
        if node.kind == "ca":
            if len(site.load.enrolled_at) > enrolled:
                return True
        else:
            found = await _height(site, name)
            if found and found[0] > before + 1:
                return True
        await asyncio.sleep(0.3)
    return False


async def _height(site: Site, name: str) -> list[int]:
    for status in await site.network.status():
        if status.node.name == name:
            return list(status.heights.values())
    return []


async def _database(site: Site, *, disk: str) -> str:
    await _fill(site, disk)
    site.disks[disk].free()
    done = []
    if disk == "postgres" and not await asyncio.to_thread(_answers, site):
        await asyncio.to_thread(site.rows.postgres.restart)
        done.append("the database had ended; started again")
    if await site.rows.until(min(await site.heights()), revive=True):
        done.append("the consumer had ended; started again")
    return "; ".join(done) or BY_ITSELF


def _answers(site: Site) -> bool:
    """Whether the server is there, after it has had a while to recover."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if site.rows.postgres.answers():
            return True
        time.sleep(0.3)
    return False
