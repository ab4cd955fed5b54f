"""Enrolling an organisation: its nodes, its administrator and its users, through its own CA.

Everything is looked for first and made only where it is missing. Secrets are derived from the
registrar's, so that an enrolment cut off between registration and certificate is simply repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping

from medfab_gateway.ca import (
    AlreadyRegisteredError,
    AsyncCertificateAuthority,
    AttributeRequest,
    Credential,
    Enrollment,
)
from medfab_gateway.wallet import FileSystemWallet, WalletEntry
from medfab_network._authority import REGISTRAR
from medfab_network._files import write_atomically, write_folder_atomically
from medfab_network._layout import Layout
from medfab_network._nodes import NODE_OUS
from medfab_network._roots import root_files, trusted
from medfab_network._together import together
from medfab_network.topology import HOST, Organization, User

ADMIN = "admin"


def registrar_secret(layout: Layout, organization: str) -> str:
    """The secret of the CA's bootstrap identity; made at the first call, kept 0600."""
    path = layout.ca(organization) / "registrar-secret"
    if not path.exists():
        layout.ca(organization).mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, secrets.token_urlsafe(24), 0o600)
    return path.read_text()


class Issuer:
    """One certificate authority, and the registrar that makes identities known to it."""

    def __init__(
        self,
        client: AsyncCertificateAuthority,
        *,
        wallet: FileSystemWallet,
        msp_id: str,
        secret: str,
    ) -> None:
        """wallet: keeps the registrar. secret: the registrar's own."""
        self._client = client
        self._wallet = wallet
        self._msp_id = msp_id
        self._secret = secret

    async def issue(
        self,
        name: str,
        kind: str,
        *,
        attributes: Mapping[str, str] | None = None,
        profile: str = "",
        hosts: tuple[str, ...] = (),
    ) -> Enrollment:
        """Register `name`, where that has not been done, and enrol it."""
        attributes = attributes or {}
        secret = hmac.new(self._secret.encode(), name.encode(), hashlib.sha256).hexdigest()
        registrar = await self.registrar()
        # Already registered: an earlier run was cut off before its certificate was stored.
        with contextlib.suppress(AlreadyRegisteredError):
            await self._client.register(
                Credential(certificate=registrar.identity.certificate, signer=registrar.signer()),
                name,
                type=kind,
                attributes={key: (value, True) for key, value in attributes.items()},
                secret=secret,
            )
        return await self._client.enroll(
            name,
            secret,
            profile=profile,
            hosts=hosts,
            attribute_requests=[AttributeRequest(name=key) for key in attributes] or None,
        )

    async def registrar(self) -> WalletEntry:
        """The registrar's wallet entry, enrolled first where there is none."""
        if REGISTRAR not in self._wallet.list():
            enrollment = await self._client.enroll(REGISTRAR, self._secret)
            self._wallet.put(REGISTRAR, enrollment.identity(self._msp_id), enrollment.private_key)
        return self._wallet.get(REGISTRAR)


class Enrolment:
    """Enrols into the folders and the wallet of one organisation."""

    def __init__(
        self,
        organization: Organization,
        layout: Layout,
        *,
        ca: AsyncCertificateAuthority,
        tls_ca: AsyncCertificateAuthority,
    ) -> None:
        self._organization = organization
        self._layout = layout
        self.wallet = FileSystemWallet(layout.wallet(organization.name))
        secret = registrar_secret(layout, organization.name)
        self._identities = Issuer(ca, wallet=self.wallet, msp_id=organization.msp_id, secret=secret)
        self._tls_certificates = Issuer(
            tls_ca,
            wallet=FileSystemWallet(layout.tls_wallet(organization.name)),
            msp_id=organization.msp_id,
            secret=secret,
        )

    async def organization(
        self, chaincode_nodes: tuple[str, ...], enrolled: Callable[[str], None]
    ) -> None:
        """Everything that the topology names for this organisation.

        `enrolled` is called with a node's name as soon as it has all that it needs to start: long
        before people are enrolled.
        """
        organization = self._organization
        msp = self._layout.msp(organization.name)
        if not msp.exists():
            await asyncio.to_thread(write_folder_atomically, msp, self._roots())
        nodes = {node.name: "peer" for node in organization.peers}
        nodes |= {node.name: "orderer" for node in organization.orderers}
        missing = dict.fromkeys(nodes, 2) | dict.fromkeys(chaincode_nodes, 1)

        def has(name: str) -> None:
            missing[name] -= 1
            if missing[name] == 0:
                enrolled(name)

        async def identities() -> None:
            await self._identities.registrar()  # for who adds users later
            for name, kind in nodes.items():
                await self._node(name, kind)
                has(name)
            await self.user(User(name=ADMIN), kind="admin")
            for user in organization.users:
                await self.user(user)

        async def tls_certificates() -> None:
            for name, kind in nodes.items():
                await self._tls(name, kind)
                has(name)
            for name in chaincode_nodes:
                await self._tls(name, "client")
                has(name)
            if organization.orderers:
                await self._tls(ADMIN, "admin")

        # An authority's database takes one writer at a time, so registrations with one gain nothing
        # from running at once; the two authorities, and other organisations', do run beside.
        await together([identities(), tls_certificates()])

    async def user(self, user: User, *, kind: str = "client") -> WalletEntry:
        """The user's wallet entry, enrolled first where there is none."""
        if user.name not in self.wallet.list():
            enrollment = await self._identities.issue(user.name, kind, attributes=user.attributes)
            identity = enrollment.identity(self._organization.msp_id)
            self.wallet.put(user.name, identity, enrollment.private_key)
        return self.wallet.get(user.name)

    async def _node(self, name: str, kind: str) -> None:
        """A local MSP, as peers and orderers read it.

        Files are written in threads: each waits for the disk, and the network goes on meanwhile.
        """
        msp = self._layout.node(self._organization.name, name) / "msp"
        if not msp.exists():
            enrollment = await self.new_identity(name, kind)
            own: dict[str, tuple[bytes | str, int]] = {
                "keystore/key.pem": (enrollment.private_key, 0o600),
                "signcerts/cert.pem": (enrollment.certificate, 0o644),
            }
            await asyncio.to_thread(write_folder_atomically, msp, self._roots() | own)

    async def new_identity(self, name: str, kind: str) -> Enrollment:
        """A certificate of a node's identity, over a new key."""
        return await self._identities.issue(name, kind)

    async def new_tls(self, name: str, kind: str) -> Enrollment:
        """A TLS certificate of a node, over a new key."""
        return await self._tls_certificates.issue(
            name, kind, profile="tls", hosts=("localhost", HOST, name)
        )

    async def _tls(self, name: str, kind: str) -> None:
        folder = self._layout.tls(self._organization.name, name)
        if (folder / "cert.pem").exists():
            return
        enrollment = await self.new_tls(name, kind)

        def write() -> None:
            write_atomically(folder / "key.pem", enrollment.private_key, 0o600)
            write_atomically(folder / "ca.pem", self._tls_root())
            write_atomically(folder / "cert.pem", enrollment.certificate)

        await asyncio.to_thread(write)

    def _roots(self) -> dict[str, tuple[bytes | str, int]]:
        """What every MSP of the organisation has."""
        name = self._organization.name
        return {
            **root_files("cacerts", trusted(self._layout.ca(name))),
            **root_files("tlscacerts", trusted(self._layout.tls_ca(name))),
            "config.yaml": (NODE_OUS, 0o644),
        }

    def _tls_root(self) -> bytes:
        return self._layout.tls_ca_certificate(self._organization.name).read_bytes()
