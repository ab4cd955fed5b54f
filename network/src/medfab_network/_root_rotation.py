"""A new root for the authorities of a running organisation: both, then everybody moves, then one.

1. `trust`: the new root is made, and everybody trusts both.
2. `renew`: the authorities issue with the new one; nodes and people get new certificates.
3. `retire`: the old one counts no more, and what it has issued is refused.

Between them clients have to act, so each is a command of its own.
"""

from __future__ import annotations

import asyncio

from cryptography import x509

from medfab_gateway.admin import ConfigEditor
from medfab_gateway.ca import AsyncRenewal
from medfab_gateway.wallet import FileSystemWallet
from medfab_network import _roots
from medfab_network._access import Access
from medfab_network._channel_change import ChannelChanges
from medfab_network._enrolment import ADMIN
from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network._node_control import NodeControl
from medfab_network._profiles import write_connection_profile
from medfab_network._progress import Progress
from medfab_network._rotation import PATIENCE, Journal, Kind, Rotation, RotationReport
from medfab_network.errors import NetworkError
from medfab_network.topology import Organization, Topology

TRUST, RENEW, RETIRE = "trust", "renew", "retire"


class RootRotation:
    """The steps of one organisation's new root."""

    def __init__(
        self,
        rotation: Rotation,
        topology: Topology,
        layout: Layout,
        control: NodeControl,
        progress: Progress,
    ) -> None:
        self._rotation = rotation
        self._organization = rotation.organization
        self._topology = topology
        self._layout = layout
        self._control = control
        self._progress = progress
        self._access = Access(layout)
        self._changes = ChannelChanges(topology, self._access)
        name = self._organization.name
        self._authorities = (layout.ca(name), layout.tls_ca(name))

    def next_step(self) -> str:
        """The step that was cut off, or else the one that comes next."""
        return next_root_step(self._layout, self._organization)

    async def run(self, step: str) -> RotationReport:
        """One step; again, where it was cut off."""
        self._rotation.check_orderers()
        expected = self.next_step()
        if step != expected:
            raise NetworkError(
                f"a new root of {self._organization.name} comes in three steps, {TRUST}, {RENEW} "
                f"and {RETIRE}; the next one is {expected}"
            )
        journal = Journal(self._layout, self._organization.name)
        journal.begin(f"root-{step}", self._organization.name, None)
        report = RotationReport(organization=self._organization.name, kind=Kind.ROOT, step=step)
        match step:
            case "trust":
                await self._trust()
            case "renew":
                await self._renew(journal, report)
            case _:
                await self._retire(journal)
        journal.end()
        return report

    async def _trust(self) -> None:
        self._progress.step("a new root, trusted beside the old one")
        for authority in self._authorities:
            _roots.make_successor(authority)
            _roots.trust_both(authority)
        await self._spread()

    async def _renew(self, journal: Journal, report: RotationReport) -> None:
        if not journal.done("issue"):
            self._progress.step("the authorities issue with the new root")
            for authority in self._authorities:
                _roots.issue_with_successor(authority)
            await self._restart_authority()
            journal.add("issue")
        nodes = await self._rotation.nodes()
        await self._rotation.renew_nodes(nodes, journal, report, tls=True, sign=True)
        if self._organization.orderers:
            await self._rotation.renew_administrator_tls()
        self._progress.step("the wallet's identities")
        labels = self._of_old_root()
        await self._rotation.renew_wallet(labels)
        report.identities = labels
        await self._renew_tls_registrar()

    async def _retire(self, journal: Journal) -> None:
        left = self._of_old_root()
        if left:
            raise NetworkError(
                f"identities in the wallet are still of the old root: {', '.join(left)}; "
                f"`medfab ca renew NAME --org {self._organization.name}` renews one"
            )
        if not journal.done("spread"):
            self._progress.step("the old root is taken out of the channels")
            for authority in self._authorities:
                _roots.retire_predecessor(authority)
            await self._spread()
            await self._restart_authority()
            journal.add("spread")
        # What the channels say is in force at once; the nodes' own files are read at the start.
        for node in await self._rotation.nodes():
            if node.kind == "chaincode":
                await asyncio.to_thread(self._rotation.connect, node)
            if not journal.done(node.name) and not self._rotation.reads_again(node):
                self._progress.step(f"{node.name} forgets the old root")
                await self._control.stop(node)
                await self._control.start(node)
                await self._control.wait_useful(node)
                journal.add(node.name)
                await self._control.let_clients_return(node)

    async def _spread(self) -> None:
        """Whom the organisation trusts: in its folders, its profile, and the channels."""
        name = self._organization.name
        roots, tls_roots = (_roots.trusted(authority) for authority in self._authorities)
        bundle = self._layout.tls_ca_certificate(name).read_bytes()
        for node in await self._rotation.nodes():
            write_atomically(self._layout.tls(name, node.name) / "ca.pem", bundle)
            if node.kind != "chaincode":
                self._write_msp_roots(self._layout.node(name, node.name) / "msp")
        if self._organization.orderers:
            write_atomically(self._layout.tls(name, ADMIN) / "ca.pem", bundle)
        self._write_msp_roots(self._layout.msp(name))
        write_connection_profile(self._organization, self._topology, self._layout)
        msp_id = self._organization.msp_id

        def change(editor: ConfigEditor) -> object:
            return editor.set_roots(msp_id, roots=roots, tls_roots=tls_roots)

        for channel in self._topology.channels:
            if self._organization.orderers or name in channel.organizations:
                await self._changes.apply(channel, change, [self._organization], patience=PATIENCE)

    def _write_msp_roots(self, msp: object) -> None:
        for folder, authority in zip(("cacerts", "tlscacerts"), self._authorities, strict=True):
            _roots.write_roots(msp, folder, _roots.trusted(authority))  # type: ignore[arg-type]

    async def _restart_authority(self) -> None:
        """Enrolments wait for a second; nobody else asks an authority."""
        await self._control.stop(self._organization.ca)
        await self._control.start(self._organization.ca)

    async def _renew_tls_registrar(self) -> None:
        wallet = FileSystemWallet(self._layout.tls_wallet(self._organization.name))
        async with self._access.tls_certificate_authority(self._organization) as authority:
            for label in wallet.list():
                await AsyncRenewal(authority, wallet).renew(label)

    def _of_old_root(self) -> list[str]:
        """Labels of the wallet whose certificates the issuing root has not signed."""
        wallet = FileSystemWallet(self._layout.wallet(self._organization.name))
        root = x509.load_pem_x509_certificate((self._authorities[0] / "ca-cert.pem").read_bytes())
        return [
            label for label in wallet.list() if not _issued(root, wallet.get(label).identity.x509)
        ]


def _issued(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    key = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    return issuer.key_identifier == key


def next_root_step(layout: Layout, organization: Organization) -> str:
    """The step of a new root that was cut off, or else the one that comes next."""
    begun = Journal(layout, organization.name).content.get("kind", "")
    if begun.startswith("root-"):
        return str(begun.removeprefix("root-"))
    ca = layout.ca(organization.name)
    if not (ca / "ca-chain.pem").exists():
        return TRUST
    issuing = (ca / "ca-cert.pem").read_bytes() == (ca / "next-root.pem").read_bytes()
    return RETIRE if issuing else RENEW
