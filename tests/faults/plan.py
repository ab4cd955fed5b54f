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
    """One of most families, for the tests of every day; on the second network. Databases have a
    test of their own there (`test_consumers_faults.py`)."""
    from faults import certificates, clocks, ends, full, links

    yield ends.killed("peer of the clients")
    for family in (links, full, certificates, clocks):
        yield from (fault for fault in family.faults() if fault.name in _SMALL)


_SMALL = {
    "orderer leader and followers, cut",
    "peer of another organisation, disk full",
    "client's certificate, expired",
    "client's clock, off by an hour",
}
