"""A network for faults, and what can be done to its nodes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.database import Rows, rows
from faults.disks import Disk, why_not
from faults.load import CHAINCODE, CHANNEL, HOSPITAL, Load
from faults.relay import Relay, RelayedProcesses
from integration.conftest import on_free_ports
from medfab_network import Network, Topology, parse_topology
from medfab_network._health import is_healthy, leaders, tls_context
from medfab_network.topology import Node
from postgres import postgres_server

SETTLE_SECONDS = 300.0


@dataclass(eq=False)
class Site:
    """The network with clients and consumers at work."""

    network: Network
    load: Load
    rows: Rows
    relay: Relay | None
    disks: Mapping[str, Disk]
    """By node; and `postgres` and `sqlite`. Empty where disks stay as they are."""
    working: asyncio.Task[None]
    _starts: dict[str, _Start] = field(default_factory=dict)

    def node(self, name: str) -> Node:
        return next(node for node in self.network.topology.nodes() if node.name == name)

    def pids(self) -> dict[str, int]:
        return self.network.processes()

    def send(self, nodes: Iterable[str], number: signal.Signals) -> None:
        running = self.pids()
        for node in nodes:
            os.kill(running[node], number)

    async def end(self, nodes: Iterable[str], number: signal.Signals = signal.SIGTERM) -> None:
        """End them, and wait until they have ended."""
        waiting = set(nodes)
        self.send(waiting & set(self.pids()), number)
        async with asyncio.timeout(SETTLE_SECONDS):
            while waiting & set(await self.network._processes.settled()):
                await asyncio.sleep(0.05)

    async def start(self, nodes: Iterable[str], *, healthy: bool = True) -> None:
        """Start ended nodes as they were started before; wait until they are well."""
        names = list(nodes)
        for name in names:
            start = self._starts[name]
            self.network._processes.start(name, start.command, start.environment, start.folder)
        if healthy:
            await self.until_healthy(names)

    async def until_healthy(self, nodes: Iterable[str]) -> None:
        layout = self.network._layout
        async with asyncio.timeout(SETTLE_SECONDS):
            for name in nodes:
                node = self.node(name)
                root = (
                    layout.ca_server_certificate if node.kind == "ca" else layout.tls_ca_certificate
                )(node.organization)
                while not await is_healthy(node, tls_context(root)):
                    self.network._processes.check_alive(name)
                    await asyncio.sleep(0.1)

    async def orderers(self) -> tuple[str, list[str]]:
        """The leader now, and the others."""
        ordering = self.network.topology.ordering
        layout = self.network._layout
        context = tls_context(
            layout.tls_ca_certificate(ordering.name), layout.tls(ordering.name, "admin")
        )
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                for orderer in ordering.orderers:
                    if await leaders(orderer, context):
                        names = [o.name for o in ordering.orderers]
                        return orderer.name, [n for n in names if n != orderer.name]
                await asyncio.sleep(0.2)

    async def heights(self, peers: Iterable[Node] | None = None) -> list[int]:
        async def height(peer: Node) -> int:
            async with self.network._access.peer_admin(peer) as admin:
                return (await admin.chain_info(CHANNEL)).height

        chosen = self.peers if peers is None else peers
        return list(await asyncio.gather(*(height(peer) for peer in chosen)))

    @property
    def peers(self) -> list[Node]:
        return [peer for member in self.network.topology.organizations for peer in member.peers]

    async def commits(self, count: int) -> None:
        """Wait until that many more transactions are acknowledged."""
        enough = len(self.load.acknowledged) + count
        async with asyncio.timeout(SETTLE_SECONDS):
            while len(self.load.acknowledged) < enough:
                if self.working.done():
                    self.working.result()
                    raise AssertionError("the clients have ended")
                await asyncio.sleep(0.05)

    def evidence(self, *words: str) -> Evidence:
        """Of what nodes and consumers write into their logs from now on."""
        logs = [*self.network.logs.glob("*.log"), self.rows.log, self.rows.postgres.log_file]
        lengths = {log: log.stat().st_size for log in logs if log.exists()}
        return Evidence(lengths, words)

    def remember_starts(self) -> None:
        """How each node was started, for `start`."""
        for name, pid in self.pids().items():
            folder = Path(f"/proc/{pid}")
            command = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            self._starts[name] = _Start(
                [part.decode() for part in command],
                self.network._processes.environment(name),
                (folder / "cwd").resolve(),
            )


@dataclass(frozen=True)
class Evidence:
    """Lines with one of some words, in logs."""

    lengths: Mapping[Path, int]
    """Of each log at the beginning."""
    words: tuple[str, ...]

    async def seen(self, samples: dict[str, str], enough: Callable[[], bool]) -> None:
        """Wait until there is some, or until what clients were told is `enough`.

        Adds to the samples the first line of each log.
        """
        async with asyncio.timeout(SETTLE_SECONDS):
            while not (found := self.lines()) and not enough():
                await asyncio.sleep(0.1)
        samples |= found

    def lines(self) -> dict[str, str]:
        found = {}
        for log, length in self.lengths.items():
            with log.open("rb") as file:
                file.seek(length)
                for line in file.read().decode(errors="replace").splitlines():
                    if any(word in line for word in self.words):
                        found[f"log of {_log_name(log)}"] = line
                        break
        return found


def _log_name(log: Path) -> str:
    return {"service": "the consumer", "log": "PostgreSQL"}.get(log.stem, log.stem)


@dataclass(frozen=True)
class _Start:
    command: list[str]
    environment: Mapping[str, str]
    folder: Path


def topology() -> Topology:
    """Three organisations, one of them with two peers; three orderers."""
    organizations = ["hospital", "clinic", "regulator"]
    return on_free_ports(
        parse_topology(
            {
                "name": "faults",
                "ordering": {"orderers": 3},
                "organizations": [
                    {"name": "hospital", "msp_id": HOSPITAL, "peers": 2},
                    {"name": "clinic", "msp_id": "ClinicMSP"},
                    {"name": "regulator", "msp_id": "RegulatorMSP"},
                ],
                "channels": [{"name": CHANNEL, "organizations": organizations}],
                "chaincodes": [
                    {
                        "name": CHAINCODE,
                        "channel": CHANNEL,
                        "version": "1.0",
                        "contract": "fault_contract:Faults",
                    }
                ],
            }
        )
    )


@asynccontextmanager
async def site(directory: Path, *, relayed: bool, logs: Path | None = None) -> AsyncIterator[Site]:
    """A network that is up, with clients and consumers at work; gone afterwards.

    relayed: links go through a relay, and disks can be filled. logs: where the nodes' logs are kept
    in the end; None: nowhere.
    """
    network = Network(directory / "net", topology())
    relay: Relay | None = None
    disks: dict[str, Disk] = {}
    async with contextlib.AsyncExitStack() as stack:
        if relayed:
            processes = RelayedProcesses(network._layout, network.topology)
            network._processes = processes
            relay = processes.relay
            stack.push_async_callback(relay.close)
        stack.push_async_callback(network.clean)
        if relayed and why_not() is None:
            with network.exclusive():
                network._folder.claim(network.topology)  # before there is anything else in it
                for node in network.topology.nodes():
                    folder = network._processes.data_folder(node)
                    if folder is not None:
                        disks[node.name] = Disk(folder)
                        stack.callback(disks[node.name].remove)
            for name in ("postgres", "sqlite"):
                folder = directory / name
                folder.mkdir(mode=0o711)
                disks[name] = Disk(folder)
                stack.callback(disks[name].remove)
        (directory / "sqlite").mkdir(exist_ok=True)
        await network.up()
        # Another user, whom PostgreSQL runs as where we are root, has to get into the folder.
        directory.chmod(0o711)
        postgres = stack.enter_context(
            postgres_server(directory / "postgres" if "postgres" in disks else None)
        )
        load = Load(network)
        working = asyncio.create_task(load.run())
        try:
            following = await stack.enter_async_context(rows(network, directory, postgres))
            made = Site(network, load, following, relay, disks, working)
            made.remember_starts()
            await made.commits(5)
            await following.until(3)
            yield made
        finally:
            load.stop()
            await asyncio.wait({working})
            if logs is not None:
                shutil.copytree(network.logs, logs, dirs_exist_ok=True)


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="medfab-faults-")
