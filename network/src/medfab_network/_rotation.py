"""New certificates for the nodes of a running organisation, one node after the other.

What has been done is kept in `rotation.json`: a rotation that was cut off goes on when it is asked
for again. A node is left alone until the one before it is back and useful.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from medfab_gateway.admin import ConfigEditor
from medfab_gateway.ca import AsyncRenewal
from medfab_gateway.wallet import FileSystemWallet
from medfab_network._access import Access
from medfab_network._channel_change import ChannelChanges
from medfab_network._deploy import chaincode_package_id, write_connection
from medfab_network._enrolment import ADMIN
from medfab_network._files import write_atomically
from medfab_network._health import leaders, tls_context
from medfab_network._layout import Layout
from medfab_network._node_control import NodeControl
from medfab_network._presented import presented
from medfab_network._progress import Progress
from medfab_network._rotation_pairs import Pair, serial_of
from medfab_network._runner import Runner
from medfab_network.errors import NetworkError, TopologyError
from medfab_network.topology import BFT, SERVE_CONTRACT, Node, Organization, Topology

PATIENCE = 180.0
"""Seconds for a change of a channel: a leader may have to be found first."""


class Kind(StrEnum):
    """Which certificates of an organisation are replaced."""

    TLS = "tls"
    """Of its nodes' TLS: peers, orderers, chaincodes; their operations endpoints have the same."""
    SIGN = "sign"
    """Of its nodes' identities: what peers and orderers sign with."""
    NODE = "node"
    """Both, with one restart of each node."""
    ROOT = "root"
    """The roots of its authorities, and then everything below them, people included."""


@dataclass(kw_only=True)
class RotationReport:
    """What a rotation did."""

    organization: str
    kind: Kind
    step: str = ""
    """Of a new root: `trust`, `renew` or `retire`."""
    replaced: list[dict[str, Any]] = field(default_factory=list)
    """Node, kind, old and new serial number (hex), seconds until the node was back."""
    identities: list[str] = field(default_factory=list)
    """Labels of the wallet that were renewed."""


class Journal:
    """What a rotation has done so far, on disk."""

    def __init__(self, layout: Layout, organization: str) -> None:
        self._path = layout.rotation(organization)
        self.content: dict[str, Any] = (
            json.loads(self._path.read_text()) if self._path.exists() else {}
        )

    def begin(self, kind: str, organization: str, node: str | None) -> None:
        """Raises `NetworkError` where another rotation has not ended."""
        wanted = {"kind": kind, "node": node}
        there = {key: self.content.get(key) for key in wanted}
        if self.content and there != wanted:
            begun, begun_node = self.content["kind"].partition("-")[0], self.content["node"]
            option = f" --node {begun_node}" if begun_node else ""
            raise NetworkError(
                f"another rotation has not ended; let it go on with `medfab network rotate --kind "
                f"{begun} --org {organization}{option}`"
            )
        if not self.content:
            self.content = {**wanted, "done": []}
            self._write()

    def done(self, what: str) -> bool:
        """Whether a step has been done."""
        return what in self.content["done"]

    def add(self, what: str) -> None:
        """A step has been done."""
        self.content["done"].append(what)
        self._write()

    def end(self) -> None:
        """All has been done."""
        self._path.unlink(missing_ok=True)
        self.content = {}

    def _write(self) -> None:
        write_atomically(self._path, json.dumps(self.content))


