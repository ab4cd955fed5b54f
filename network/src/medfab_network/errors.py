"""Errors of `medfab_network`.

```
NetworkError                 anything below; its text says what to do next
├── TopologyError            the topology file is wrong; names the place in it
├── BuildError               Fabric's binaries could not be found or built
├── ImageError               a container image cannot be made
├── EngineError              Docker is not installed, not running, or refuses
├── DirectoryError           the network directory is in use, foreign or damaged
├── PortInUseError           a port of the topology is taken by another program
├── NodeFailedError          a node ended or never became ready; carries its last log lines
└── NotRunningError          the call needs a running network
```
"""

from __future__ import annotations


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


class NotRunningError(NetworkError):
    """There is no running network in the directory."""

    exit_code = 4
