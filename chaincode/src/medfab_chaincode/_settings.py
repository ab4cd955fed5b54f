"""How a chaincode server is started."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Where the server listens and whom it lets in. TLS unless `tls_disabled` says otherwise."""

    address: str
    """`host:port`; port 0 takes a free one. Peers dial it (connection.json)."""

    chaincode_id: str
    """The package id that this server answers for, `label:hash`."""

    tls_key_file: Path | None = None
    """The server's private key, PEM, not encrypted."""

    tls_certificate_file: Path | None = None
    """The server's certificate and intermediates, PEM."""

    client_ca_certificate_file: Path | None = None
    """Who may call, PEM: with it, a client without a certificate of these CAs is refused.

    None lets anyone who reaches the port call the chaincode.
    """

    tls_disabled: bool = False
    """Plaintext; then no TLS file may be named."""

    drain_seconds: float = 10.0
    """How long running transactions may take to finish when the server is asked to stop."""
