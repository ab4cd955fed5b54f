"""An organisation comes back from its backup, while the others go on.

Nothing is written before all of the archive has been verified. Then its files are put into place,
its peers catch up from the channel, its authority learns what was revoked meanwhile, and only then
starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import shutil
import tarfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from medfab_gateway import BlockTransaction
from medfab_gateway.admin import ConfigEditor
from medfab_network._access import Access
from medfab_network._archive import Manifest, extract
from medfab_network._backup import data_of
from medfab_network._channel_change import ChannelChanges
from medfab_network._files import Readable, write_atomically, write_entry
from medfab_network._health import tls_context
from medfab_network._layout import Layout
from medfab_network._node_control import NodeControl
from medfab_network._profiles import write_connection_profile
from medfab_network._progress import Progress
from medfab_network._reconciliation import CATCHING_UP, reconciled
from medfab_network._revocations import Merged, merge_revocations
from medfab_network._runner import Runner
from medfab_network._sealed import Secret
from medfab_network.errors import DirectoryError, NotRunningError, TopologyError
from medfab_network.topology import Channel, Node, Organization, Topology


@dataclass(frozen=True, kw_only=True)
class LostData:
    """Private data that the organisation alone had, written after the backup."""

    channel: str
    chaincode: str
    collection: str
    transactions: int


@dataclass(kw_only=True)
class RestoreReport:
    """What a restore did."""

    organization: str
    made: str
    """When the backup was made."""
    heights: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Peer → channel → number of blocks in the backup, and now."""
    lost: list[LostData] = field(default_factory=list)
    revocations: Merged = field(default_factory=Merged)
    seconds: float = 0.0


