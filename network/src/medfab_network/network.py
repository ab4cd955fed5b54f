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
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path

from medfab_gateway import AsyncGateway
from medfab_gateway.wallet import WalletEntry
from medfab_network._access import Access
from medfab_network._archive import verified
from medfab_network._backup import Backup, BackupReport
from medfab_network._binaries import Binaries, ensure_binaries
from medfab_network._builder import install_builder
from medfab_network._container_setup import compose_text, prepare
from medfab_network._containers import Containers
from medfab_network._enlarged import enlarged
from medfab_network._enrolment import ADMIN
from medfab_network._files import write_atomically
from medfab_network._folder import NetworkFolder
from medfab_network._join import Joining
from medfab_network._layout import Layout
from medfab_network._node_change import NodeChange, NodeReport, node_of
from medfab_network._node_control import NodeControl
from medfab_network._operations import (
    grafana_dashboard,
    log_level,
    prometheus_configuration,
)
from medfab_network._processes import NodeProcesses
from medfab_network._profile_files import (
    CONSUMER_USER,
    consuming_organization,
    write_consumer,
    write_monitoring,
)
from medfab_network._profiles import write_connection_profile
from medfab_network._progress import Progress, Silent
from medfab_network._restore import Restore, RestoreReport, restorable
from medfab_network._root_rotation import RootRotation, next_root_step
from medfab_network._rotation import Kind, Rotation, RotationReport
from medfab_network._sealed import Secret
from medfab_network._status import NodeStatus, node_status
from medfab_network._up import BringUp, UpReport
from medfab_network.errors import NotRunningError, TopologyError
from medfab_network.topology import (
    Organization,
    Topology,
    User,
    load_topology,
    parse_topology,
)

