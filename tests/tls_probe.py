"""What a TLS server offers, by handshakes with it: one for each version and cipher suite."""

from __future__ import annotations

import contextlib
import socket
import ssl
import warnings
from dataclasses import dataclass

LEGACY = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What one port takes."""

    versions: frozenset[str]
    suites: frozenset[str]
    """Of TLS 1.2; those of 1.3 are all fit."""


def offer(port: int, client: tuple[str, str] | None = None) -> Offer:
    """client: certificate and key, for servers that say nothing before they have seen one."""
    versions = {
        version.name
        for version in (*LEGACY, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
        if handshake(port, version, "ALL:@SECLEVEL=0", client)
    }
    suites = {
        suite
        for suite in every_suite()
        if handshake(port, ssl.TLSVersion.TLSv1_2, f"{suite}:@SECLEVEL=0", client)
    }
    return Offer(versions=frozenset(versions), suites=frozenset(suites))


def every_suite() -> list[str]:
    """All that OpenSSL can still speak below TLS 1.3, weak ones with them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:!PSK:!SRP:@SECLEVEL=0")
    return [cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"]


def handshake(
    port: int, version: ssl.TLSVersion, ciphers: str, client: tuple[str, str] | None = None
) -> bool:
    """Whether the server completes it. Whose certificate it shows is not looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    if client is not None:
        context.load_cert_chain(*client)
    with warnings.catch_warnings(), contextlib.suppress(ssl.SSLError):
        warnings.simplefilter("ignore", DeprecationWarning)  # that is what is asked about
        context.set_ciphers(ciphers)
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.settimeout(60)
            try:
                with context.wrap_socket(connection) as session:
                    return session.version() is not None
            except (ConnectionError, ssl.SSLError):
                return False
    return False


def answers(port: int, client: tuple[str, str] | None = None) -> bool:
    """Whether a client is heard: TLS 1.3 refuses it only after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    if client is not None:
        context.load_cert_chain(*client)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            with context.wrap_socket(connection) as session:
                if session.selected_alpn_protocol() == "h2":
                    session.sendall(
                        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
                    )
                else:
                    session.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return bool(session.recv(1))
        except (ConnectionError, ssl.SSLError):
            return False
