"""The README's tour, run as it is written, in a folder and on ports of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from integration.conftest import TOPOLOGY, on_free_ports
from medfab_network import load_topology
from pages import ran

pytestmark = pytest.mark.integration

README = Path(__file__).parents[2] / "README.md"


def test_the_five_minute_tour_runs_as_written(tmp_path: Path) -> None:
    topology = on_free_ports(load_topology(TOPOLOGY))
    (tmp_path / "topology.yaml").write_text(yaml.safe_dump(dict(topology.source)))
    script = ["set -euo pipefail", "trap 'medfab network down >&2' EXIT"]
    for language, block in tour():
        if language == "python":
            (tmp_path / "tour.py").write_text(block)
            script.append(f"{sys.executable} tour.py")
        elif "ListAccess" in block:  # the README says that this one is refused
            refused, following = block.split("\nmedfab events", 1)
            script += [f"{refused} && exit 99 || test $? = 3", f"medfab events{following}"]
        elif "source .venv" not in block:
            script.append(block)
        else:
            script.append("\n".join(line for line in block.splitlines() if "source" not in line))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MEDFAB_TOPOLOGY": "topology.yaml",
    }
    # The tour asks before it deletes; here nobody answers.
    text = "\n".join(script).replace("medfab network clean", "medfab network clean --yes")
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "False no-consent" in done.stdout
    assert "CommitChaincodeDefinition" in done.stdout
    assert not (tmp_path / ".medfab").exists()
    ran(README, *(block for _, block in tour()))


def tour() -> list[tuple[str, str]]:
    """The fenced blocks of the section, with their language."""
    section = README.read_text().split("## Five-minute tour")[1].split("\n## ")[0]
    return re.findall(r"```(\w*)\n(.*?)```", section, re.DOTALL)


def test_the_readme_names_the_two_commands() -> None:
    text = README.read_text()
    assert text.index("make demo") < text.index("make test") < text.index("##")
