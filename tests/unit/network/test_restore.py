"""Which network an archive may come back into."""

from __future__ import annotations

import pytest

from medfab_network import load_topology
from medfab_network._restore import restorable
from medfab_network.errors import TopologyError


def test_processes_do_not_come_back_as_containers() -> None:
    processes = load_topology(None)
    containers = processes.with_containers()
    with pytest.raises(TopologyError, match="in processes, and the one here is of containers"):
        restorable(containers, processes, "clinic")
    with pytest.raises(TopologyError, match="in containers, and the one here is of processes"):
        restorable(processes, containers, "clinic")


def test_the_organisation_is_the_one_that_is_there() -> None:
    archived = load_topology(None)
    running = archived.with_orderers(3)  # it has grown since
    assert restorable(running, archived, "clinic") is running
    moved = archived.with_base_port(30000)
    with pytest.raises(TopologyError, match="of another network"):
        restorable(moved, archived, "clinic")
