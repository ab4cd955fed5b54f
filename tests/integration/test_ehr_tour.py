"""docs/ehr-tour.md: its commands, in order, on the network of the tests."""

import asyncio
import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from integration.conftest import Consortium
from integration.network_help import MEDFAB
from integration.projection_help import projected_rows
from pages import ran

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
        timeout=900,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-5000:]}"
    assert "signed by" in done.stdout
    agent = (tmp_path / "keys.log").read_text()
    assert "access-permitted" in agent
    assert "glass-broken" in agent
    ran(PAGE, *_SCRIPT.findall(PAGE.read_text()))


async def test_a_rebuild_has_the_rows_of_the_live_projection(
    consortium: Consortium, tmp_path: Path
) -> None:
    """Disclosures and notifications, followed as the regulator's auditor, and made once more."""
    file = tmp_path / "consumers.toml"
    file.write_text(
        f"""
[gateway]
directory = "{consortium.running_network.directory}"
organization = "regulator"
identity = "auditor"

[[consumer]]
name = "records"
channel = "care"
database = "records.sqlite"
projections = ["health-records"]
"""
    )
    database = tmp_path / "records.sqlite"
    height = await consortium.running_network.ledger_height("regulator", "care")
    with subprocess.Popen(
        [MEDFAB, "events", "run", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as service:
        try:
            async with asyncio.timeout(120):
                while not is_at(database, height):
                    await asyncio.sleep(0.2)
        finally:
            service.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(service.wait, 60) == 0
    live = projected_rows(database)
    assert sum(map(len, live.values())) > 5
    rebuild: list[str | Path] = [MEDFAB, "events", "rebuild", file, "records"]
    done = await asyncio.to_thread(
        lambda: subprocess.run(rebuild, capture_output=True, text=True, timeout=120)
    )
    assert done.returncode == 0, done.stderr
    assert projected_rows(database) == live


def is_at(database: Path, height: int) -> bool:
    """Whether the consumer has handled as many blocks."""
    if not database.exists():
        return False
    with contextlib.closing(sqlite3.connect(database)) as connection:
        try:
            found = connection.execute("SELECT next_block FROM medfab_consumers").fetchall()
        except sqlite3.OperationalError:
            return False  # it has not made its tables yet
    return bool(found) and found[0][0] >= height
