"""`medfab ca`: identities from an organisation's certificate authority."""

from __future__ import annotations

import os
from pathlib import Path

import click

from medfab_gateway.ca import (
    AsyncCertificateAuthority,
    AttributeRequest,
    Credential,
)
from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run


@click.group()
def ca() -> None:
    """Register and enrol identities with an organisation's Fabric CA.

    Secrets are never options: they come from the environment variable
    MEDFAB_SECRET, from --secret-file, or are asked for.

    \b
    Examples:
      medfab ca register dr-okafor --org hospital --attribute medfab.role=practitioner
      medfab ca enroll dr-okafor --org hospital --attribute medfab.role
    """


_secret_file = click.option(
    "--secret-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File that holds the enrolment secret.",
)


@ca.command()
@click.argument("enrollment_id")
@_secret_file
@click.option("--label", help="Label in the wallet; default: the enrolment id.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME", help="Put into the cert.")
@click.option("--host", "hosts", multiple=True, help="Host name or address, for TLS certificates.")
@click.option("--ca-profile", default="", metavar="NAME", help="Signing profile, such as tls.")
@pass_connection
@pass_output
def enroll(
    enrollment_id: str,
    secret_file: Path | None,
    label: str | None,
    attributes: tuple[str, ...],
    hosts: tuple[str, ...],
    ca_profile: str,
    connection: Connection,
    output: Output,
) -> None:
    """Exchange an id and its secret for a certificate, and put it into the wallet.

    Without --attribute, the certificate gets the attributes that were
    registered for certificates.

    \b
    Example:
      medfab ca enroll dr-okafor --org hospital
    """
    secret = _secret(secret_file, f"Secret of {enrollment_id}")
    profile = connection.profile()
    organization = connection.organization_name(profile)
    wallet = connection.wallet()
    requests = [AttributeRequest(name=name) for name in attributes] or None

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
        wallet.put(label or enrollment_id, identity, enrollment.private_key)

    run(call())
    output.line(f"Enrolled {enrollment_id}; it is {label or enrollment_id!r} in {wallet.path}.")
    if output.as_json:
        output.json({"label": label or enrollment_id, "wallet": str(wallet.path)})


@ca.command()
@click.argument("enrollment_id")
@click.option("--type", "kind", default="client", show_default=True, help="client, peer, admin, …")
@click.option("--affiliation", default="", help="Affiliation, such as hospital.cardiology.")
@click.option(
    "--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="Goes into certificates."
)
@click.option("--registrar", default="registrar", show_default=True, help="Label in the wallet.")
@_secret_file
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
    """Make an identity known to the CA, and print the secret that enrols it.

    The CA chooses the secret, unless MEDFAB_SECRET or --secret-file has one.

    \b
    Example:
      medfab ca register dr-okafor --org hospital \\
          --attribute medfab.role=practitioner --attribute medfab.practitioner=okafor
    """
    pairs = {}
    for attribute in attributes:
        name, separator, value = attribute.partition("=")
        if not name or not separator:
            raise click.BadParameter(f"{attribute!r} is not NAME=VALUE", param_hint="--attribute")
        pairs[name] = (value, True)
    entry = connection.wallet().get(registrar)
    given = _given_secret(secret_file)

    async def call() -> str:
        async with _authority(connection) as authority:
            return await authority.register(
                Credential(certificate=entry.identity.certificate, signer=entry.signer()),
                enrollment_id,
                type=kind,
                affiliation=affiliation,
                attributes=pairs,
                secret=given,
            )

    secret = run(call())
    if output.as_json:
        output.json({"enrollment_id": enrollment_id, "secret": secret})
    else:
        # The secret alone is standard output, so that $(…) takes it.
        click.echo(f"Registered {enrollment_id}. Its secret, shown only now:", err=True)
        click.echo(secret)


def _authority(connection: Connection) -> AsyncCertificateAuthority:
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
    if file is not None:
        return file.read_text().strip()
    return os.environ.get("MEDFAB_SECRET") or None


def _secret(file: Path | None, question: str) -> str:
    given = _given_secret(file)
    if given is not None:
        return given
    answer: str = click.prompt(question, hide_input=True)
    return answer
