"""Where things are in a network directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths below one network directory (absolute)."""

    root: Path

    @property
    def topology(self) -> Path:
        return self.root / "topology.yaml"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def demo_mark(self) -> Path:
        """There when `medfab demo` made the directory."""
        return self.root / "made-by-demo"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def configtx(self) -> Path:
        return self.root / "configtx.yaml"

    @property
    def compose(self) -> Path:
        return self.root / "docker-compose.yaml"

    @property
    def compose_env(self) -> Path:
        """Beside the compose file, where Compose looks for it."""
        return self.root / ".env"

    @property
    def images(self) -> Path:
        """The lock file of the images: name → id of what the last `up` ran."""
        return self.root / "images.json"

    @property
    def builder(self) -> Path:
        """The external builder that the peers run."""
        return self.root / "builder"

    def organization(self, name: str) -> Path:
        return self.root / "organizations" / name

    def ca(self, organization: str) -> Path:
        return self.organization(organization) / "ca"

    def ca_certificate(self, organization: str) -> Path:
        """Root of the organisation's identities; while a new one takes over, both."""
        return _roots(self.ca(organization))

    def ca_server_certificate(self, organization: str) -> Path:
        """TLS certificate of the CA server; it vouches for itself."""
        return self.ca(organization) / "server" / "cert.pem"

    def tls_ca(self, organization: str) -> Path:
        return self.ca(organization) / "tls"

    def tls_ca_certificate(self, organization: str) -> Path:
        """Root of the TLS certificates of the organisation's nodes; or both, as above."""
        return _roots(self.tls_ca(organization))

    def msp(self, organization: str) -> Path:
        """The organisation's public MSP: what the channel configuration embeds."""
        return self.organization(organization) / "msp"

    def wallet(self, organization: str) -> Path:
        return self.organization(organization) / "wallet"

    def tls_wallet(self, organization: str) -> Path:
        """Holds the registrar of the TLS authority, which is no identity of the MSP."""
        return self.organization(organization) / "tls-wallet"

    def connection_profile(self, organization: str) -> Path:
        return self.organization(organization) / "connection.json"

    def node(self, organization: str, node: str) -> Path:
        return self.organization(organization) / "nodes" / node

    def tls(self, organization: str, node: str) -> Path:
        return self.node(organization, node) / "tls"

    def channel_block(self, channel: str) -> Path:
        return self.root / "channels" / f"{channel}.block"

    def connections(self, organization: str) -> Path:
        """Where the external builder finds `<label>.json` for the organisation's own chaincode."""
        return self.organization(organization) / "connections"

    def rotation(self, organization: str) -> Path:
        """What a rotation of certificates that has not ended has done so far."""
        return self.organization(organization) / "rotation.json"


def _roots(authority: Path) -> Path:
    chain = authority / "ca-chain.pem"
    return chain if chain.exists() else authority / "ca-cert.pem"
