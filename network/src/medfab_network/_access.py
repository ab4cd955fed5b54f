"""How the network's own commands reach its nodes: endpoints and identities from the directory."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from medfab_gateway import AsyncGateway, Endpoint
from medfab_gateway.admin import AsyncDiscovery, AsyncOrdererAdmin, AsyncPeerAdmin
from medfab_gateway.ca import AsyncCertificateAuthority
from medfab_gateway.wallet import FileSystemWallet, WalletEntry
from medfab_network._authority import tls_authority_name
from medfab_network._enrolment import ADMIN, Enrolment
from medfab_network._layout import Layout
from medfab_network.topology import HOST, Node, Organization

_AUTHORITY_SECONDS = 120.0
"""For an answer of an authority: all of them are asked at once while a network starts, and each
answer costs them a slow hash of a secret. A loaded machine is not a broken network."""


class Access:
    """Clients for the nodes of one network directory. Callers close what they get."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def entry(self, organization: str, label: str) -> WalletEntry:
        return FileSystemWallet(self._layout.wallet(organization)).get(label)

    def endpoint(self, node: Node) -> Endpoint:
        root = self._layout.tls_ca_certificate(node.organization).read_bytes()
        return Endpoint(node.published, tls_root_certificates=root, server_name=node.name)

    def certificate_authority(self, organization: Organization) -> AsyncCertificateAuthority:
        """The authority of enrolment certificates."""
        return self._authority(organization, organization.ca.name)

    def tls_certificate_authority(self, organization: Organization) -> AsyncCertificateAuthority:
        """The authority of the nodes' TLS certificates, at the same server."""
        return self._authority(organization, tls_authority_name(organization.name))

    @contextlib.asynccontextmanager
    async def enrolment(self, organization: Organization) -> AsyncIterator[Enrolment]:
        """Enrolment with both authorities."""
        async with (
            self.certificate_authority(organization) as ca,
            self.tls_certificate_authority(organization) as tls_ca,
        ):
            yield Enrolment(organization, self._layout, ca=ca, tls_ca=tls_ca)

    def _authority(self, organization: Organization, ca_name: str) -> AsyncCertificateAuthority:
        return AsyncCertificateAuthority(
            f"https://{HOST}:{organization.ca.port}",
            ca_name=ca_name,
            tls_root_certificates=self._layout.ca_server_certificate(
                organization.name
            ).read_bytes(),
            timeout=_AUTHORITY_SECONDS,
        )

    def gateway(self, organization: Organization, user: str = ADMIN) -> AsyncGateway:
        entry = self.entry(organization.name, user)
        endpoint = self.endpoint(organization.peers[0])
        return AsyncGateway.connect(endpoint, entry.identity, entry.signer())

    def peer_admin(self, peer: Node) -> AsyncPeerAdmin:
        entry = self.entry(peer.organization, ADMIN)
        return AsyncPeerAdmin(self.endpoint(peer), entry.identity, entry.signer())

    def discovery(self, peer: Node) -> AsyncDiscovery:
        entry = self.entry(peer.organization, ADMIN)
        return AsyncDiscovery(self.endpoint(peer), entry.identity, entry.signer())

    def orderer_admin(self, orderer: Node) -> AsyncOrdererAdmin:
        client = self._layout.tls(orderer.organization, ADMIN)
        return AsyncOrdererAdmin(
            f"https://{HOST}:{orderer.admin_port}",
            tls_root_certificates=(client / "ca.pem").read_bytes(),
            client_certificate=(client / "cert.pem").read_bytes(),
            client_key=(client / "key.pem").read_bytes(),
        )
