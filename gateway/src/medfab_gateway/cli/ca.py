"""`medfab ca`: identities from an organisation's certificate authority."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._exit_codes import ConflictError
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    from medfab_gateway.ca import AsyncCertificateAuthority

_SECRET_VARIABLE = "MEDFAB_SECRET"  # noqa: S105  the name, not a secret


@click.group()
def ca() -> None:
    """Register and enrol identities with an organisation's Fabric CA.

    Secrets are never options and never printed: they are in files, or in the
    environment variable MEDFAB_SECRET; `enroll` asks where it finds neither.

    \b
    Examples:
      medfab ca register dr-okafor --org hospital --secret-file okafor.secret \\
          --attribute medfab.role=practitioner \\
          --attribute medfab.practitioner=okafor
      medfab ca enroll dr-okafor --org hospital --secret-file okafor.secret
    """


@ca.command()
@click.argument("enrollment_id")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the enrolment secret; '-' is standard input.",
)
@click.option("--label", help="Label in the wallet; default: the enrolment id.")
@click.option("--replace", is_flag=True, help="Replace the identity that has the label now.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME",
    help="Attribute for the certificate; default: those registered for certificates.",
)
@click.option("--host", "hosts", multiple=True, help="Host name or address, for TLS certificates.")
@click.option("--ca-profile", default="", metavar="NAME", help="Signing profile, such as tls.")
@pass_connection
@pass_output
def enroll(
    enrollment_id: str,
    secret_file: Path | None,
    label: str | None,
    replace: bool,
    attributes: tuple[str, ...],
    hosts: tuple[str, ...],
    ca_profile: str,
    connection: Connection,
    output: Output,
) -> None:
    """Exchange an id and its secret for a certificate, into the wallet.

    \b
    Examples:
      medfab ca enroll dr-okafor --org hospital
      medfab ca enroll dr-okafor --org hospital --secret-file okafor.secret
    """
    from medfab_gateway.ca import AttributeRequest

    profile = connection.profile()
    organization = connection.organization_name(profile)
    wallet = connection.wallet()
    label = label or enrollment_id
    if label in wallet.list() and not replace:
        raise ConflictError(
            f"The wallet {wallet.path} has an identity {label!r}: choose another --label, or "
            "--replace it."
        )
    requests = [AttributeRequest(name=name) for name in attributes] or None
    secret = _given_secret(secret_file) or _ask(enrollment_id)

    async def call() -> None:
        async with _authority(connection) as authority:
            enrollment = await authority.enroll(
                enrollment_id,
                secret,
                hosts=hosts,
                profile=ca_profile,
                attribute_requests=requests,
            )
        identity = enrollment.identity(profile.msp_id(organization))
        wallet.put(label, identity, enrollment.private_key)

    with _ids_as_usage():
        run(call)
    output.line(f"Enrolled {enrollment_id}; it is {label!r} in {wallet.path}.")
    if output.as_json:
        output.json({"enrollment_id": enrollment_id, "label": label, "wallet": str(wallet.path)})


@ca.command()
@click.argument("enrollment_id")
@click.option("--type", "kind", default="client", show_default=True, help="client, peer, admin, …")
@click.option("--affiliation", default="", help="Affiliation, such as hospital.cardiology.")
@click.option(
    "--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="Goes into certificates."
)
@click.option("--registrar", default="registrar", show_default=True, help="Label in the wallet.")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the enrolment secret; made, with a new secret, if there is none.",
)
@pass_connection
@pass_output
def register(
    enrollment_id: str,
    kind: str,
    affiliation: str,
    attributes: tuple[str, ...],
    registrar: str,
    secret_file: Path | None,
    connection: Connection,
    output: Output,
) -> None:
    """Make an identity known to the CA, with a secret that enrols it.

    The secret is that of --secret-file or of MEDFAB_SECRET. A file that does
    not exist is made, readable by you alone.

    \b
    Example:
      medfab ca register dr-okafor --org hospital --secret-file okafor.secret \\
          --attribute medfab.role=practitioner \\
          --attribute medfab.practitioner=okafor
    """
    from medfab_gateway.ca import Credential

    pairs = {}
    for attribute in attributes:
        name, separator, value = attribute.partition("=")
        if not name or not separator:
            raise click.BadParameter(f"{attribute!r} is not NAME=VALUE", param_hint="--attribute")
        pairs[name] = (value, True)
    entry = connection.entry(registrar)
    authority = _authority(connection)
    made = _make_secret_file(secret_file)
    secret = _given_secret(secret_file)
    if secret is None:
        raise click.UsageError(
            f"Where is the secret to be? Give --secret-file, or set {_SECRET_VARIABLE}."
        )

    async def call() -> None:
        async with authority:
            await authority.register(
                Credential(certificate=entry.identity.certificate, signer=entry.signer()),
                enrollment_id,
                type=kind,
                affiliation=affiliation,
                attributes=pairs,
                secret=secret,
            )

    try:
        with _ids_as_usage():
            run(call)
    except Exception as error:
        # After a lost answer (or Ctrl-C) the CA may know the id: the file stays then.
        if made is not None and not _outcome_is_open(error):
            made.unlink()
        raise
    where = f"in {secret_file}" if secret_file is not None else f"that of {_SECRET_VARIABLE}"
    output.line(f"Registered {enrollment_id}; its enrolment secret is {where}.")
    if output.as_json:
        output.json(
            {
                "enrollment_id": enrollment_id,
                "secret_file": None if secret_file is None else str(secret_file),
            }
        )


def _authority(connection: Connection) -> AsyncCertificateAuthority:
    from medfab_gateway.ca import AsyncCertificateAuthority

    profile = connection.profile()
    organization = connection.organization_name(profile)
    names = profile.certificate_authority_names(organization)
    if not names:
        raise click.UsageError(f"The connection profile names no CA of {organization}")
    authority = profile.certificate_authority(names[0])
    if authority.tls_root_certificates is None:
        raise click.UsageError(f"The connection profile has no tlsCACerts for {names[0]}")
    return AsyncCertificateAuthority(
        authority.url,
        ca_name=authority.ca_name or "",
        tls_root_certificates=authority.tls_root_certificates,
    )


def _given_secret(file: Path | None) -> str | None:
    """The secret of the file, else of the environment; None where there is neither."""
    if file is None:
        return os.environ.get(_SECRET_VARIABLE) or None
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise click.BadParameter(
            f"{file} cannot be read: {reason}", param_hint="--secret-file"
        ) from None
    if not text.strip():
        raise click.BadParameter(f"{file} is empty", param_hint="--secret-file")
    return text.strip()


def _make_secret_file(file: Path | None) -> Path | None:
    """Make the file with a new secret if it does not exist; returns it if it was made."""
    if file is None or str(file) == "-":
        return None
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None
    except OSError as error:
        raise click.BadParameter(
            f"{file} cannot be made: {error.strerror}", param_hint="--secret-file"
        ) from error
    with os.fdopen(handle, "w") as stream:
        stream.write(secrets.token_urlsafe(24) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return file


def _ask(enrollment_id: str) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"There is no secret, and nobody to ask: give --secret-file, or set {_SECRET_VARIABLE}."
        )
    answer: str = click.prompt(f"Secret of {enrollment_id}", hide_input=True, err=True)
    return answer


def _outcome_is_open(error: Exception) -> bool:
    from medfab_gateway.ca import CertificateAuthorityTlsError, CertificateAuthorityUnreachableError

    return isinstance(error, CertificateAuthorityUnreachableError) and not isinstance(
        error, CertificateAuthorityTlsError
    )


@contextmanager
def _ids_as_usage() -> Iterator[None]:
    """An id or host that no certificate can hold is the caller's mistake."""
    try:
        yield
    except ValueError as error:
        raise click.UsageError(str(error)) from error