DEFAULT_DIRECTORY = Path(".medfab")
_STOP_ORDER = ("chaincode", "peer", "orderer", "ca")


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
        self._folder = NetworkFolder(self._layout)
        self.topology = topology or self._folder.topology or load_topology(None)
        self._progress = progress or Silent()
        self._bin_dir = bin_dir
        self._processes = self._runner(self.topology)
        self._access = Access(self._layout)

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
        return self._folder.topology is not None

    async def up(self) -> UpReport:
        """Start, or go on from wherever an earlier `up` got to. Idempotent.

        When it fails or is cancelled, the nodes that it started are stopped again.
        Raises `NetworkError` and its subclasses, and the gateway's `MedfabError`.
        """
        binaries = await self._binaries()
        with self.exclusive():
            self._folder.claim(self.topology)
            if isinstance(self._processes, Containers):
                await prepare(
                    self._processes, self.topology, self._layout, binaries, self._progress
                )
            bring_up = BringUp(
                self.topology, self._layout, self._processes, binaries, self._progress
            )
            try:
                report = await bring_up.run()
                await self._keep_compose()
                return report
            except BaseException:
                await self._shielded_stop(bring_up.report.started)
                raise

    async def _keep_compose(self) -> None:
        """The files for Compose, its profiles' included, of what the network is now."""
        if not self.topology.containers:
            return
        write_atomically(self._layout.compose, compose_text(self.topology))
        write_monitoring(self.topology, self._layout)
        member = consuming_organization(self.topology)
        async with self._access.enrolment(member) as enrolment:
            entry = await enrolment.user(User(name=CONSUMER_USER))
        write_consumer(self.topology, self._layout, entry)

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
        larger = enlarged(self._there(), topology, name)
        organization = larger.organization(name)
        binaries = await self._binaries()
        with self.exclusive():
            bring_up = BringUp(larger, self._layout, self._processes, binaries, self._progress)
            try:
                if join:
                    joining = Joining(organization, larger, self._layout, bring_up)
                    await joining.run()
                else:
                    await bring_up.start_organization(organization)
            except BaseException:
                await self._shielded_stop(bring_up.report.started)
                raise
            if join:
                self._remember(larger)
                await self._keep_compose()
        return bring_up.report

    async def add_orderer(self) -> NodeReport:
        """Take the running network to one more orderer, while transactions flow.

        It starts, follows all channels, becomes a consenter of each, and is listed for clients.
        Goes on from wherever an earlier call got to. Raises `QuorumError` where too few of the
        others are well, otherwise as `up`.
        """
        return await self._change(lambda change: change.add_orderer())

    async def remove_orderer(self, node: str) -> NodeReport:
        """Take an orderer out of all channels while transactions flow, and delete what it has.

        Raises as `add_orderer`.
        """
        return await self._change(lambda change: change.remove_orderer(node))

    async def add_peer(self, organization: str) -> NodeReport:
        """One more peer for an organisation, on all its channels, with its chaincodes."""
        return await self._change(lambda change: change.add_peer(organization))

    async def replace(self, node: str, *, from_snapshot: bool = False) -> NodeReport:
        """Make a peer or an orderer anew that has lost its disk; what is left of it is deleted.

        A peer fetches all blocks, or joins by a snapshot of another peer of its organisation; then
        the private data that other peers have. An orderer becomes a new member of the consensus.
        Raises `NetworkError` where the others cannot make up for it, otherwise as `up`.
        """
        return await self._change(lambda change: change.replace(node, from_snapshot=from_snapshot))

    async def _change(
        self, work: Callable[[NodeChange], Coroutine[None, None, NodeReport]]
    ) -> NodeReport:
        there = self._there()
        if not self._processes.running():
            raise NotRunningError("the network does not run: start it with `medfab network up`")
        binaries = await self._binaries()
        with self.exclusive():
            made: list[BringUp] = []

            def bring_up(topology: Topology) -> BringUp:
                made.append(
                    BringUp(topology, self._layout, self._processes, binaries, self._progress)
                )
                return made[-1]

            change = NodeChange(there, self._layout, self._processes, bring_up, self._remember)
            try:
                report = await work(change)
                await self._keep_compose()
                return report
            except BaseException:
                # What the network counts on by now stays.
                kept = {node.name for node in self.topology.nodes()}
                started = {name for each in made for name in each.report.started}
                await self._shielded_stop(sorted(started - kept))
                raise

    async def rotate(
        self, name: str, kind: Kind, *, node: str | None = None, step: str | None = None
    ) -> RotationReport:
        """Replace certificates of a running organisation, one node after the other.

        Goes on with one that was cut off. node: None for all. step: of a new root, see
        `Kind.ROOT`; None for the next one. Raises as `up`.
        """
        organization = self._enrolled(name)
        binaries = await self._binaries()
        with self.exclusive():
            self._check_authority_runs(organization)
            topology, layout, progress = self.topology, self._layout, self._progress
            control = NodeControl(topology, layout, self._processes, binaries)
            rotation = Rotation(organization, topology, layout, self._processes, control, progress)
            if kind is not Kind.ROOT:
                return await rotation.run(kind, node)
            root = RootRotation(rotation, topology, layout, control, progress)
            report = await root.run(step or root.next_step())
            await self._keep_compose()  # the consumer's profile has roots in it
            return report

    def next_root_step(self, name: str) -> str:
        """What `rotate` of `Kind.ROOT` would do: `trust`, `renew` or `retire`."""
        return next_root_step(self._layout, self._enrolled(name))

    async def backup(self, name: str, target: Path, secret: Secret) -> BackupReport:
        """Write a sealed copy of all that an organisation has, but for orderers' ledgers.

        Of a running network, each peer is down while its ledger is copied, one after the other.
        Raises as `up`, and `ArchiveError`.
        """
        organization = self._enrolled(name)
        binaries = await self._binaries()
        with self.exclusive():
            control = NodeControl(self.topology, self._layout, self._processes, binaries)
            backup = Backup(
                organization,
                self.topology,
                self._layout,
                self._processes,
                control,
                self._progress,
            )
            return await backup.write(target, secret)

    async def restore(
        self, archive: Path, secret: Secret, *, files_only: bool = False
    ) -> RestoreReport:
        """Bring an organisation back from its backup, to where nothing of it is.

        Nothing is written before all of the archive is verified. Then its peers catch up with the
        running channel. files_only: its files are put into place, and nothing is started.
        Raises as `up`, and `ArchiveError`.
        """
        self._progress.step("the archive is verified")
        manifest = await asyncio.to_thread(verified, archive, secret)
        topology = parse_topology(manifest.topology)
        if self._folder.topology is None:
            processes = self._runner(topology)
        else:
            topology = restorable(self._folder.topology, topology, manifest.organization)
            processes = self._processes
        binaries = await self._binaries()
        with self.exclusive():
            control = NodeControl(topology, self._layout, processes, binaries)
            restore = Restore(manifest, topology, self._layout, processes, control, self._progress)
            await asyncio.to_thread(restore.check, files_only=files_only)
            self._folder.claim(topology)
            self.topology, self._processes = topology, processes
            if isinstance(processes, Containers):
                await prepare(processes, topology, self._layout, binaries, self._progress)
            else:
                install_builder(self._layout)
            if files_only:
                await asyncio.to_thread(restore.put_files_in_place, archive, secret)
                return RestoreReport(organization=manifest.organization, made=manifest.made)
            try:
                return await restore.run(archive, secret)
            except BaseException:
                await self._shielded_stop([node.name for node in restore.started])
                raise

    def _runner(self, topology: Topology) -> NodeProcesses | Containers:
        if topology.containers:
            return Containers(self._layout.root, topology)
        return NodeProcesses(self._layout.root, self._layout.logs)

    def _check_authority_runs(self, organization: Organization) -> None:
        self._there()
        ca = organization.ca.name
        if ca not in self._processes.running():
            raise NotRunningError(f"{ca} does not run: start it with `medfab network up`")

    def _there(self) -> Topology:
        """The topology of the network that is there."""
        there = self._folder.topology
        if there is None:
            raise NotRunningError(
                f"{self.directory} has no network yet: `medfab network up` starts one"
            )
        return there

    def _remember(self, topology: Topology) -> None:
        self._folder.store(topology)
        self.topology = topology
        for organization in topology.organizations:  # orderers have come or gone
            if self._layout.connection_profile(organization.name).exists():
                write_connection_profile(organization, topology, self._layout)

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
            self._folder.remove()
        return stopped

    async def status(self) -> list[NodeStatus]:
        """One entry for each node of the topology, asked all at once."""
        running = self._processes.running()
        return list(
            await asyncio.gather(
                *(
                    node_status(
                        node,
                        running.get(node.name),
                        self._layout,
                        self._processes.data_folder(node),
                    )
                    for node in self.topology.nodes()
                )
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

        Until the node ends. Fabric's form, e.g. `orderer=debug:info`. Raises `NetworkError`.
        """
        return await log_level(node_of(self.topology, node), self._layout, specification)

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

    def exclusive(self) -> contextlib.AbstractContextManager[None]:
        """Nobody else works on the directory for the length of the block; may be nested.

        Raises `DirectoryError` at once where another command does, and where the directory is
        not ours and not empty.
        """
        return self._folder.exclusive()
