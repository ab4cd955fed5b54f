"""`medfab network up` cut off in the middle: by SIGKILL, by Ctrl-C, by SIGTERM, by two at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from integration.network_help import (
    MEDFAB,
    consortium,
    is_registered,
    mentions,
    processes_of,
    register_patient,
)
from medfab_network import Network

pytestmark = pytest.mark.integration

STAGES = ["certificate authorities", "channels", "peers see each other", "chaincode"]


class Up:
    """One `medfab network up`, as a shell at a terminal starts it: a process group of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        topology = consortium()
        self.nodes = sorted(node.name for node in topology.nodes())
        self._file = directory.parent / "topology.yaml"
        self._file.write_text(yaml.safe_dump(dict(topology.source)))

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [MEDFAB, "network", "up", "--dir", self.directory, "--topology", self._file],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def cut_off(self, number: signal.Signals, stage: str, seconds: float) -> tuple[int, str]:
        """Signal the group `seconds` after the stage began; the exit code and all that was said."""
        with self.start() as process:
            assert process.stderr is not None
            said = ""
            while f"… {stage}" not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            time.sleep(seconds)
            os.killpg(process.pid, number)
            said += process.stderr.read()
            return process.wait(timeout=15), said


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Up]:
    directory = tmp_path / "net"
    yield Up(directory)
    await Network(directory).clean()
    assert mentions(directory) == []


@pytest.mark.parametrize(
    ("stage", "seconds"),
    [(STAGES[0], 0.1), (STAGES[0], 0.8), (STAGES[1], 0.1), (STAGES[3], 0.25)],
)
async def test_up_goes_on_after_kill_9(up: Up, stage: str, seconds: float) -> None:
    code, _ = up.cut_off(signal.SIGKILL, stage, seconds)
    assert code == -signal.SIGKILL
    survivors = {process.node: process.pid for process in processes_of(up.directory)}
    assert survivors  # nodes have sessions of their own

    network = Network(up.directory)
    report = await network.up()
    assert [process.node for process in processes_of(up.directory)] == up.nodes
    assert set(report.started) == set(up.nodes) - set(survivors)
    assert survivors.items() <= network.processes().items()
    assert await is_registered(network, await register_patient(network))


@pytest.mark.parametrize(
    ("number", "stage", "seconds"),
    [
        (signal.SIGINT, STAGES[0], 0.5),
        (signal.SIGINT, STAGES[2], 0.1),
        (signal.SIGTERM, STAGES[1], 0.1),
    ],
)
async def test_ctrl_c_leaves_nothing_running(
    up: Up, number: signal.Signals, stage: str, seconds: float
) -> None:
    code, said = up.cut_off(number, stage, seconds)
    assert code == 130, said
    assert said.rstrip().endswith("Interrupted.")
    assert "Traceback" not in said
    assert processes_of(up.directory) == []
    assert mentions(up.directory) == []


async def test_up_goes_on_after_ctrl_c(up: Up) -> None:
    up.cut_off(signal.SIGINT, STAGES[3], 0.2)
    network = Network(up.directory)
    assert sorted((await network.up()).started) == up.nodes
    assert await is_registered(network, await register_patient(network))


async def test_a_second_ctrl_c_does_not_wait(up: Up) -> None:
    """A node that ignores SIGTERM (here: stopped) is killed at once."""
    with up.start() as process:
        assert process.stderr is not None
        said = ""
        while f"… {STAGES[2]}" not in said:
            said += (line := process.stderr.readline())
            assert line, said
        stopped = next(p for p in processes_of(up.directory) if p.node == "orderer0.orderer")
        os.kill(stopped.pid, signal.SIGSTOP)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(1.0)
        os.killpg(process.pid, signal.SIGINT)
        said += process.stderr.read()
        assert process.wait(timeout=15) == 130, said
    assert time.monotonic() - began < 5
    assert "Traceback" not in said
    assert processes_of(up.directory) == []


async def test_two_at_once(up: Up) -> None:
    """One brings the network up; the other says that it is at work, and disturbs nothing."""
    with up.start() as one, up.start() as other:
        said = [one.communicate(timeout=60)[1], other.communicate(timeout=60)[1]]
        assert sorted((one.returncode, other.returncode)) == [0, 6], said
    assert any("another medfab command is working" in text for text in said)
    assert [process.node for process in processes_of(up.directory)] == up.nodes
