"""A consortium on this machine: `Network`.

```python
async with Network(Path(".medfab")).running() as network:      # up … down
    async with network.gateway("clinic", "practitioner") as gateway:
        ...
```
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import yaml

from medfab_gateway import AsyncGateway
from medfab_gateway.errors import MedfabError
from medfab_gateway.wallet import WalletEntry
from medfab_network._access import Access
from medfab_network._binaries import Binaries, ensure_binaries
from medfab_network._container_setup import prepare
from medfab_network._containers import Containers
from medfab_network._disk import DiskSpace, disk_space
from medfab_network._enlarged import enlarged
from medfab_network._enrolment import ADMIN
from medfab_network._files import write_atomically
from medfab_network._health import is_healthy, tls_context
from medfab_network._join import Joining
from medfab_network._layout import Layout
from medfab_network._operations import (
    grafana_dashboard,
    log_level,
    prometheus_configuration,
)
from medfab_network._processes import NodeProcesses
from medfab_network._progress import Progress, Silent
from medfab_network._up import BringUp, UpReport
from medfab_network.errors import DirectoryError, NetworkError, NotRunningError, TopologyError
from medfab_network.topology import (
    Node,
    Organization,
    Topology,
    User,
    load_topology,
    parse_topology,
)

DEFAULT_DIRECTORY = Path(".medfab")
_LOCK_CONTENT = b"medfab network: `medfab network clean` deletes all of this folder\n"
"""Marks a directory as ours. A file of that name with other content is somebody else's."""
_STOP_ORDER = ("chaincode", "peer", "orderer", "ca")


@dataclass(frozen=True, kw_only=True)
class NodeStatus:
    """How one node is."""

    node: Node
    pid: int | None
    """None: no process."""
    healthy: bool
    heights: Mapping[str, int]
    """Channel → number of blocks; peers and orderers only."""
    disk: DiskSpace | None = None
    """Of the file system with its ledgers or its database. None: it has none, or not where we can
    look."""


