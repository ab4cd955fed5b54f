"""Links that are slow, cut for a while, or lose their connections without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial

from faults.plan import BY_ITSELF, Fault
from faults.relay import CLIENT, Condition
from faults.site import Site

FAMILY = "Links that are slow or cut"
SECONDS = 8.0
"""For so long a link is cut."""
SLOW_SECONDS = 5.0

CLIENT_AND_PEER = "client and its first peer"
PEER_AND_ORDERERS = "peer of the clients and orderers"
LEADER_AND_FOLLOWERS = "orderer leader and followers"
PEER_AND_CHAINCODE = "peer of the clients and its chaincode"
PEER_AND_PEERS = "peer of the clients and other peers"

SLOW = "200 ms each way"
NARROW = "16 kB/s"
CUT = "cut"
LOST = "connections lost"

_CONDITIONS = {
    SLOW: Condition(delay=0.2),
    NARROW: Condition(bytes_per_second=16000),
    CUT: Condition(cut=True),
}


def faults() -> Iterator[Fault]:
    for target in (
        CLIENT_AND_PEER,
        PEER_AND_ORDERERS,
        LEADER_AND_FOLLOWERS,
        PEER_AND_CHAINCODE,
        PEER_AND_PEERS,
    ):
        for action, condition in _CONDITIONS.items():
            yield Fault(FAMILY, target, action, partial(_hold, target=target, condition=condition))
        yield Fault(FAMILY, target, LOST, partial(_lose, target=target))


async def _hold(site: Site, *, target: str, condition: Condition) -> str:
    assert site.relay is not None
    for pair in await _pairs(site, target):
        site.relay.set(*pair, condition)
    await asyncio.sleep(SECONDS if condition.cut else SLOW_SECONDS)
    site.relay.heal()
    return BY_ITSELF


async def _lose(site: Site, *, target: str) -> str:
    """As a firewall does that forgets connections, or a machine that loses its power."""
    assert site.relay is not None
    lost = sum([site.relay.lose(*pair) for pair in await _pairs(site, target)])
    assert lost, f"{target} have no connections"
    await asyncio.sleep(SLOW_SECONDS)
    return BY_ITSELF


async def _pairs(site: Site, target: str) -> list[tuple[str, str]]:
    peer = "peer0.hospital"
    if target == CLIENT_AND_PEER:
        return [(CLIENT, peer)]
    if target == PEER_AND_CHAINCODE:
        return [(peer, "faults.hospital")]
    if target == PEER_AND_PEERS:
        return [(peer, other.name) for other in site.peers if other.name != peer]
    leader, followers = await site.orderers()
    if target == LEADER_AND_FOLLOWERS:
        return [(leader, other) for other in followers]
    return [(peer, orderer) for orderer in (leader, *followers)]
