"""Nodes as plain processes, on small real children."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medfab_network import NodeFailedError, load_topology
from medfab_network._processes import NodeProcesses

SLEEP = ["sleep", "60"]
# Says `ready` once SIGTERM is ignored, which is inherited by what it turns into.
STUBBORN = ["sh", "-c", "trap '' TERM; echo ready; exec sleep 60"]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[NodeProcesses]:
    ours = NodeProcesses(tmp_path / "net", tmp_path / "net" / "logs")
    yield ours
    ours.kill_now()
    eventually(lambda: all(child.poll() is not None for child in ours._children.values()))
    eventually(lambda: not ours.running())


def eventually(check: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def start(processes: NodeProcesses, node: str, command: list[str], **environment: str) -> int:
    processes.start(node, command, environment, Path("/"))
    return processes.running()[node]


async def test_a_node_is_found_by_its_marker(processes: NodeProcesses, tmp_path: Path) -> None:
    assert processes.running() == {}
    pid = start(processes, "peer0.clinic", SLEEP, COLOUR="red")
    directory = tmp_path / "net"
    eventually(lambda: Path(f"/proc/{pid}/environ").read_bytes() != b"")
    marker = f"MEDFAB_NODE={directory}|peer0.clinic".encode()
    assert marker in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    another_command = NodeProcesses(directory, directory / "logs")
    eventually(lambda: another_command.running() == {"peer0.clinic": pid})
    assert another_command.environment("peer0.clinic")["COLOUR"] == "red"
    assert another_command.environment("peer1.clinic") == {}
    assert await another_command.stop() == ["peer0.clinic"]
    assert processes.running() == {}


def test_a_node_has_a_session_of_its_own_and_a_clean_environment(
    processes: NodeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_PEER_LOCALMSPID", "somebody else's")
    monkeypatch.setenv("FABRIC_CFG_PATH", "/elsewhere")
    pid = start(processes, "node", SLEEP)
    assert os.getsid(pid) == pid
    assert set(processes.environment("node")) <= {
        *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "MEDFAB_NODE")
    }


def test_files_of_a_node_are_private(processes: NodeProcesses, tmp_path: Path) -> None:
    written = tmp_path / "written"
    processes.start("node", ["touch", str(written)], {}, tmp_path)
    eventually(written.exists)
    assert written.stat().st_mode & 0o777 == 0o600


async def test_another_process_with_the_same_command_is_left_alone(
    processes: NodeProcesses, tmp_path: Path
) -> None:
    with subprocess.Popen(SLEEP) as stranger:
        near = NodeProcesses(tmp_path / "network", tmp_path / "logs")
        below = NodeProcesses(Path(f"{tmp_path / 'net'}|x"), tmp_path / "logs")
        start(near, "node", SLEEP)
        start(below, "node", SLEEP)
        pid = start(processes, "node", SLEEP)
        try:
            assert processes.running() == {"node": pid}
            assert await processes.stop() == ["node"]
            assert stranger.poll() is None
            assert list(near.running()) == ["node"]
            assert list(below.running()) == ["node"]
        finally:
            stranger.kill()
            assert await near.stop() == ["node"]
            assert await below.stop() == ["node"]


async def test_only_the_named_nodes_are_stopped(processes: NodeProcesses) -> None:
    start(processes, "one", SLEEP)
    start(processes, "two", SLEEP)
    assert await processes.stop(["one", "three"]) == ["one"]
    assert list(processes.running()) == ["two"]
    assert await processes.stop([]) == []
    assert await processes.stop() == ["two"]


async def test_sigterm_first_and_sigkill_after_the_grace(processes: NodeProcesses) -> None:
    start(processes, "polite", SLEEP)
    start(processes, "stubborn", STUBBORN)
    eventually(lambda: "ready" in processes.log_tail("stubborn"))
    stopping = asyncio.create_task(processes.stop(grace=0.5))
    await asyncio.sleep(0.2)
    assert list(processes.running()) == ["stubborn"]
    assert await stopping == ["polite", "stubborn"]
    assert processes.running() == {}


async def test_a_child_that_outlives_its_node_is_stopped_too(processes: NodeProcesses) -> None:
    pid = start(processes, "node", ["sh", "-c", "sleep 60 & echo ready; wait"])
    eventually(lambda: "ready" in processes.log_tail("node"))
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: processes.running().get("node", pid) != pid)
    assert await processes.stop() == ["node"]
    assert processes.running() == {}


def test_kill_now_does_not_wait_for_anybody(processes: NodeProcesses) -> None:
    start(processes, "stubborn", STUBBORN)
    eventually(lambda: "ready" in processes.log_tail("stubborn"))
    processes.kill_now()
    eventually(lambda: not processes.running())


def test_a_node_that_ends_at_its_start_tells_its_last_lines(processes: NodeProcesses) -> None:
    script = "for i in 1 2 3; do echo line $i; done; echo why >&2; exit 3"
    processes.start("peer0.clinic", ["sh", "-c", script], {}, Path("/"))
    eventually(lambda: not processes.running())
    with pytest.raises(NodeFailedError) as caught:
        processes.check_alive("peer0.clinic")
    assert caught.value.node == "peer0.clinic"
    assert caught.value.log_tail == "line 1\nline 2\nline 3\nwhy"
    assert "peer0.clinic ended with exit code 3" in str(caught.value)
    assert str(caught.value).endswith("why")


def test_a_node_ended_by_a_signal_says_so(processes: NodeProcesses) -> None:
    os.kill(start(processes, "node", SLEEP), signal.SIGKILL)
    eventually(lambda: not processes.running())
    with pytest.raises(NodeFailedError, match="ended by signal 9"):
        processes.check_alive("node")
    processes.check_alive("nobody has started this")


async def test_a_node_that_another_program_has_started_again_is_alive(
    processes: NodeProcesses, tmp_path: Path
) -> None:
    start(processes, "node", SLEEP)
    await processes.stop()
    other = NodeProcesses(tmp_path / "net", tmp_path / "net" / "logs")
    pid = start(other, "node", SLEEP)
    eventually(lambda: processes.running() == {"node": pid})
    processes.check_alive("node")
    await other.stop()


def test_a_program_that_is_not_there(processes: NodeProcesses) -> None:
    with pytest.raises(NodeFailedError, match=r"node cannot be started \(/no/program: No such"):
        processes.start("node", ["/no/program"], {}, Path("/"))


def test_logs_are_appended_and_their_tail_is_short(processes: NodeProcesses) -> None:
    assert processes.log_tail("node") == ""
    for word in ("first", "second"):
        processes.start("node", ["echo", word], {}, Path("/"))
        eventually(lambda: not processes.running())
    assert processes.log_tail("node") == "first\nsecond"
    assert processes.log_tail("node", 1) == "second"
    processes.log_file("node").write_bytes(b"x" * 100_000 + b"\xff\nlast")
    assert len(processes.log_tail("node", 2)) <= 800
    assert processes.log_tail("node", 2).endswith("\nlast")


def test_a_running_node_may_be_forgotten(processes: NodeProcesses, tmp_path: Path) -> None:
    """Warnings are errors here: `subprocess` complains of a child that nobody waits for."""
    forgetful = NodeProcesses(tmp_path / "net", tmp_path / "logs")
    pid = start(forgetful, "node", SLEEP)
    del forgetful
    gc.collect()
    eventually(lambda: processes.running() == {"node": pid})


def test_nodes_survive_the_command_that_started_them(
    processes: NodeProcesses, tmp_path: Path
) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from medfab_network._processes import NodeProcesses\n"
        "net = Path(sys.argv[1])\n"
        "NodeProcesses(net, net / 'logs').start('node', ['sleep', '60'], {}, net)\n"
    )
    (tmp_path / "net").mkdir()
    subprocess.run([sys.executable, "-c", program, tmp_path / "net"], check=True, timeout=30)
    assert list(processes.running()) == ["node"]


async def test_what_a_node_has_on_its_disk_is_read_and_deleted(
    processes: NodeProcesses, tmp_path: Path
) -> None:
    [peer] = load_topology(None).organization("clinic").peers
    folder = tmp_path / "net" / "organizations" / "clinic" / "nodes" / "peer0.clinic"
    made = folder / "data" / "snapshots" / "completed" / "care" / "7"
    for path, content in ((made / "a", b"state"), (made / "below" / "b", b""), (folder / "k", b"")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (made / "link").symlink_to("a")
    named = "snapshots/completed/care/7"
    read = [(e.name, e.size, f.read()) for e, f in processes.data_files(peer, named)]
    assert read == [("a", 5, b"state"), ("below/b", 0, b"")]
    assert [entry.name for entry, _ in processes.data_files(peer)] == [
        f"{named}/a",
        f"{named}/below/b",
    ]
    assert list(processes.data_files(peer, "snapshots/completed/care/8")) == []
    await processes.forget(peer)
    assert list(folder.iterdir()) == [folder / "k"]
    await processes.forget(peer)  # nothing is there
