"""Addresses to listen on."""

import socket

from medfab_chaincode.errors import SettingsError


def checked_address(address: str) -> tuple[str, int]:
    """Split `host:port` and try to bind it, because gRPC does not say why it could not."""
    host, _, port_text = address.rpartition(":")
    host = host or "0.0.0.0"  # noqa: S104  `:9999` means every interface, as in Go
    if not port_text.isdecimal() or int(port_text) > 65535:
        raise SettingsError(f"{address!r} is not an address: write host:port")
    port = int(port_text)
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            # Binding alone succeeds beside a listener that allows the address to be reused.
            probe.listen(1)
    except OSError as error:
        raise SettingsError(f"cannot listen on {address}: {error.strerror or error}") from error
    return host, port
