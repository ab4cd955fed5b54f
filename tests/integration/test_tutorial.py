"""docs/tutorial.md, worked through from its first step to its last, on a network of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from integration.conftest import on_free_ports
from medfab_network import Topology
from medfab_network.topology import parse_topology
from tutorial_page import actions, steps, work_through

pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("binaries")
def test_the_tutorial_runs_as_written(tmp_path: Path) -> None:
    try:
        work_through(steps(), tmp_path, base_port=on_free_ports(topology()).base_port)
        assert not (tmp_path / ".medfab").exists()
    finally:  # a step that failed has left its network running
        medfab = str(Path(sys.executable).parent / "medfab")
        clean = [medfab, "network", "clean", "--yes"]
        subprocess.run(clean, cwd=tmp_path, timeout=60, check=True)


def topology() -> Topology:
    """The page's topology file."""
    (content,) = (a["content"] for a in actions(steps()[4]) if a["file"] == "network.yaml")
    return parse_topology(yaml.safe_load(content))