class Network:
    """The network of one directory.

    `topology` None means: the one that the directory was made with, else the default consortium.
    """

    def __init__(
        self,
        directory: Path = DEFAULT_DIRECTORY,
        topology: Topology | None = None,
        *,
        progress: Progress | None = None,
        bin_dir: Path | None = None,
    ) -> None:
        # Resolved: nodes are found again by this path, whatever folder the next command runs in.
        self._layout = Layout(directory.resolve())
        stored = self._stored_topology()
        self.topology = topology or stored or load_topology(None)
        self._stored = stored
        self._progress = progress or Silent()
        self._bin_dir = bin_dir
        self._processes: NodeProcesses | Containers = (
            Containers(self._layout.root, self.topology)
            if self.topology.containers
            else NodeProcesses(self._layout.root, self._layout.logs)
        )
        self._access = Access(self._layout)
        self._depth = 0
        self._lock_file: IO[str] | None = None

    @property
    def directory(self) -> Path:
        return self._layout.root

    @property
    def is_of_demo(self) -> bool:
        """Whether `medfab demo` made the directory: it may throw it away again."""
        return self._layout.demo_mark.exists()

    def mark_as_demo(self) -> None:
        """Mark the directory as made by `medfab demo`, before anything else is in it."""
        with self.exclusive():
            self._layout.demo_mark.touch()

    @property
    def exists(self) -> bool:
        """Whether the directory holds a network, running or not."""
        return self._stored is not None

    async def up(self) -> UpReport:
        """Start, or go on from wherever an earlier `up` got to. Idempotent.

        When it fails or is cancelled, the nodes that it started are stopped again.
        Raises `NetworkError` and its subclasses, and the gateway's `MedfabError`.
        """
        binaries = await self._binaries()
        with self.exclusive():
            self._claim_directory()
            if isinstance(self._processes, Containers):
                await prepare(
                    self._processes, self.topology, self._layout, binaries, self._progress
                )
            bring_up = BringUp(
                self.topology, self._layout, self._processes, binaries, self._progress
            )
            try:
                return await bring_up.run()
            except BaseException:
                await self._shielded_stop(bring_up.report.started)
                raise

    async def start_organization(self, name: str, topology: Topology) -> UpReport:
        """Start the nodes of an organisation that the network has not, and no more.

        It is on no channel then. `topology`: the network's, with the organisation added; the
        network goes on without it. Raises as `up`.
        """
        return await self._enlarge(name, topology, join=False)

    async def add_organization(self, name: str, topology: Topology) -> UpReport:
        """Take the running network to one more organisation, while transactions flow.

        Its authority and nodes start; its channels take it in; its peers join and can endorse.
        Idempotent: goes on from wherever an earlier call got to. `topology`: the network's, with
        the organisation added at the end, and to one channel or more. Raises as `up`.
        """
        return await self._enlarge(name, topology, join=True)

    async def _enlarge(self, name: str, topology: Topology, *, join: bool) -> UpReport:
        if self._stored is None:
            raise NotRunningError(
                f"{self.directory} has no network yet: `medfab network up` starts one"
            )
        if self._stored.containers:
            raise NetworkError(
                "a network in containers cannot be enlarged yet; one of processes can"
            )
        larger = enlarged(self._stored, topology, name)
        organization = larger.organization(name)
        binaries = await self._binaries()
        with self.exclusive():
            bring_up = BringUp(larger, self._layout, self._processes, binaries, self._progress)
            try:
                if join:
                    joining = Joining(organization, larger, self._layout, self._processes, bring_up)
                    await joining.run()
                else:
                    await bring_up.start_organization(organization)
            except BaseException:
                await self._shielded_stop(bring_up.report.started)
                raise
            if join:
                self._store(larger)
        return bring_up.report

    async def down(self) -> list[str]:
        """Stop all nodes; returns their names. Ledgers and identities stay."""
        if not self._layout.root.exists():
            return []
        with self.exclusive():
            return await self._stop(list(self._processes.running()))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Network]:
        """Up for the length of the block, down afterwards whatever happens."""
        await self.up()
        try:
            yield self
        finally:
            await self._shielded_stop(list(self._processes.running()))

    async def clean(self) -> list[str]:
        """Stop all nodes and delete the directory with ledgers and keys; returns what ended."""
        if not self._layout.root.exists():
            return []
        with self.exclusive():
            stopped = await self._stop(list(self._processes.running()))
            if isinstance(self._processes, Containers):
                await asyncio.to_thread(self._processes.remove)
            self._remove_all()
        self._stored = None
        return stopped

    async def status(self) -> list[NodeStatus]:
        """One entry for each node of the topology, asked all at once."""
        running = self._processes.running()
        return list(
            await asyncio.gather(
                *(self._node_status(node, running.get(node.name)) for node in self.topology.nodes())
            )
        )

    async def ledger_height(self, organization: str, channel: str) -> int:
        """Number of blocks that the organisation's first peer has of the channel."""
        peer = self.topology.organization(organization).peers[0]
        async with self._access.peer_admin(peer) as admin:
            return (await admin.chain_info(channel)).height

    def processes(self) -> dict[str, int]:
        """Node → pid of what runs now."""
        return self._processes.running()

    @property
    def logs(self) -> Path:
        """The folder with the nodes' logs."""
        return self._layout.logs

    def log_file(self, node: str) -> Path:
        """The log of a process; `NotRunningError` when there is no such log."""
        path = self._layout.logs / f"{node}.log"
        if not path.exists():
            raise self._no_log(node)
        return path

    def log_tail(self, node: str, lines: int) -> str:
        """Its last lines; `NotRunningError` when the node has no log."""
        if isinstance(self._processes, NodeProcesses):
            self.log_file(node)
        elif not self._processes.has(node):
            raise self._no_log(node)
        return self._processes.log_tail(node, lines)

    def follow_log(self, node: str, lines: int) -> Iterator[str]:
        """Its last lines, and then what is logged, piece by piece, until the node's end.

        A process has no end: a restart goes on in the same file.
        """
        if isinstance(self._processes, NodeProcesses):
            self.log_file(node)
            return self._processes.follow(node, lines)
        if not self._processes.has(node):
            raise self._no_log(node)
        return self._processes.follow(node, lines)

    async def log_level(self, node: str, specification: str | None = None) -> str:
        """The log specification of a running peer or orderer, after setting it when one is given.

        Until the node ends. Fabric's form, e.g. `gossip=debug:info`. Raises `NetworkError`.
        """
        for found in self.topology.nodes():
            if found.name == node:
                return await log_level(found, self._layout, specification)
        known = ", ".join(n.name for n in self.topology.nodes())
        raise TopologyError(f"there is no node {node!r}; there are {known}")

    def monitoring(self) -> dict[str, str]:
        """Files for who watches the network, by name: Prometheus's and Grafana's."""
        return {
            "prometheus.yml": prometheus_configuration(self.topology, self._layout),
            "grafana-dashboard.json": grafana_dashboard(),
        }

    def _no_log(self, node: str) -> NotRunningError:
        known = ", ".join(n.name for n in self.topology.nodes())
        return NotRunningError(f"there is no log of {node!r}; the nodes are {known}")

    def gateway(self, organization: str, user: str = ADMIN) -> AsyncGateway:
        """A gateway at the organisation's first peer, as one of its enrolled users.

        To be called in a running event loop, and closed (`async with`) by the caller.
        Raises `NotRunningError` where there has been no `up` yet.
        """
        member = self._enrolled(organization)
        if not member.peers:
            raise TopologyError(f"{organization} has no peers, and so no gateway")
        return self._access.gateway(member, user)

    async def enrol_user(self, organization: str, user: User) -> WalletEntry:
        """A new user with certificate attributes, through the organisation's CA and its registrar.

        A user who is in the wallet already is returned as is.
        """
        member = self._enrolled(organization)
        async with self._access.enrolment(member) as enrolment:
            return await enrolment.user(user)

    def wallet(self, organization: str) -> Path:
        """The wallet folder of an organisation."""
        return self._layout.wallet(organization)

    def connection_profile(self, organization: str) -> Path:
        """Fabric's v1 connection profile of an organisation."""
        return self._layout.connection_profile(organization)

    def _enrolled(self, name: str) -> Organization:
        organization = self.topology.organization(name)
        if not self._layout.ca_certificate(name).exists():
            raise NotRunningError(f"{self.directory} has no network yet: `medfab network up`")
        return organization

    async def _binaries(self) -> Binaries:
        return await ensure_binaries(self._progress, self._bin_dir)

    async def _node_status(self, node: Node, pid: int | None) -> NodeStatus:
        healthy = False
        heights: dict[str, int] = {}
        is_ca = node.kind == "ca"
        root = (self._layout.ca_server_certificate if is_ca else self._layout.tls_ca_certificate)(
            node.organization
        )
        if pid is not None and root.exists():
            healthy = await is_healthy(node, tls_context(root))
        if healthy:
            with contextlib.suppress(MedfabError):  # shown as a node without heights
                heights = await self._heights(node)
        folder = self._processes.data_folder(node)
        disk = disk_space(folder) if folder else None
        return NodeStatus(node=node, pid=pid, healthy=healthy, heights=heights, disk=disk)

    async def _heights(self, node: Node) -> dict[str, int]:
        if node.kind == "peer":
            async with self._access.peer_admin(node) as peer:
                return {c: (await peer.chain_info(c)).height for c in await peer.channels()}
        if node.kind == "orderer":
            async with self._access.orderer_admin(node) as orderer:
                return {c: (await orderer.channel(c)).height for c in await orderer.channels()}
        return {}

    async def _stop(self, names: list[str]) -> list[str]:
        """Chaincode first, certificate authorities last; those of a kind at once."""
        kinds = {node.name: node.kind for node in self.topology.nodes()}
        stopped: list[str] = []
        for kind in _STOP_ORDER:
            # A node that the topology no longer names counts as chaincode.
            group = [name for name in names if kinds.get(name, "chaincode") == kind]
            if group:
                stopped += await self._processes.stop(group)
        return stopped

    async def _shielded_stop(self, names: list[str]) -> None:
        """Stop even when the caller is being cancelled; a second Ctrl-C kills at once."""
        stopping = asyncio.ensure_future(self._stop(names))
        cancelled: asyncio.CancelledError | None = None
        while not stopping.done():
            try:
                await asyncio.shield(stopping)
            except asyncio.CancelledError as error:
                cancelled = error
                if not stopping.done():
                    self._processes.kill_now()
        if cancelled is not None:
            raise cancelled

    def _claim_directory(self) -> None:
        root = self._layout.root
        if self._stored is None and self._contents():
            raise DirectoryError(
                f"{root} holds a network without its topology (a run was cut off, or files were "
                f"deleted); start afresh with `medfab network clean --dir {root}`"
            )
        if self._stored is not None and _skeleton(self._stored) != _skeleton(self.topology):
            raise DirectoryError(
                f"{root} was made for another topology. Use another --dir, or delete the old "
                f"network with `medfab network clean --dir {root}`"
            )
        root.chmod(0o700)  # it may have been there, empty, before us
        self._store(self.topology)

    def _store(self, topology: Topology) -> None:
        document = yaml.safe_dump(dict(topology.source), sort_keys=False)
        write_atomically(self._layout.topology, document)
        self._stored = self.topology = topology

    def _remove_all(self) -> None:
        # What says whose directory it is goes last: a removal that is cut off can be repeated.
        marks = (self._layout.topology, self._layout.demo_mark)
        for path in self._layout.root.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path not in (*marks, self._layout.lock):
                path.unlink()
        for mark in marks:
            mark.unlink(missing_ok=True)
        if self._depth == 1:  # nobody of ours works on in the directory
            self._layout.lock.unlink()
            self._layout.root.rmdir()

    def _is_ours(self) -> bool:
        """Whether we made the directory or may: what is in it would be deleted by `clean`."""
        if not self._layout.root.exists():
            return True
        if not self._layout.root.is_dir():
            return False
        try:
            mark = self._layout.lock.read_bytes()
        except OSError:
            mark = b""
        return mark == _LOCK_CONTENT or (not mark and not self._contents())

    def _contents(self) -> set[str]:
        """Names in the directory, but for the lock and the mark of the demo."""
        own = {self._layout.lock.name, self._layout.demo_mark.name}
        return {path.name for path in self._layout.root.iterdir()} - own

    def _stored_topology(self) -> Topology | None:
        path = self._layout.topology
        if not self._is_ours() or not path.exists():
            return None
        try:
            return parse_topology(yaml.safe_load(path.read_text()))
        except Exception as error:
            raise DirectoryError(
                f"{path} is damaged ({error}); start afresh by deleting {self._layout.root}"
            ) from error

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else works on the directory for the length of the block; may be nested.

        Raises `DirectoryError` at once where another command does, and where the directory is
        not ours and not empty.
        """
        if self._depth == 0:
            self._lock_file = self._acquire()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and self._lock_file is not None:
                self._lock_file.close()

    def _acquire(self) -> IO[str]:
        while True:
            if not self._is_ours():
                raise DirectoryError(
                    f"{self.directory} is not empty and holds no network; choose another --dir"
                )
            self._layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._layout.lock.open("a")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.close()
                raise DirectoryError(
                    f"another medfab command is working on {self.directory}; wait until it ends"
                ) from error
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(file.fileno()).st_ino == self._layout.lock.stat().st_ino:
                    if file.tell() == 0:
                        file.write(_LOCK_CONTENT.decode())
                        file.flush()
                    return file
            file.close()  # `clean` deleted the file between opening and locking it


def _skeleton(topology: Topology) -> Mapping[str, object]:
    """What cannot change in a running network; chaincodes are upgraded by `up`."""
    return {key: value for key, value in topology.source.items() if key != "chaincodes"}
