"""Runs a Hyperledger Fabric consortium from one topology file.

```python
from pathlib import Path
from medfab_network import Network

async with Network(Path(".medfab")).running() as network:
    async with network.gateway("hospital", "practitioner") as gateway:
        contract = gateway.network("care").contract("ehr")
```
"""

from importlib.metadata import version as _version

from medfab_network._node_change import NodeReport
from medfab_network._status import NodeStatus
from medfab_network._up import UpReport
from medfab_network.errors import (
    BuildError,
    DirectoryError,
    LostDisk,
    LostDiskError,
    NetworkError,
    NodeFailedError,
    NotRunningError,
    PortInUseError,
    QuorumError,
    TopologyError,
)
from medfab_network.network import Network
from medfab_network.topology import Topology, User, load_topology, parse_topology

__version__ = _version("medfab-network")

__all__ = [
    "BuildError",
    "DirectoryError",
    "LostDisk",
    "LostDiskError",
    "Network",
    "NetworkError",
    "NodeFailedError",
    "NodeReport",
    "NodeStatus",
    "NotRunningError",
    "PortInUseError",
    "QuorumError",
    "Topology",
    "TopologyError",
    "UpReport",
    "User",
    "load_topology",
    "parse_topology",
]
