"""What the commands of a CA share: which CA, on whose behalf."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._exit_codes import NotFoundError
from medfab_gateway.cli._run import run
from medfab_gateway.cli._settings import IDENTITY, completion_of

if TYPE_CHECKING:
    from medfab_gateway.ca import AsyncCertificateAuthority, Credential

_F = TypeVar("_F", bound=Callable[..., Any])
_Result = TypeVar("_Result")


def ca_name_option(function: _F) -> _F:
    """`--ca-name`: which of a server's CAs."""
    return click.option(
        "--ca-name", metavar="NAME", help="Which CA of the server; default: the profile's."
    )(function)


def registrar_option(function: _F) -> _F:
    """`--registrar`: on whose behalf."""
    return click.option(
        "--registrar",
        default="registrar",
        show_default=True,
        shell_complete=completion_of(IDENTITY),
        help="Label of the wallet's identity that acts.",
    )(function)


def ask(
    connection: Connection,
    ca_name: str | None,
    call: Callable[[AsyncCertificateAuthority], Awaitable[_Result]],
) -> _Result:
    """What `call` gives for the CA."""
    authority = open_authority(connection, ca_name)

    async def calling() -> _Result:
        async with authority:
            return await call(authority)

    with usage_errors():
        return run(calling)


def credential(connection: Connection, label: str) -> Credential:
    """The identity of the wallet as the signer of requests."""
    from medfab_gateway.ca import Credential

    entry = connection.entry(label)
    return Credential(certificate=entry.identity.certificate, signer=entry.signer())


def open_authority(connection: Connection, ca_name: str | None) -> AsyncCertificateAuthority:
    """The organisation's CA, as the connection profile says; `ca_name` where that is given."""
    from medfab_gateway.ca import AsyncCertificateAuthority

    profile = connection.profile()
    organization = connection.organization_name(profile)
    names = profile.certificate_authority_names(organization)
    if not names:
        raise NotFoundError(
            f"The connection profile names no CA of {organization}: add it under "
            "certificateAuthorities, or use the profile of the organisation itself."
        )
    authority = profile.certificate_authority(ca_name if ca_name in names else names[0])
    if authority.tls_root_certificates is None:
        raise click.UsageError(f"The connection profile has no tlsCACerts for {names[0]}")
    return AsyncCertificateAuthority(
        authority.url,
        ca_name=ca_name or authority.ca_name or "",
        tls_root_certificates=authority.tls_root_certificates,
    )


@contextmanager
def usage_errors() -> Iterator[None]:
    """An id or host that no certificate can hold is the caller's mistake."""
    try:
        yield
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def attribute_pairs(
    in_certificate: tuple[str, ...], in_registry: tuple[str, ...]
) -> dict[str, tuple[str, bool]]:
    """NAME=VALUE options as the CA client takes them."""
    pairs: dict[str, tuple[str, bool]] = {}
    for option, texts, flag in (
        ("--attribute", in_certificate, True),
        ("--registry-attribute", in_registry, False),
    ):
        for text in texts:
            name, separator, value = text.partition("=")
            if not name or not separator or not value:
                raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=option)
            if name in pairs:
                raise click.BadParameter(f"{name!r} is given twice", param_hint=option)
            pairs[name] = (value, flag)
    return pairs


def attribute_options(function: _F) -> _F:
    """`--attribute` and `--registry-attribute`."""
    function = click.option(
        "--registry-attribute",
        "registry_attributes",
        multiple=True,
        metavar="NAME=VALUE",
        help="Known to the CA alone, such as hf.Revoker=true.",
    )(function)
    return click.option(
        "--attribute",
        "attributes",
        multiple=True,
        metavar="NAME=VALUE",
        help="Goes into certificates.",
    )(function)
