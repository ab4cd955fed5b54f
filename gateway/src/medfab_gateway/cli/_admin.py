"""What the commands of administration share: peers of the organisation, and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._exit_codes import NotFoundError

if TYPE_CHECKING:
    from medfab_gateway.admin import AsyncChannelAdmin, AsyncDiscovery, AsyncPeerAdmin
    from medfab_gateway.endpoint import Endpoint
    from medfab_gateway.wallet import WalletEntry

_F = TypeVar("_F", bound=Callable[..., Any])


def peer_option(function: _F) -> _F:
    """`--peer`, given as `peer`: one peer of the organisation, where it has several."""
    return click.option(
        "--peer", help="Name of the peer in the connection profile; default: see above."
    )(function)


def out_option(help: str, *, required: bool = False) -> Callable[[_F], _F]:
    """`--out`, given as `out`: a file to write."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path, dir_okay=False, writable=True),
        required=required,
        help=help,
    )


def endpoints(connection: Connection, peer: str | None) -> tuple[Endpoint, ...]:
    """The named peer, or all of the organisation."""
    profile = connection.profile()
    organization = connection.organization_name(profile)
    if peer is None:
        return profile.endpoints_for(organization)
    known = profile.peer_names(organization)
    if peer not in known:
        raise NotFoundError(f"{organization} has no peer {peer!r}; it has {', '.join(known)}")
    return (profile.peer_endpoint(peer),)


def peer_admin(
    connection: Connection, label: str | None, endpoint: Endpoint | None = None
) -> AsyncPeerAdmin:
    """Administration of a peer, by default the organisation's first."""
    from medfab_gateway.admin import AsyncPeerAdmin

    entry = connection.entry(label)
    return AsyncPeerAdmin(
        endpoint or endpoints(connection, None)[0], entry.identity, entry.signer()
    )


def channel_admin(connection: Connection, label: str | None) -> AsyncChannelAdmin:
    """Channels, through the organisation's first peer."""
    return channel_admin_of(connection, connection.entry(label))


def channel_admin_of(connection: Connection, entry: WalletEntry) -> AsyncChannelAdmin:
    """The same, for an identity that has been read already."""
    from medfab_gateway.admin import AsyncChannelAdmin

    return AsyncChannelAdmin(
        endpoints(connection, None)[0],
        entry.identity,
        entry.signer(),
        orderers=connection.profile().orderer_addresses,
    )


def discovery(connection: Connection, label: str | None) -> AsyncDiscovery:
    """Discovery at the organisation's first peer."""
    from medfab_gateway.admin import AsyncDiscovery

    entry = connection.entry(label)
    return AsyncDiscovery(endpoints(connection, None)[0], entry.identity, entry.signer())


def read_file(path: Path, parameter: str) -> bytes:
    """A file that the user named; raises `BadParameter`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be read ({error.strerror})", param_hint=parameter
        ) from error


def read_text(path: Path, parameter: str) -> str:
    """The same, for text in UTF-8."""
    try:
        return read_file(path, parameter).decode()
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{path} is no text in UTF-8", param_hint=parameter) from error


def write_file(path: Path, content: bytes | str) -> None:
    """All of the file or nothing, even where the disk is full."""
    from medfab_gateway._files import write_private_file

    try:
        write_private_file(path, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be written ({error.strerror})", param_hint="--out"
        ) from error


def host_and_port(text: str, parameter: str) -> tuple[str, int]:
    """`host:port`; raises `BadParameter`."""
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{text!r} is not host:port", param_hint=parameter)
    return host, int(port)
