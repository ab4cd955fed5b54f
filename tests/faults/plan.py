"""Which faults there are, and in which order: each kind of node, by each way of failing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from faults.site import Site

BY_ITSELF = "by itself"
STARTED = "started again"


@dataclass(frozen=True)
class Fault:
    """One way in which something fails."""

    family: str
    target: str
    action: str
    do: Callable[[Site], Awaitable[str]] = field(compare=False)
    """Does it and undoes it; returns what had to be done for things to come back."""
    needs_disks: bool = False

    @property
    def name(self) -> str:
        return f"{self.target}, {self.action}"


def plain(rounds: int) -> Iterator[Fault]:
    """On a network of plain processes: in each round every target is killed once, in the first one
    everything else is done, too."""
    from faults import certificates, clocks, databases, ends

    for number in range(rounds):
        for target in ends.TARGETS:
            yield ends.killed(target)
            if number == 0:
                yield from ends.stopped_and_paused(target)
    yield from databases.faults()
    yield from clocks.faults()
    yield from certificates.faults()


def relayed() -> Iterator[Fault]:
    """On a network whose links go through a relay, and whose disks can be full."""
    from faults import full, links

    yield from links.faults()
    yield from full.faults()


def small() -> Iterator[Fault]:
    """One or two of each family, for the tests of every day; on the second network."""
    from faults import certificates, clocks, databases, ends, full, links

    yield ends.killed("peer of the clients")
    yield ends.killed("orderer leader")
    yield from (f for f in links.faults() if f.name in _SMALL)
    yield from (f for f in full.faults() if f.name in _SMALL)
    yield from (f for f in databases.faults() if f.name in _SMALL)
    yield from (f for f in certificates.faults() if f.name in _SMALL)
    yield from (f for f in clocks.faults() if f.name in _SMALL)


_SMALL = {
    "orderer leader and followers, cut",
    "peer of another organisation, disk full",
    "PostgreSQL of the consumer, kill -9",
    "client's clock, off by an hour",
    "client's certificate, expired",
}
