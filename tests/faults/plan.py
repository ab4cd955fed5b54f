"""What fails, and how: each kind of node, by each way of ending or stalling."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from medfab_network import Network
from medfab_network._health import leaders, tls_context

KILL, STOP, PAUSE = "kill -9", "SIGTERM", "SIGSTOP"
PAUSE_SECONDS = 8.0
DOWN_SECONDS = 3.0
"""How long an ended node is away before it is started again."""

TARGETS = (
    "orderer leader",
    "orderer follower",
    "peer of the clients",
    "second peer of the clients",
    "peer of another organisation",
    "chaincode of the clients' organisation",
    "chaincode of another organisation",
    "certificate authority",
    "all of another organisation",
    "everything",
)
_NODES = {
    "peer of the clients": ["peer0.hospital"],
    "second peer of the clients": ["peer1.hospital"],
    "peer of another organisation": ["peer0.clinic"],
    "chaincode of the clients' organisation": ["faults.hospital"],
    "chaincode of another organisation": ["faults.clinic"],
    "certificate authority": ["ca.hospital"],
    "all of another organisation": ["ca.clinic", "peer0.clinic", "faults.clinic"],
}


@dataclass(frozen=True)
class Fault:
    target: str
    action: str


def plan(rounds: int) -> Iterator[Fault]:
    """Every target is killed once in each round; stopped and paused in the first."""
    for number in range(rounds):
        for target in TARGETS:
            yield Fault(target, KILL)
            if number == 0:
                yield Fault(target, STOP)
                if target != "everything":
                    yield Fault(target, PAUSE)


async def nodes_of(network: Network, target: str) -> list[str]:
    """The nodes that a target stands for now: the leader is not always the same."""
    if target == "everything":
        return sorted(network.processes())
    if not target.startswith("orderer"):
        return _NODES[target]
    ordering = network.topology.ordering
    layout = network._layout
    context = tls_context(
        layout.tls_ca_certificate(ordering.name), layout.tls(ordering.name, "admin")
    )
    while True:
        for orderer in ordering.orderers:
            if await leaders(orderer, context):
                others = [o.name for o in ordering.orderers if o != orderer]
                return [orderer.name] if target == "orderer leader" else others[:1]
        await asyncio.sleep(0.2)


async def strike(network: Network, fault: Fault) -> list[str]:
    """Do it, wait, and undo it; returns the nodes that were hit."""
    nodes = await nodes_of(network, fault.target)
    number = {KILL: signal.SIGKILL, STOP: signal.SIGTERM, PAUSE: signal.SIGSTOP}[fault.action]
    running = network.processes()
    for node in nodes:
        os.kill(running[node], number)
    if fault.action == PAUSE:
        await asyncio.sleep(PAUSE_SECONDS)
        for node in nodes:
            os.kill(running[node], signal.SIGCONT)
    else:
        await asyncio.sleep(DOWN_SECONDS)
        await network.up()
    return nodes