class Rotation:
    """The rotation of one organisation's certificates."""

    def __init__(
        self,
        organization: Organization,
        topology: Topology,
        layout: Layout,
        processes: Runner,
        control: NodeControl,
        progress: Progress,
    ) -> None:
        self.organization = organization
        self._topology = topology
        self._layout = layout
        self._processes = processes
        self._control = control
        self._progress = progress
        self._access = Access(layout)
        self._changes = ChannelChanges(topology, self._access)

    async def run(self, kind: Kind, node: str | None = None) -> RotationReport:
        """Replace the certificates of all nodes, or of one."""
        if kind is not Kind.SIGN:
            self.check_orderers()
        targets = await self._targets(node)
        journal = Journal(self._layout, self.organization.name)
        journal.begin(kind, self.organization.name, node)
        report = RotationReport(organization=self.organization.name, kind=kind)
        tls, sign = kind in (Kind.TLS, Kind.NODE), kind in (Kind.SIGN, Kind.NODE)
        await self.renew_nodes(targets, journal, report, tls=tls, sign=sign)
        if tls and node is None and self.organization.orderers:
            await self.renew_administrator_tls()
        journal.end()
        return report

    def check_orderers(self) -> None:
        """Raise where the TLS certificate of an only orderer would be replaced.

        Fabric's Raft lets a leader hand its lead over first; with nobody to take it, the update
        is dropped without a word (v3.1 `etcdraft/chain.go`).
        """
        if self._topology.consensus != BFT and len(self.organization.orderers) == 1:
            raise NetworkError(
                f"{self.organization.orderers[0].name} is the only orderer, and Fabric does not "
                "take another TLS certificate for it. Add two first: `medfab orderer add`, twice"
            )

    async def renew_nodes(
        self,
        targets: Iterable[Node],
        journal: Journal,
        report: RotationReport,
        *,
        tls: bool,
        sign: bool,
    ) -> None:
        """One after the other; those in the journal are done."""
        for node in targets:
            if journal.done(node.name) or (node.kind == "chaincode" and not tls):
                continue
            self._progress.step(node.name)
            began = time.monotonic()
            pairs = self._pairs(node, tls=tls, sign=sign)
            before = {name: pair.serial for name, pair in pairs.items()}
            if not journal.done(f"{node.name}: replaced"):
                await self._stage(node, pairs)
                if node.kind == "orderer":
                    await self._tell_the_channels(node, pairs)
                for pair in pairs.values():
                    pair.replace()
                if node.kind == "chaincode":
                    await asyncio.to_thread(self.connect, node)
                journal.add(f"{node.name}: replaced")
            down = time.monotonic()
            if not (self.reads_again(node) and await self._shows_the_new_one(node)):
                await self._control.stop(node)
                await self._control.start(node)
                if not await self._shows_the_new_one(node):
                    raise NetworkError(f"{node.name} does not show its new certificate")
            await self._control.wait_useful(node)
            journal.add(node.name)
            seconds = time.monotonic() - began
            report.replaced += [
                {
                    "node": node.name,
                    "kind": name,
                    "old_serial": f"{before[name]:x}",
                    "new_serial": f"{pair.serial:x}",
                    "seconds_until_useful": round(time.monotonic() - down, 3),
                }
                for name, pair in pairs.items()
            ]
            self._progress.done(node.name, seconds)
            await self._control.let_clients_return(node)

    def reads_again(self, node: Node) -> bool:
        """Whether it takes new TLS files without being started again, as our contract server."""
        if node.kind != "chaincode":
            return False
        return self._topology.chaincode(node.chaincode or "").command[0] == SERVE_CONTRACT

    async def renew_administrator_tls(self) -> None:
        """The certificate by which orderers know their administrator."""
        async with self._access.enrolment(self.organization) as enrolment:
            pair = Pair.tls(self._layout, self.organization.name, ADMIN)
            pair.stage(await enrolment.new_tls(ADMIN, "admin"))
        pair.replace()

    async def renew_wallet(self, labels: Iterable[str]) -> None:
        """The identities of people and programs, in the organisation's wallet."""
        wallet = FileSystemWallet(self._layout.wallet(self.organization.name))
        async with self._access.certificate_authority(self.organization) as authority:
            renewal = AsyncRenewal(authority, wallet)
            for label in labels:
                await renewal.renew(label)

    async def nodes(self) -> list[Node]:
        """The nodes with certificates of the authorities, in the order of their rotation.

        Of orderers the leader last: each change of leader is a moment without one.
        """
        own = [
            node
            for node in self._topology.nodes()
            if node.organization == self.organization.name and node.kind != "ca"
        ]
        if self.organization.orderers:
            context = tls_context(
                self._layout.tls_ca_certificate(self.organization.name),
                self._layout.tls(self.organization.name, ADMIN),
            )
            leading = {
                node.name: bool(node.kind == "orderer" and await leaders(node, context))
                for node in own
            }
            own.sort(key=lambda node: leading[node.name])
        return own

    async def _targets(self, name: str | None) -> list[Node]:
        nodes = await self.nodes()
        if name is None:
            return nodes
        found = [node for node in nodes if node.name == name]
        if not found:
            known = ", ".join(node.name for node in nodes)
            raise TopologyError(
                f"{self.organization.name} has no node {name!r} with such certificates; it has "
                f"{known}"
            )
        return found

    def _pairs(self, node: Node, *, tls: bool, sign: bool) -> dict[str, Pair]:
        """Sorted so that what a channel knows comes first."""
        pairs = {}
        if tls:
            pairs["tls"] = Pair.tls(self._layout, node.organization, node.name)
        if sign and node.kind != "chaincode":
            pairs["sign"] = Pair.sign(self._layout, node.organization, node.name)
        return pairs

    async def _stage(self, node: Node, pairs: dict[str, Pair]) -> None:
        kind = "client" if node.kind == "chaincode" else node.kind
        async with self._access.enrolment(self.organization) as enrolment:
            for name, pair in pairs.items():
                if pair.staged is None:
                    make = enrolment.new_tls if name == "tls" else enrolment.new_identity
                    pair.stage(await make(node.name, kind))

    async def _tell_the_channels(self, node: Node, pairs: dict[str, Pair]) -> None:
        """Raft's consenters are known by their TLS certificates, those of BFT by both."""
        tls = pairs["tls"].staged if "tls" in pairs else None
        identity = None
        if self._topology.consensus == BFT and "sign" in pairs:
            identity = pairs["sign"].staged
        if tls is None and identity is None:
            return

        def change(editor: ConfigEditor) -> object:
            return editor.replace_orderer_certificates(
                node.host,
                node.port,
                client_tls_certificate=tls,
                server_tls_certificate=tls,
                identity_certificate=identity,
            )

        for channel in self._topology.channels:
            await self._changes.apply(channel, change, [self.organization], patience=PATIENCE)

    def connect(self, node: Node) -> None:
        """Let the organisation's peers dial the chaincode with its new pair.

        A peer reads the file again each time that it dials.
        """
        chaincode = self._topology.chaincode(node.chaincode or "")
        write_connection(node, chaincode, self._layout)
        connection = self._layout.connections(node.organization) / f"{chaincode.label}.json"
        build = f"externalbuilder/builds/{chaincode_package_id(chaincode).replace(':', '-')}"
        for peer in self.organization.peers:
            self._processes.replace_data(
                peer, f"{build}/release/chaincode/server/connection.json", connection.read_bytes()
            )

    async def _shows_the_new_one(self, node: Node) -> bool:
        """Whether it shows the certificate in its folder, wherever it shows one."""
        wanted = Pair.tls(self._layout, node.organization, node.name).serial
        for port in (node.port, node.operations_port):
            shown = None if port is None else await presented(node, port)
            if port is not None and (shown is None or serial_of(shown) != wanted):
                return False
        return True
