"""docs/ehr-tour.md: its commands, in order, on the network of the tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from integration.conftest import Consortium

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "ehr-tour.md"
_SCRIPT = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_tour(consortium: Consortium, tmp_path: Path) -> None:
    script = "set -euo pipefail\n" + "\n".join(_SCRIPT.findall(PAGE.read_text()))
    assert script.count("medfab ehr") > 5
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MEDFAB_")}
    programs = str(Path(sys.executable).parent)
    environment |= {
        "MEDFAB_DIR": str(consortium.running_network.directory),
        "MEDFAB_DOCUMENTS": str(tmp_path / "documents"),
        "PATH": f"{programs}:{environment['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-x", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-5000:]}"
    assert "signed by" in done.stdout
    agent = (tmp_path / "keys.log").read_text()
    assert "access-permitted" in agent
    assert "glass-broken" in agent
