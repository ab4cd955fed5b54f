"""Pages for administrators, run as written, each on a network of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from integration.conftest import on_free_ports
from integration.network_help import MEDFAB
from medfab_network import parse_topology
from medfab_network.topology import ready_made
from tutorial_page import actions, run_page

pytestmark = pytest.mark.integration

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.usefixtures("binaries")
@pytest.mark.parametrize(
    "name",
    [
        "add-an-organization.md",
        "upgrade-a-contract.md",
        "orderers.md",
        "replace-a-node.md",
        "production.md",
    ],
)
def test_the_page_runs_as_written(name: str, tmp_path: Path) -> None:
    page = DOCS / name
    files = [action for action in actions(page.read_text()) if action["file"]]
    topologies = [each["content"] for each in files if each["file"].endswith(".yaml")]
    # Room for all that is started, and for what may come.
    topology = parse_topology(
        yaml.safe_load(max(topologies, key=len, default=ready_made("laptop")))
    )
    try:
        run_page(page, tmp_path, base_port=on_free_ports(topology).base_port)
        assert not (tmp_path / ".medfab").exists()
    finally:  # a step that failed has left its network running, and its own processes
        for file in tmp_path.glob("*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(file.read_text()), signal.SIGTERM)
        subprocess.run([MEDFAB, "network", "clean", "--yes"], cwd=tmp_path, timeout=60, check=True)
