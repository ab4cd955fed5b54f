"""How a chaincode process is started: as a server that peers dial, or as a peer's client."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """What both ways have in common. TLS unless `tls_disabled` says otherwise."""

    chaincode_id: str
    """The package id that this process answers for, `label:hash`."""

    tls_key_file: Path | None = None
    """Our private key, PEM, not encrypted."""

    tls_certificate_file: Path | None = None
    """Our certificate and intermediates, PEM."""

    tls_disabled: bool = False
    """Plaintext; then no TLS file may be named."""

    msp_id: str = ""
    """The organisation of the peer that this process works for; what `Stub.peer_msp_id` says."""

    drain_seconds: float = 10.0
    """How long running transactions may take to finish when the process is asked to stop."""

    operations_address: str | None = None
    """`host:port` of the HTTP endpoint for health and metrics; None: there is none."""

    metrics: bool = False
    """Prometheus metrics at the operations address (extra `metrics`)."""

    telemetry: bool = False
    """An OpenTelemetry span of each transaction (extra `telemetry`)."""


@dataclass(frozen=True, kw_only=True)
class ServerSettings(_Settings):
    """Chaincode as a service: where the server listens and whom it lets in."""

    address: str
    """`host:port`; port 0 takes a free one. Peers dial it (connection.json)."""

    client_ca_certificate_file: Path | None = None
    """Who may call, PEM: with it, a client without a certificate of these CAs is refused.

    None lets anyone who reaches the port call the chaincode.
    """


@dataclass(frozen=True, kw_only=True)
class ClientSettings(_Settings):
    """Chaincode that a peer has started, or a developer beside a peer in development mode."""

    peer_address: str
    """`host:port` where the peer listens for chaincode (`peer.chaincodeListenAddress`)."""

    peer_ca_certificate_file: Path | None = None
    """Whom to believe that it is the peer, PEM; required with TLS.

    Key and certificate are those that the peer made for this chaincode.
    """

    reconnect: bool = False
    """Dial again when the stream ends, for peers in development mode.

    Any other peer accepts only the process that it has started, and starts the next one itself.
    """
