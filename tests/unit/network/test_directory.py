"""What `Network` does to a directory, and what it leaves alone. No node is started."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from medfab_network import (
    BuildError,
    DirectoryError,
    Network,
    NotRunningError,
    Topology,
    TopologyError,
    User,
    parse_topology,
)


def small(**changes: Any) -> Topology:
    return parse_topology(
        {
            "ordering": {},
            "organizations": [{"name": "clinic", "msp_id": "ClinicMSP"}],
            "channels": [{"name": "care", "organizations": ["clinic"]}],
            **changes,
        }
    )


def claimed(directory: Path, topology: Topology | None = None) -> Network:
    """A network whose `up` got as far as claiming the directory."""
    network = Network(directory, topology or small())
    with network.exclusive():
        network._folder.claim(network.topology)
    return network


def contents(directory: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in directory.iterdir() if p.is_file()}


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Somebody's folder, with the very names that are used in a network directory."""
    folder = tmp_path / "project"
    (folder / "organizations").mkdir(parents=True)
    (folder / "topology.yaml").write_text("my: own\n")
    (folder / "lock").write_text("mine")
    return folder


async def test_a_foreign_directory_is_refused_and_left_as_it_is(foreign: Path) -> None:
    before = contents(foreign)
    network = Network(foreign, small())
    assert not network.exists
    for act in (network.down, network.clean):
        with pytest.raises(DirectoryError, match="holds no network"):
            await act()
    with pytest.raises(DirectoryError, match="holds no network"), network.exclusive():
        pass
    with pytest.raises(DirectoryError, match="holds no network"):
        network.mark_as_demo()
    assert contents(foreign) == before
    assert (foreign / "organizations").is_dir()


@pytest.mark.parametrize("name", ["notes.txt", "organizations", "topology.yaml", "lock"])
async def test_one_foreign_file_is_enough(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(DirectoryError, match="holds no network"):
        claimed(tmp_path)
    with pytest.raises(DirectoryError, match="holds no network"):
        await Network(tmp_path).clean()
    assert contents(tmp_path) == {name: "mine"}


async def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DirectoryError, match="holds no network"):
        claimed(tmp_path / "file")


def test_the_directory_is_private_even_if_it_was_there(tmp_path: Path) -> None:
    for directory in (tmp_path / "new" / "net", tmp_path / "old"):
        if directory.name == "old":
            directory.mkdir(mode=0o755)
        network = claimed(directory)
        assert directory.stat().st_mode & 0o777 == 0o700
        assert network.exists


def test_the_topology_stays_with_the_directory(tmp_path: Path) -> None:
    claimed(tmp_path / "net", small(base_port=23000))
    again = Network(tmp_path / "net")
    assert again.exists
    assert again.topology == small(base_port=23000)
    assert Network(tmp_path / "other").topology.name == "medfab"


def test_one_directory_however_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "net")
    monkeypatch.chdir(tmp_path / "work")
    names = [Path("../net"), tmp_path / "net", tmp_path / "work" / ".." / "net", Path("../link")]
    assert {Network(name).directory for name in names} == {tmp_path / "net"}


def test_another_topology_is_refused_but_chaincode_may_change(tmp_path: Path) -> None:
    claimed(tmp_path)
    with pytest.raises(DirectoryError, match="made for another topology"):
        claimed(tmp_path, small(base_port=23000))
    chaincode = {"name": "ehr", "channel": "care", "contract": "module:Contract"}
    claimed(tmp_path, small(chaincodes=[chaincode]))
    assert [c.version for c in Network(tmp_path).topology.chaincodes] == ["1.0"]


@pytest.mark.parametrize("content", ["{", "organizations: 7\n", ""])
def test_a_damaged_topology(tmp_path: Path, content: str) -> None:
    claimed(tmp_path)
    (tmp_path / "topology.yaml").write_text(content)
    with pytest.raises(DirectoryError, match=r"topology\.yaml is damaged"):
        Network(tmp_path)


async def test_a_lost_topology_can_be_cleaned_up(tmp_path: Path) -> None:
    directory = tmp_path / "net"
    claimed(directory)
    (directory / "organizations").mkdir()
    (directory / "topology.yaml").unlink()
    with pytest.raises(DirectoryError, match="without its topology"):
        claimed(directory)
    assert await Network(directory).clean() == []
    assert not directory.exists()


async def test_another_command_at_work(tmp_path: Path) -> None:
    network, other = claimed(tmp_path), Network(tmp_path)
    with network.exclusive():
        for act in (other.down, other.clean):
            with pytest.raises(DirectoryError, match="another medfab command"):
                await act()
        with network.exclusive():
            pass
        with pytest.raises(DirectoryError, match="another medfab command"), other.exclusive():
            pass
    assert await other.down() == []


def test_a_killed_command_leaves_no_lock(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from medfab_network import Network\n"
        "with Network(Path(sys.argv[1])).exclusive():\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = subprocess.run([sys.executable, "-c", program, tmp_path / "net"], timeout=30)
    assert run.returncode == -9
    assert (tmp_path / "net" / "lock").exists()
    claimed(tmp_path / "net")


async def test_clean_leaves_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "net"
    network = Network(directory, small())
    network.mark_as_demo()
    assert network.is_of_demo
    claimed(directory)
    (directory / "organizations" / "clinic").mkdir(parents=True)
    assert await network.clean() == []
    assert list(tmp_path.iterdir()) == []
    assert not network.exists
    assert await network.clean() == []
    assert await network.down() == []


async def test_clean_inside_a_longer_work_keeps_the_lock(tmp_path: Path) -> None:
    directory = tmp_path / "net"
    network = claimed(directory)
    with network.exclusive():
        await network.clean()
        assert [path.name for path in directory.iterdir()] == ["lock"]
        with pytest.raises(DirectoryError, match="another medfab command"):
            await Network(directory).clean()
        network._folder.claim(network.topology)
    assert Network(directory).exists


async def test_calls_that_need_a_network_say_so(tmp_path: Path) -> None:
    network = Network(tmp_path / "net", small())
    with pytest.raises(NotRunningError, match="medfab network up"):
        network.gateway("clinic")
    with pytest.raises(NotRunningError, match="medfab network up"):
        await network.enrol_user("clinic", User(name="doctor"))
    with pytest.raises(NotRunningError, match=r"no log of 'peer9'.*peer0\.clinic"):
        network.log_tail("peer9", 10)
    with pytest.raises(TopologyError, match="'bank'"):
        network.gateway("bank")
    assert {status.pid for status in await network.status()} == {None}
    assert not (tmp_path / "net").exists()


async def test_up_without_programs_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    network = Network(tmp_path / "net", small(), bin_dir=tmp_path / "bin")
    with pytest.raises(BuildError, match="holds no"):
        await network.up()
    assert not (tmp_path / "net").exists()


async def test_a_cancelled_stop_kills_and_stays_cancelled(tmp_path: Path) -> None:
    """Ctrl-C while `running()` takes the network down must not be swallowed."""
    network = claimed(tmp_path)
    stubborn = ["sh", "-c", "trap '' TERM; echo ready; exec sleep 60"]
    network._processes.start("peer0.clinic", stubborn, {}, tmp_path)
    while "ready" not in network._processes.log_tail("peer0.clinic"):
        await asyncio.sleep(0.01)
    stopping = asyncio.create_task(network._shielded_stop(["peer0.clinic"]))
    await asyncio.sleep(0.1)
    assert network.processes()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(stopping, 5)
    assert network.processes() == {}
