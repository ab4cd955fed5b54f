"""Room on the disks of nodes: what counts as low, and what `medfab network status` says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from medfab_network import Network, load_topology
from medfab_network import _status as status_module
from medfab_network._disk import DiskSpace, disk_space
from medfab_network.cli import network

GIB = 1 << 30


@pytest.mark.parametrize(
    ("total", "free", "low"),
    [
        (100 * GIB, 11 * GIB, False),
        (100 * GIB, 9 * GIB, True),
        (5 * GIB, GIB, False),
        (5 * GIB, GIB - 1, True),
    ],
)
def test_when_a_disk_is_low(total: int, free: int, low: bool) -> None:
    assert DiskSpace(device=1, total=total, free=free).is_low is low


def test_the_disk_of_a_folder(tmp_path: Path) -> None:
    found = disk_space(tmp_path)
    assert found is not None
    assert 0 < found.free <= found.total
    assert disk_space(tmp_path / "nothing") is None


def test_a_low_disk_is_warned_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "net"
    topology = load_topology(Path(__file__).parents[2] / "integration" / "two_providers.yaml")
    made = Network(directory, topology)
    with made.exclusive():
        (directory / "topology.yaml").write_text(
            (Path(__file__).parents[2] / "integration" / "two_providers.yaml").read_text()
        )
    looked: list[Path] = []

    def nearly_full(folder: Path) -> DiskSpace:
        looked.append(folder)
        return DiskSpace(device=1, total=64 * GIB, free=GIB // 2 - len(looked))

    monkeypatch.setattr(status_module, "disk_space", nearly_full)
    result = CliRunner().invoke(network, ["status", "--dir", str(directory)])
    assert result.exit_code == 1  # nothing runs
    warnings = [line for line in result.stderr.splitlines() if line.startswith("Warning")]
    assert len(warnings) == 1
    assert "0.5 GiB of 64.0 GiB left on the disk of ca." in warnings[0]
    nodes = json.loads(
        CliRunner().invoke(network, ["status", "--dir", str(directory), "--json"]).stdout
    )
    for node in nodes:
        assert node["disk_is_low"] is (None if node["kind"] == "chaincode" else True)
    folders = {str(path.relative_to(directory.resolve())) for path in looked}
    assert {"organizations/hospital/ca", "organizations/hospital/nodes/peer0.hospital/data"} <= (
        folders
    )
