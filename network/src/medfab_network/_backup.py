"""A sealed copy of all that one organisation has, taken while the channel goes on.

A peer's ledger is copied while the peer is down: one peer after the other, so that with two of them
clients see nothing. The authority's database is copied by SQLite itself. Orderers' ledgers are left
out: an orderer that comes back with an older log could promise an entry twice, and so fork the
channel; it joins anew instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import os
import sqlite3
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medfab_network._files import Readable
from medfab_network._layout import Layout
from medfab_network._node_control import NodeControl
from medfab_network._progress import Progress
from medfab_network._runner import Runner
from medfab_network._sealed import SealedWriter, Secret
from medfab_network.errors import ArchiveError, NetworkError
from medfab_network.topology import Node, Organization, Topology

MANIFEST = "manifest.json"
FORMAT = 1
DATABASE = "fabric-ca-server.db"
_PIECE = 1 << 20


@dataclass(kw_only=True)
class BackupReport:
    """What is in an archive."""

    organization: str
    file: Path
    bytes: int
    files: int
    heights: dict[str, dict[str, int]]
    """Peer → channel → number of blocks that the copy has at least."""
    seconds_down: dict[str, float] = field(default_factory=dict)
    """Peer → how long it was down for its copy."""


class Backup:
    """A backup of one organisation."""

    def __init__(
        self,
        organization: Organization,
        topology: Topology,
        layout: Layout,
        processes: Runner,
        control: NodeControl,
        progress: Progress,
    ) -> None:
        self._organization = organization
        self._topology = topology
        self._layout = layout
        self._processes = processes
        self._control = control
        self._progress = progress
        self._folder = layout.organization(organization.name)
        self._files: dict[str, str] = {}
        self._heights: dict[str, dict[str, int]] = {}
        self._seconds_down: dict[str, float] = {}

    async def write(self, target: Path, secret: Secret) -> BackupReport:
        """Write the archive, whole or not at all."""
        if self._layout.rotation(self._organization.name).exists():
            raise NetworkError(
                f"a rotation of certificates of {self._organization.name} has not ended: let it "
                "go on first (`medfab network rotate`)"
            )
        if target.exists():
            raise ArchiveError(f"{target} is there already: a backup replaces none")
        temporary = target.with_name(f".{target.name}.unfinished")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise ArchiveError(f"{target} cannot be written: {error.strerror}") from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)
                writer = SealedWriter(file, secret)
                with tarfile.open(fileobj=writer, mode="w|", format=tarfile.PAX_FORMAT) as archive:
                    await self._fill(archive)
                writer.finish()
                file.flush()
                os.fsync(descriptor)
            temporary.replace(target)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise ArchiveError(f"{target} cannot be written: {error.strerror}") from error
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return BackupReport(
            organization=self._organization.name,
            file=target,
            bytes=target.stat().st_size,
            files=len(self._files),
            heights=self._heights,
            seconds_down=self._seconds_down,
        )

    async def _fill(self, archive: tarfile.TarFile) -> None:
        self._progress.step("certificate authority, wallets, certificates")
        databases = {self._layout.ca(self._organization.name) / DATABASE}
        databases.add(self._layout.tls_ca(self._organization.name) / DATABASE)
        ledgers = {
            self._layout.node(self._organization.name, node.name) / "data"
            for node in (*self._organization.peers, *self._organization.orderers)
        }
        for path in sorted(_regular_files(self._folder, leave_out=ledgers)):
            if path in databases:
                with _copy_of_database(path, self._layout.root) as copy:
                    await asyncio.to_thread(self._add_file, archive, copy, path)
            elif not path.name.startswith(f"{DATABASE}-"):
                await asyncio.to_thread(self._add_file, archive, path, path)
        for block in sorted(self._layout.root.glob("channels/*.block")):
            await asyncio.to_thread(self._add_file, archive, block, block)
        for peer in self._organization.peers:
            self._progress.step(f"the ledger of {peer.name}")
            began = time.monotonic()
            await self._ledger(archive, peer.name)
            self._progress.done(f"the ledger of {peer.name}", time.monotonic() - began)
        manifest = json.dumps(self._manifest(), indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(manifest)
        archive.addfile(info, io.BytesIO(manifest))

    async def _ledger(self, archive: tarfile.TarFile, name: str) -> None:
        """While its peer is down."""
        [peer] = [peer for peer in self._organization.peers if peer.name == name]
        was_running = name in await self._processes.settled()
        if was_running:
            self._heights[name] = {
                channel.name: await self._control.height(peer, channel.name)
                for channel in self._topology.channels_of(self._organization.name)
            }
        down = time.monotonic()
        try:
            await self._control.stop(peer)
            await asyncio.to_thread(self._add_data, archive, peer)
        finally:
            if was_running:
                await self._control.start(peer)
                self._seconds_down[name] = round(time.monotonic() - down, 3)
        if was_running:
            await self._control.wait_useful(peer)
            await self._control.let_clients_return(peer)

    def _add_data(self, archive: tarfile.TarFile, peer: Node) -> None:
        with contextlib.closing(self._processes.data_files(peer)) as files:
            for entry, content in files:
                info = tarfile.TarInfo(f"{data_of(peer.name)}{entry.name}")
                info.size, info.mode, info.mtime = entry.size, entry.mode, entry.mtime
                self._add(archive, info, content)

    def _add_file(self, archive: tarfile.TarFile, source: Path, named: Path) -> None:
        """One file of this machine, as if it were the other one."""
        inside = named.is_relative_to(self._folder)
        name = (
            f"organization/{named.relative_to(self._folder)}"
            if inside
            else f"shared/{named.relative_to(self._layout.root)}"
        )
        with source.open("rb") as file:
            found = os.fstat(file.fileno())
            info = tarfile.TarInfo(name)
            info.size, info.mode = found.st_size, stat.S_IMODE(named.stat().st_mode)
            info.mtime = int(found.st_mtime)
            self._add(archive, info, file)

    def _add(self, archive: tarfile.TarFile, info: tarfile.TarInfo, content: Readable) -> None:
        """One file, with its digest for the manifest."""
        digested = Digested(content)
        archive.addfile(info, digested)
        self._files[info.name] = digested.digest.hexdigest()

    def _manifest(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "organization": self._organization.name,
            "msp_id": self._organization.msp_id,
            "topology": dict(self._topology.source),
            "heights": self._heights,
            "orderers": "left out: they join anew",
            "files": self._files,
        }


class Digested:
    """A file that is digested as it is read."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


def data_of(node: str) -> str:
    """What the names of its data begin with in an archive."""
    return f"organization/nodes/{node}/data/"


def _regular_files(folder: Path, leave_out: set[Path]) -> Iterator[Path]:
    """Every file below the folder; names of sockets and of what is unfinished are left out."""
    for path in folder.iterdir():
        if path.name.endswith((".unfinished", ".done")) or path in leave_out:
            continue
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield from _regular_files(path, leave_out)
        elif stat.S_ISREG(mode):
            yield path


@contextlib.contextmanager
def _copy_of_database(path: Path, root: Path) -> Iterator[Path]:
    """A consistent copy, whoever writes at the moment."""
    descriptor, name = tempfile.mkstemp(dir=root, prefix=".database.")
    os.close(descriptor)
    try:
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(name)) as copy,
        ):
            source.backup(copy)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
