"""Waiting until a peer has the private data that is to be had.

No call of Fabric tells what a peer misses. What it logs does: at each block, how many sets of
private data it may have and has not; and how many it has fetched since. Both are numbers. (At the
level `debug` this logger writes the data itself: that level is no way to know more.)
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from medfab_network._health import counter, wait_until
from medfab_network._runner import Runner
from medfab_network.topology import Channel, Node

CATCHING_UP: Mapping[str, str] = {
    # Otherwise each block with data that nobody has any more holds the peer up for a minute.
    "CORE_PEER_GOSSIP_PVTDATA_PULLRETRYTHRESHOLD": "0s",
    "CORE_PEER_GOSSIP_PVTDATA_RECONCILESLEEPINTERVAL": "1s",
    "CORE_PEER_GOSSIP_PVTDATA_RECONCILEBATCHSIZE": "100",
    # What was not to be had at first is asked for again; Fabric does so once an hour.
    "CORE_LEDGER_PVTDATASTORE_DEPRIORITIZEDDATARECONCILERINTERVAL": "2s",
}
"""Environment of a peer that catches up."""

_ROUNDS = 8
"""Rounds of asking, one second each, in which nothing new comes, before it is given up."""
_ROUNDS_DONE = "gossip_privdata_reconciliation_duration_count"
_TIMEOUT = 3600.0

# The list of what is lacking goes over several lines; the channel comes after it.
_LACKING = re.compile(
    r"Could not fetch \(or mark to reconcile later\) (\d+) eligible collection private write sets "
    r"for block \[\d+\] \((\d+) from local cache, (\d+) from transient store, (\d+) from other "
    r"peers\)[^\[]*\[[^\]]*\] channel=(\S+)"
)
_FETCHED = re.compile(r"reconciled (\d+) private data keys[^\n]* channel=(\S+)")
_NOBODY = re.compile(
    r"(?:No available peers for digests|that matches the policies , aborting)[^\n]* channel=(\S+)"
)


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What has become of the private data that a peer lacked."""

    fetched: int
    """Sets of one transaction and collection."""
    missing: int
    """Sets that no peer has that answers. With a snapshot the peer does not tell their number: 1
    then stands for some."""


def read(log: str, channel: str) -> Reconciled:
    """From what a peer has logged since it started."""
    lacking = sum(
        int(every) - int(cached) - int(stored) - int(pulled)
        for every, cached, stored, pulled, of in _LACKING.findall(log)
        if of == channel
    )
    fetched = sum(int(count) for count, of in _FETCHED.findall(log) if of == channel)
    nobody = channel in _NOBODY.findall(log)
    return Reconciled(fetched=fetched, missing=max(lacking - fetched, int(nobody and not lacking)))


async def reconciled(
    node: Node,
    channel: Channel,
    processes: Runner,
    context: ssl.SSLContext,
    *,
    since: float,
    by_snapshot: bool,
) -> Reconciled:
    """Wait until nothing is missing, or nothing more comes.

    since: the mark of its log from before it started. by_snapshot: it does not log then what it
    lacks.
    """
    last = Reconciled(fetched=-1, missing=0)
    rounds_then = 0.0

    async def is_done() -> bool:
        nonlocal last, rounds_then
        rounds = await counter(node, context, _ROUNDS_DONE, channel.name) or 0.0
        now = read(await asyncio.to_thread(processes.log_since, node.name, since), channel.name)
        if not by_snapshot and not now.missing:
            last = now
            return True
        if now != last:
            last, rounds_then = now, rounds
            return False
        return rounds - rounds_then >= _ROUNDS

    await wait_until(
        is_done,
        node=node.name,
        what=f"private data of {channel.name}",
        processes=processes,
        timeout=_TIMEOUT,
    )
    return last
