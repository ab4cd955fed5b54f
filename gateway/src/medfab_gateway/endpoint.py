"""Where a node is, and how to trust it: `Endpoint` → a gRPC channel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from medfab_gateway.errors import EndpointError

_MAX_MESSAGE_BYTES = 100 * 1024 * 1024  # the peers' own limit; gRPC's default is 4 MiB
_KEEPALIVE_TIMEOUT_SECONDS = 20
_CONNECT_SECONDS = 10  # for one attempt, TLS included; gRPC's default is 20
_RECONNECT_SECONDS = 5  # at most, between two attempts; gRPC's default is 120


@dataclass(frozen=True)
class Endpoint:
    """The address of a peer or orderer, with what TLS needs to trust it.

        Endpoint("peer0.hospital.example:7051", tls_root_certificates=ca_pem)

    Raises `EndpointError` for settings that do not go together.
    """

    address: str
    """`host:port`; an IPv6 host in brackets."""

    tls_root_certificates: bytes | None = field(default=None, kw_only=True, repr=False)
    """The CA certificates that the node's TLS certificate must chain to, PEM, one or several.
    None: the public CAs that gRPC ships with."""

    server_name: str | None = field(default=None, kw_only=True)
    """The host name that the node's certificate is made out to, where it is not the one of
    `address` (`ssl-target-name-override` in connection profiles). None: the one of `address`."""

    client_certificate: bytes | None = field(default=None, kw_only=True, repr=False)
    """PEM; for nodes that ask for a client certificate (mutual TLS). None: none is shown."""

    client_key: bytes | None = field(default=None, kw_only=True, repr=False)
    """The private key of `client_certificate`, PEM."""

    insecure: bool = field(default=False, kw_only=True)
    """True: plaintext, for tests. Without it, TLS is always used."""

    msp_id: str | None = field(default=None, kw_only=True)
    """The MSP id of the node's organisation, for error texts. None: they name the address alone."""

    keepalive: float = field(default=120.0, kw_only=True)
    """Seconds between pings on a connection, idle or not. Peers disconnect a client that pings
    more often than their `peer.keepalive.minInterval`, 60 s."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}", self.address):
            raise EndpointError(
                f"{self.address!r} is not an address: write host:port, without grpcs://."
            )
        if (self.client_certificate is None) != (self.client_key is None):
            raise EndpointError(
                f"Mutual TLS with {self.address} needs client_certificate and client_key; "
                "only one of them is set."
            )
        if self.insecure and (
            self.tls_root_certificates or self.server_name or self.client_certificate
        ):
            raise EndpointError(
                f"insecure=True means plaintext, yet TLS settings are given for {self.address}: "
                "drop one or the other."
            )

    @cached_property
    def client_certificate_hash(self) -> bytes | None:
        """SHA-256 of the client certificate's DER: binds a block request to this connection.

        None where there is no client certificate. Raises `EndpointError` for one that is no
        certificate in PEM form.
        """
        if self.client_certificate is None:
            return None
        try:
            certificate = x509.load_pem_x509_certificate(self.client_certificate)
        except ValueError as error:
            raise EndpointError(
                f"The client certificate for {self.address} is not an X.509 certificate "
                "in PEM form."
            ) from error
        return certificate.fingerprint(hashes.SHA256())

    def open_channel(self) -> grpc.aio.Channel:
        """A new channel, to be closed by the caller. It connects at the first call.

        Messages up to 100 MiB; the pings keep idle connections open through firewalls and find
        dead ones. A lost connection is tried again at least every 5 s, while there are calls.
        """
        if self.insecure:
            return grpc.aio.insecure_channel(self.address, options=self._channel_options())
        return grpc.aio.secure_channel(
            self.address, self._credentials(), options=self._channel_options()
        )

    def open_blocking_channel(self) -> grpc.Channel:
        """The same for calls that block their thread; any number of threads may share it."""
        if self.insecure:
            return grpc.insecure_channel(self.address, options=self._channel_options())
        return grpc.secure_channel(
            self.address, self._credentials(), options=self._channel_options()
        )

    def _credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            self.tls_root_certificates, self.client_key, self.client_certificate
        )

    def _channel_options(self) -> list[tuple[str, int | str]]:
        options: list[tuple[str, int | str]] = [
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.keepalive_time_ms", round(self.keepalive * 1000)),
            ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_SECONDS * 1000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.min_reconnect_backoff_ms", _CONNECT_SECONDS * 1000),
            ("grpc.max_reconnect_backoff_ms", _RECONNECT_SECONDS * 1000),
        ]
        if self.server_name is not None:
            options.append(("grpc.ssl_target_name_override", self.server_name))
        return options
