"""Errors of `medfab_network`.

```
NetworkError                 anything below; its text says what to do next
├── TopologyError            the topology file is wrong; names the place in it
├── BuildError               Fabric's binaries could not be found or built
├── ImageError               a container image cannot be made
├── EngineError              Docker is not installed, not running, or refuses
├── DirectoryError           the network directory is in use, foreign or damaged
├── ArchiveError             a backup is not whole, not ours, or does not open with this key
├── PortInUseError           a port of the topology is taken by another program
├── NodeFailedError          a node ended or never became ready; carries its last log lines
├── LostDiskError            an orderer has lost its blocks, and must not begin anew
├── QuorumError              so few orderers are well that a change could stop a channel
└── NotRunningError          the call needs a running network
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class NetworkError(Exception):
    """Root of the errors of this distribution."""

    exit_code = 1
    """What the command line makes of it; see `medfab --help`."""


class TopologyError(NetworkError):
    """The topology cannot be used; the text names the place in the file."""

    exit_code = 2


class BuildError(NetworkError):
    """Fabric's binaries are neither there nor can they be built."""


class ImageError(NetworkError):
    """A container image is neither there nor can it be made."""


class EngineError(NetworkError):
    """The Docker engine cannot be reached, or refuses what it is asked."""

    exit_code = 5


class DirectoryError(NetworkError):
    """The network directory is busy, foreign or damaged."""

    exit_code = 6


class ArchiveError(NetworkError):
    """A backup, or what it is sealed with, cannot be used. Nothing has been changed."""


class PortInUseError(NetworkError):
    """A port that the topology needs is taken."""

    exit_code = 6


class NodeFailedError(NetworkError):
    """A node ended, or did not get ready.

    `node` is its name, `log_tail` the last lines that it logged (may be empty).
    """

    def __init__(self, node: str, reason: str, log_tail: str) -> None:
        self.node = node
        self.log_tail = log_tail
        text = f"{node} {reason}"
        if log_tail:
            text += f"; its last log lines:\n{log_tail}"
        super().__init__(text)


@dataclass(frozen=True, kw_only=True)
class LostDisk:
    """An orderer without the blocks of a channel that has gone on."""

    node: str
    channel: str


class LostDiskError(NetworkError):
    """So many orderers have lost their blocks that the others cannot go on. `lost` names them."""

    def __init__(self, lost: Sequence[LostDisk]) -> None:
        self.lost = tuple(lost)
        names = ", ".join(sorted({each.node for each in lost}))
        channels = ", ".join(sorted({each.channel for each in lost}))
        super().__init__(
            f"{names}: no blocks of {channels} are left there, and too few other orderers have "
            "them to go on. Peers have the blocks, but cannot order. Put back a backup of an "
            "orderer's disk; to begin anew with the first block would make other blocks in the "
            "place of those that the peers have"
        )


class QuorumError(NetworkError):
    """Orderers cannot be changed now: a channel could be left without a majority of them."""

    exit_code = 6


class NotRunningError(NetworkError):
    """There is no running network in the directory."""

    exit_code = 4
