"""Nodes that end or stall: `kill -9`, SIGTERM, SIGSTOP."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from functools import partial

from faults.plan import BY_ITSELF, STARTED, Fault
from faults.site import Site

KILL, STOP, PAUSE = "kill -9", "SIGTERM", "SIGSTOP"
PAUSE_SECONDS = 8.0
DOWN_SECONDS = 2.0
"""How long an ended node is away before it is started again."""
FAMILY = "Nodes that end or stall"
EVERYTHING = "everything"

NODES = {
    "peer of the clients": ["peer0.hospital"],
    "second peer of the clients": ["peer1.hospital"],
    "peer of another organisation": ["peer0.clinic"],
    "chaincode of the clients' organisation": ["faults.hospital"],
    "chaincode of another organisation": ["faults.clinic"],
    "certificate authority": ["ca.hospital"],
    "all of another organisation": ["ca.clinic", "peer0.clinic", "faults.clinic"],
}
TARGETS = ("orderer leader", "orderer follower", *NODES, EVERYTHING)


def killed(target: str) -> Fault:
    return Fault(FAMILY, target, KILL, partial(_end, target=target, number=signal.SIGKILL))


def stopped_and_paused(target: str) -> Iterator[Fault]:
    yield Fault(FAMILY, target, STOP, partial(_end, target=target, number=signal.SIGTERM))
    if target != EVERYTHING:
        yield Fault(FAMILY, target, PAUSE, partial(_pause, target=target))


async def nodes_of(site: Site, target: str) -> list[str]:
    """The nodes that a target stands for now: the leader is not always the same."""
    if target == EVERYTHING:
        return sorted(site.pids())
    if not target.startswith("orderer"):
        return NODES[target]
    leader, followers = await site.orderers()
    return [leader] if target == "orderer leader" else followers[:1]


async def _end(site: Site, *, target: str, number: signal.Signals) -> str:
    nodes = await nodes_of(site, target)
    site.send(nodes, number)
    await asyncio.sleep(DOWN_SECONDS)
    await site.end(nodes, signal.SIGKILL)
    await site.start(nodes)
    return STARTED


async def _pause(site: Site, *, target: str) -> str:
    nodes = await nodes_of(site, target)
    site.send(nodes, signal.SIGSTOP)
    await asyncio.sleep(PAUSE_SECONDS)
    site.send(nodes, signal.SIGCONT)
    return BY_ITSELF
