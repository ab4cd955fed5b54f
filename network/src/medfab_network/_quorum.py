"""How many orderers have to agree."""

from __future__ import annotations

from medfab_network.topology import RAFT


def quorum(consensus: str, count: int) -> int:
    """How many of so many consenters have to agree."""
    if consensus == RAFT:
        return count // 2 + 1
    faulty = (count - 1) // 3
    return (count + faulty + 2) // 2  # half of n + f + 1, rounded up