class Restore:
    """A restore into one network directory."""

    def __init__(
        self,
        manifest: Manifest,
        topology: Topology,
        layout: Layout,
        processes: Runner,
        control: NodeControl,
        progress: Progress,
    ) -> None:
        self._manifest = manifest
        self._topology = topology
        self._organization: Organization = topology.organization(manifest.organization)
        self._layout = layout
        self._processes = processes
        self._control = control
        self._progress = progress
        self._access = Access(layout)
        self._changes = ChannelChanges(topology, self._access)
        self._folder = layout.organization(manifest.organization)
        self._staging = self._folder.with_name(f".{self._folder.name}.unfinished")
        self.started: list[Node] = []

    def check(self, *, files_only: bool) -> None:
        """Before anything is written. Raises `NotRunningError`, and `DirectoryError` where there is
        anything that it would replace.
        """
        if not files_only:
            self._check_ordering()
        if self._folder.exists() and any(self._folder.iterdir()):
            raise DirectoryError(
                f"{self._folder} is there: a restore replaces nothing. Where it is lost or "
                "damaged, move it away first"
            )
        if not (self._staging / "organization").exists():  # of a restore that was cut off
            self._processes.check_no_data(self._organization.peers)

    async def run(self, path: Path, secret: Secret) -> RestoreReport:
        """All of it, where `check` has nothing against it."""
        began = time.monotonic()
        report = RestoreReport(organization=self._organization.name, made=self._manifest.made)
        own = [n for n in self._topology.nodes() if n.organization == self._organization.name]
        await self._processes.stop([node.name for node in own])  # whose files are gone
        self._progress.step("its files")
        await asyncio.to_thread(self.put_files_in_place, path, secret)
        # The orderers may be others by now.
        write_connection_profile(self._organization, self._topology, self._layout)
        since = {}
        for peer in self._organization.peers:
            self._progress.step(f"{peer.name} catches up")
            since[peer.name] = self._processes.log_mark(peer.name)
            await self._start(peer, CATCHING_UP)
        for node in own:
            if node.kind == "chaincode":
                await self._start(node)
        for peer in self._organization.peers:
            await self._control.wait_useful(peer)
            await self._reconcile(peer, since[peer.name])
        channels = self._topology.channels_of(self._organization.name)
        for channel in channels:
            report.lost += await self._lost(channel)
            for peer in self._organization.peers:
                before = self._manifest.heights.get(peer.name, {}).get(channel.name, 0)
                now = await self._control.height(peer, channel.name)
                report.heights.setdefault(peer.name, {})[channel.name] = [before, now]
        for peer in self._organization.peers:
            await self._control.stop(peer)
            await self._start(peer)
            await self._control.wait_useful(peer)
            await self._control.let_clients_return(peer)
        report.revocations = await self._revocations(channels or self._topology.channels)
        self._progress.step("its certificate authority")
        await self._start(self._organization.ca)
        report.seconds = round(time.monotonic() - began, 1)
        return report

    def _check_ordering(self) -> None:
        if self._organization.orderers:
            raise NotRunningError(
                f"{self._organization.name} orders the channels, and its orderers' ledgers are in "
                "no backup: with an old one an orderer could promise an entry twice. Its "
                "certificate authority and identities can be taken from the archive with "
                "--files-only; lost orderers join anew while a majority of the others runs"
            )
        running = self._processes.running()
        ordering = [node.name for node in self._topology.ordering.orderers]
        if not any(name in running for name in ordering):
            raise NotRunningError(
                "no orderer runs here, so its peers could not catch up: start the others with "
                "`medfab network up` first, or take the files alone with --files-only"
            )

    async def _start(self, node: Node, environment: Mapping[str, str] | None = None) -> None:
        self.started.append(node)
        await self._control.start(node, environment)

    def put_files_in_place(self, path: Path, secret: Secret) -> None:
        """The files alone, all or none."""
        peers, staging = self._organization.peers, self._staging
        folders = {peer: staging / data_of(peer.name) for peer in peers}
        try:
            with self._processes.new_data(folders) as put_data:

                def put(entry: tarfile.TarInfo, content: Readable) -> None:
                    for peer in peers:
                        if entry.name.startswith(data_of(peer.name)):
                            own = copy.copy(entry)
                            own.name = entry.name.removeprefix(data_of(peer.name))
                            return put_data(peer, own, content)
                    return write_entry(staging, entry, content)

                shutil.rmtree(staging, ignore_errors=True)
                (staging / "organization").mkdir(parents=True, mode=0o700)
                extract(path, secret, put)
                for block in sorted((staging / "shared" / "channels").glob("*.block")):
                    target = self._layout.channel_block(block.stem)
                    if not target.exists():
                        write_atomically(target, block.read_bytes())
                with contextlib.suppress(FileNotFoundError):
                    self._folder.rmdir()
            (staging / "organization").replace(self._folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    async def _reconcile(self, peer: Node, since: float) -> None:
        """Wait until the peer has the private data that it misses, or nobody has more of it."""
        context = tls_context(
            self._layout.tls_ca_certificate(peer.organization),
            self._layout.tls(peer.organization, peer.name),
        )
        for channel in self._topology.channels_of(peer.organization):
            await reconciled(
                peer,
                channel,
                self._processes,
                context,
                since=since,
                by_snapshot=False,
            )

    async def _lost(self, channel: Channel) -> list[LostData]:
        """Writes into the organisation's own collections that no peer's backup has."""
        copies = [self._manifest.heights.get(p.name, {}) for p in self._organization.peers]
        start = max((heights.get(channel.name, 0) for heights in copies), default=0)
        end = await self._control.height(self._organization.peers[0], channel.name)
        if start >= end:
            return []
        own = f"_implicit_org_{self._organization.msp_id}"
        found = Counter[str]()
        async with (
            self._access.gateway(self._organization) as gateway,
            gateway.network(channel.name).block_events(start, end - 1) as blocks,
        ):
            async for block in blocks:
                for transaction in block.transactions:
                    if transaction.validation_code == "VALID":
                        found.update(_written(transaction, own))
        return [
            LostData(channel=channel.name, chaincode=name, collection=own, transactions=count)
            for name, count in sorted(found.items())
        ]

    async def _revocations(self, channels: tuple[Channel, ...]) -> Merged:
        """What the channels know as revoked, the authority must know as well."""
        lists: list[bytes] = []
        for channel in channels:
            config = await self._changes.config(channel)
            lists += ConfigEditor(config).revocation_lists(self._organization.msp_id)
        return merge_revocations(self._layout.ca(self._organization.name), lists)


def _written(transaction: BlockTransaction, collection: str) -> set[str]:
    """Chaincodes whose private data of the collection the transaction writes."""
    return {
        namespace.namespace
        for namespace in transaction.read_write_sets
        for each in namespace.collections
        if each.collection == collection and each.writes
    }


def restorable(running: Topology, archived: Topology, name: str) -> Topology:
    """The running network's topology, where it has the organisation as the archive knows it."""
    if running.containers != archived.containers:
        forms = ("processes", "containers")
        raise TopologyError(
            f"the archive is of a network in {forms[archived.containers]}, and the one here is of "
            f"{forms[running.containers]}: the channels know the nodes by other addresses, so "
            "neither comes back as the other"
        )
    there = {each.name: each for each in running.all_organizations()}
    wanted = archived.organization(name)
    found = there.get(name)
    if found is None or replace(found, users=()) != replace(wanted, users=()):
        raise TopologyError(
            f"the archive is of another network: {name} is not in the one here, or has other nodes "
            "or ports there"
        )
    return running
