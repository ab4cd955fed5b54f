"""Starting nodes, finding them again, and ending them, without pid files.

Each node has `MEDFAB_NODE=<network directory>|<node name>` in its environment; `/proc` is the only
record of what runs. That leaves no stale pid, and no moment between a start and its record.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import shutil
import signal
import stat
import subprocess
import tarfile
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO

from medfab_network._files import Readable, write_atomically, write_entry
from medfab_network._layout import Layout
from medfab_network._place import place_of
from medfab_network._runner import PutData
from medfab_network.errors import NodeFailedError
from medfab_network.topology import Node, Topology

_MARKER = "MEDFAB_NODE"
_TAIL_LINES = 15
_PF_EXITING = 0x4  # linux/sched.h


class _Detached(subprocess.Popen[bytes]):
    """A child that outlives the command which has started it, by design: forgotten in silence."""

    def __del__(self) -> None:
        if hasattr(self, "pid"):
            self.poll()


class NodeProcesses:
    """The processes of one network directory."""

    def __init__(self, directory: Path, logs: Path) -> None:
        self._directory = str(directory)
        self._logs = logs
        self._children: dict[str, _Detached] = {}

    def log_file(self, node: str) -> Path:
        return self._logs / f"{node}.log"

    def adopt(self, topology: Topology) -> None:
        """Nothing: a process is told all about itself when it is started."""

    async def forget(self, node: Node) -> None:
        """Delete the ledgers of a node that has been stopped."""
        data = self._data(node)
        if data.exists():
            await asyncio.to_thread(shutil.rmtree, data)

    def data_files(
        self, node: Node, folder: str = ""
    ) -> Generator[tuple[tarfile.TarInfo, IO[bytes]], None, None]:
        """The files of a folder in a node's data, named within it; sockets and links are none."""
        root = self._data(node) / folder
        for path in sorted(root.rglob("*")):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                entry = tarfile.TarInfo(str(path.relative_to(root)))
                entry.size, entry.mode = found.st_size, stat.S_IMODE(found.st_mode)
                entry.mtime = int(found.st_mtime)
                with path.open("rb") as file:
                    yield entry, file

    def check_no_data(self, nodes: Iterable[Node]) -> None:
        """Nothing: a process has all in its own folder."""

    @contextlib.contextmanager
    def new_data(self, nodes: Mapping[Node, Path]) -> Iterator[PutData]:
        """In folders that are new, and the caller's to delete."""

        def put(node: Node, entry: tarfile.TarInfo, content: Readable) -> None:
            write_entry(nodes[node], entry, content)

        yield put

    def start(
        self,
        node: str,
        command: list[str],
        environment: Mapping[str, str],
        folder: Path,
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Start a node in a session of its own, so that Ctrl-C at a terminal is ours to handle."""
        self._logs.mkdir(parents=True, exist_ok=True)
        # PYTHONPATH: where a chaincode process finds a contract that is not installed.
        keep = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
        inherited = {name: os.environ[name] for name in keep if name in os.environ}
        ended = self._children.pop(node, None)
        if ended is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ended.wait(timeout=5.0)  # its end may be seen in /proc before it can be reaped
        with self.log_file(node).open("ab") as log:
            try:
                self._children[node] = _Detached(
                    command,
                    env={**inherited, **environment, **extra, _MARKER: f"{self._directory}|{node}"},
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    umask=0o077,  # ledgers hold private data, and the CA writes keys as 0644
                )
            except OSError as error:
                raise NodeFailedError(
                    node, f"cannot be started ({command[0]}: {error.strerror})", ""
                ) from error

    def hand_over(self, node: str) -> None:
        """Nothing: a process reads what we read."""

    def running(self) -> dict[str, int]:
        """Node name → pid of every process of this directory, whoever started it."""
        # Of a process and its children, the one with the lowest pid: the node itself.
        return dict(reversed(self._every_process()))

    async def settled(self, *, grace: float = 10.0) -> dict[str, int]:
        """Like `running`, after those that are dying (`kill -9` a moment ago) have gone."""
        deadline = time.monotonic() + grace
        while True:
            found = self.running()
            if time.monotonic() > deadline or not any(map(_is_dying, found.values())):
                return found
            await asyncio.sleep(0.02)

    def environment(self, node: str) -> dict[str, str]:
        """The environment that a running node was started with; empty when it does not run."""
        pid = self.running().get(node)
        try:
            content = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return {}
        pairs = (entry.decode(errors="replace").partition("=") for entry in content.split(b"\0"))
        return {name: value for name, _, value in pairs if name}

    def check_alive(self, node: str) -> None:
        """Raise `NodeFailedError` with the last log lines when a node that we started has ended.

        And has not been started again since, be it by another program.
        """
        child = self._children.get(node)
        if child is not None and child.poll() is not None and node not in self.running():
            code = child.returncode
            how = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
            raise NodeFailedError(node, f"ended {how}", self.log_tail(node))

    def log_tail(self, node: str, lines: int = _TAIL_LINES) -> str:
        """The last `lines` lines of a node's log; empty when there is none."""
        try:
            with self.log_file(node).open("rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - 400 * lines))
                text = log.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def log_mark(self, node: str) -> float:
        """Its length."""
        log = self.log_file(node)
        return log.stat().st_size if log.exists() else 0

    def log_since(self, node: str, mark: float) -> str:
        """What the node has logged since then."""
        with self.log_file(node).open("rb") as log:
            log.seek(int(mark))
            return log.read().decode(errors="replace")

    def follow(self, node: str, lines: int) -> Iterator[str]:
        """The last lines of a node's log, and then what is written to it, for ever."""
        with self.log_file(node).open(errors="replace") as log:
            log.seek(0, os.SEEK_END)  # before the tail is read: better a line twice than never
            yield self.log_tail(node, lines) + "\n"
            while True:
                yield log.read()
                time.sleep(0.2)

    async def stop(self, nodes: Iterable[str] | None = None, *, grace: float = 10.0) -> list[str]:
        """End the named nodes (None: all), first with SIGTERM; returns the names of those ended.

        A node that is still there after `grace` seconds is killed.
        """
        wanted = None if nodes is None else set(nodes)
        names: set[str] = set()
        handles: set[int] = set()
        for node, pid in self._every_process():
            if wanted is None or node in wanted:
                handle = self._open(pid, node)
                if handle is not None:
                    names.add(node)
                    handles.add(handle)
        try:
            for number in (signal.SIGTERM, signal.SIGKILL):
                for handle in handles:
                    _send(handle, number)
                await _wait_for(handles, grace)
        finally:
            for handle in handles:
                os.close(handle)
            self._reap()
        return sorted(names)

    def kill_now(self) -> None:
        """SIGKILL for every node at once, without waiting: for a second Ctrl-C."""
        for node, pid in self._every_process():
            handle = self._open(pid, node)
            if handle is not None:
                _send(handle, signal.SIGKILL)
                os.close(handle)

    def replace_data(self, node: Node, file: str, content: bytes) -> None:
        """Write a file of its data anew, at once; nothing where it is not there."""
        path = self._data(node) / file
        if path.exists():
            write_atomically(path, content, 0o600)

    def _data(self, node: Node) -> Path:
        return Path(place_of(node, Layout(Path(self._directory))).data)

    def data_folder(self, node: Node) -> Path | None:
        """Where its ledgers or its database are; None for a chaincode, which has neither."""
        if node.kind == "chaincode":
            return None
        place = place_of(node, Layout(Path(self._directory)))
        return Path(place.folder if node.kind == "ca" else place.data)

    def _every_process(self) -> list[tuple[str, int]]:
        """Node and pid; a node occurs twice when a child of its process is alive too."""
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        found = {pid: node for pid in pids if (node := self._node_of(pid)) is not None}
        # For a moment after its start a process has no environment to read.
        found |= {c.pid: node for node, c in self._children.items() if c.poll() is None}
        return [(node, pid) for pid, node in sorted(found.items())]

    def _open(self, pid: int, node: str) -> int | None:
        """A pidfd of the process, after which its marker is read once more: pids are reused."""
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            return None
        child = self._children.get(node)
        ours = child is not None and child.pid == pid and child.poll() is None
        if not ours and self._node_of(pid) != node:
            os.close(handle)
            return None
        return handle

    def _node_of(self, pid: int) -> str | None:
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return None
        prefix = f"{_MARKER}={self._directory}|".encode()
        for entry in environment.split(b"\0"):
            node = entry.removeprefix(prefix)
            if node != entry and b"|" not in node:  # else of the directory `<ours>|<more>`
                return node.decode()
        return None

    def _reap(self) -> None:
        for child in self._children.values():
            child.poll()


def _is_dying(pid: int) -> bool:
    """Whether the process has been told to end, or is ending (proc(5))."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        flags = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[6])
    except OSError:
        return True
    pending = 0
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name in ("SigPnd", "ShdPnd"):
            pending |= int(value, 16)
    fatal = (1 << signal.SIGKILL - 1) | (1 << signal.SIGTERM - 1)
    return bool(pending & fatal or flags & _PF_EXITING)


def _send(handle: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, number)


async def _wait_for(handles: set[int], seconds: float) -> None:
    """Wait until all have ended (and drop them from `handles`), or for `seconds`."""
    deadline = time.monotonic() + seconds
    poll = select.poll()  # not `select`, which refuses descriptors above 1023
    for handle in handles:
        poll.register(handle, select.POLLIN)
    while handles and time.monotonic() < deadline:
        for handle, _ in poll.poll(0):
            poll.unregister(handle)
            handles.discard(handle)
            os.close(handle)
        if handles:
            await asyncio.sleep(0.02)
