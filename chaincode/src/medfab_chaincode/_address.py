"""Addresses to listen on."""

import errno
import os
import socket

from medfab_chaincode.errors import SettingsError

_NOT_HERE = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


def listening_sockets(address: str) -> tuple[list[socket.socket], str]:
    """Listen on `host:port`: the sockets, one for each address of the host, and the address with
    its real port.

    Without a host, every interface. Raises `SettingsError`.
    """
    host, _, port_text = address.rpartition(":")
    if not port_text.isdecimal() or int(port_text) > 65535:
        raise SettingsError(f"{address!r} is not an address: write host:port")
    port, name = int(port_text), host.strip("[]")
    both = not name and socket.has_dualstack_ipv6()
    sockets: list[socket.socket] = []
    try:
        targets = socket.getaddrinfo(
            name or ("::" if both else "0.0.0.0"),  # noqa: S104  `:9999` as in Go
            port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
        for family, _, _, _, target in targets:
            try:
                bound = socket.create_server(
                    (target[0], port), family=family, backlog=100, dualstack_ipv6=both
                )
            except OSError as error:
                # `localhost` has addresses of both families, also where there is one only.
                if error.errno in _NOT_HERE and (sockets or target != targets[-1][4]):
                    continue
                raise
            sockets.append(bound)
            port = bound.getsockname()[1]
    except OSError as error:
        for bound in sockets:
            bound.close()
        no_such_host = isinstance(error, socket.gaierror)
        reason = error.strerror if no_such_host else os.strerror(error.errno or 0)
        raise SettingsError(f"cannot listen on {address}: {reason}") from error
    return sockets, f"{host or '0.0.0.0'}:{port}"  # noqa: S104
