"""Enrolling an organisation: its nodes, its administrator and its users, through its own CA.

Everything is looked for first and made only where it is missing. Secrets are derived from the
registrar's, so that an enrolment cut off between registration and certificate is simply repeated.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path

from medfab_gateway.ca import (
    AlreadyRegisteredError,
    AsyncCertificateAuthority,
    AttributeRequest,
    Credential,
    Enrollment,
)
from medfab_gateway.wallet import FileSystemWallet, WalletEntry
from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network._nodes import NODE_OUS
from medfab_network.topology import HOST, Organization, User

REGISTRAR = "registrar"
ADMIN = "admin"


def registrar_secret(layout: Layout, organization: str) -> str:
    """The secret of the CA's bootstrap identity; made at the first call, kept 0600."""
    path = layout.ca(organization) / "registrar-secret"
    if not path.exists():
        layout.ca(organization).mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, secrets.token_urlsafe(24), 0o600)
    return path.read_text()


class Enrolment:
    """Enrols into the folders and the wallet of one organisation."""

    def __init__(
        self, organization: Organization, layout: Layout, ca: AsyncCertificateAuthority
    ) -> None:
        self._organization = organization
        self._layout = layout
        self._ca = ca
        self._root = layout.ca_certificate(organization.name).read_bytes()
        self._registered: set[str] = set()
        self.wallet = FileSystemWallet(layout.wallet(organization.name))

    async def organization(self, chaincode_nodes: tuple[str, ...]) -> None:
        """Everything that the topology names for this organisation."""
        organization = self._organization
        self._write_public_msp()
        registrar = await self._registrar()
        nodes = [(node.name, "peer") for node in organization.peers]
        nodes += [(node.name, "orderer") for node in organization.orderers]
        # The CA's database takes one writer at a time, so registrations gain nothing from gather;
        # what does run beside them is the other organisations' CAs.
        for name, kind in nodes:
            await self._node(registrar, name, kind)
        for name in chaincode_nodes:
            await self._tls(registrar, name, "client")
        if organization.orderers:
            await self._tls(registrar, ADMIN, "admin")
        await self.user(User(name=ADMIN), kind="admin")
        for user in organization.users:
            await self.user(user)

    async def user(self, user: User, *, kind: str = "client") -> WalletEntry:
        """The user's wallet entry, enrolled first where there is none."""
        if user.name not in self.wallet.list():
            registrar = await self._registrar()
            enrollment = await self._register_and_enroll(
                registrar, user.name, kind, attributes=user.attributes
            )
            self._store(user.name, enrollment)
        return self.wallet.get(user.name)

    async def _registrar(self) -> WalletEntry:
        if REGISTRAR not in self.wallet.list():
            secret = registrar_secret(self._layout, self._organization.name)
            self._store(REGISTRAR, await self._ca.enroll(REGISTRAR, secret))
        return self.wallet.get(REGISTRAR)

    async def _node(self, registrar: WalletEntry, name: str, kind: str) -> None:
        msp = self._layout.node(self._organization.name, name) / "msp"
        if not (msp / "signcerts" / "cert.pem").exists():
            enrollment = await self._register_and_enroll(registrar, name, kind)
            write_msp(msp, enrollment, self._root)
        await self._tls(registrar, name, kind)

    async def _tls(self, registrar: WalletEntry, name: str, kind: str) -> None:
        folder = self._layout.tls(self._organization.name, name)
        if (folder / "cert.pem").exists():
            return
        enrollment = await self._register_and_enroll(
            registrar, name, kind, profile="tls", hosts=("localhost", HOST, name)
        )
        write_atomically(folder / "key.pem", enrollment.private_key, 0o600)
        write_atomically(folder / "ca.pem", self._root)
        write_atomically(folder / "cert.pem", enrollment.certificate)

    async def _register_and_enroll(
        self,
        registrar: WalletEntry,
        name: str,
        kind: str,
        *,
        attributes: Mapping[str, str] | None = None,
        profile: str = "",
        hosts: tuple[str, ...] = (),
    ) -> Enrollment:
        attributes = attributes or {}
        secret = self._secret(name)
        if name not in self._registered:
            # Already registered: an earlier run was cut off before its certificate was stored.
            with contextlib.suppress(AlreadyRegisteredError):
                await self._ca.register(
                    Credential(
                        certificate=registrar.identity.certificate, signer=registrar.signer()
                    ),
                    name,
                    type=kind,
                    attributes={key: (value, True) for key, value in attributes.items()},
                    secret=secret,
                )
            self._registered.add(name)
        return await self._ca.enroll(
            name,
            secret,
            profile=profile,
            hosts=hosts,
            attribute_requests=[AttributeRequest(name=key) for key in attributes] or None,
        )

    def _secret(self, name: str) -> str:
        key = registrar_secret(self._layout, self._organization.name).encode()
        return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()

    def _store(self, label: str, enrollment: Enrollment) -> None:
        self.wallet.put(
            label, enrollment.identity(self._organization.msp_id), enrollment.private_key
        )

    def _write_public_msp(self) -> None:
        msp = self._layout.msp(self._organization.name)
        write_atomically(msp / "cacerts" / "ca.pem", self._root)
        write_atomically(msp / "tlscacerts" / "ca.pem", self._root)
        write_atomically(msp / "config.yaml", NODE_OUS)


def write_msp(folder: Path, enrollment: Enrollment, root: bytes) -> None:
    """A local MSP, as peers and orderers read it. The certificate comes last: it marks the end."""
    write_atomically(folder / "cacerts" / "ca.pem", root)
    write_atomically(folder / "tlscacerts" / "ca.pem", root)
    write_atomically(folder / "config.yaml", NODE_OUS)
    write_atomically(folder / "keystore" / "key.pem", enrollment.private_key, 0o600)
    write_atomically(folder / "signcerts" / "cert.pem", enrollment.certificate)
