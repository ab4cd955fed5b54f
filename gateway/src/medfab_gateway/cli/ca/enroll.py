"""`medfab ca enroll`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._exit_codes import ConflictError
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ca._authority import ca_name_option, open_authority, usage_errors
from medfab_gateway.cli.ca._secret import (
    ask_secret,
    given_secret,
    outcome_is_open,
    secret_file_type,
)

if TYPE_CHECKING:
    from medfab_gateway.ca import AttributeRequest


@click.command()
@click.argument("enrollment_id")
@click.option(
    "--secret-file",
    type=secret_file_type,
    help="File with the enrolment secret; '-' is standard input.",
)
@click.option("--label", help="Label in the wallet; default: the enrolment id.")
@click.option("--replace", is_flag=True, help="Replace the identity that has the label now.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME[:opt]",
    help="Attribute for the certificate; default: those registered for certificates.",
)
@click.option("--host", "hosts", multiple=True, help="Host name or address, for TLS certificates.")
@click.option("--ca-profile", default="", metavar="NAME", help="Signing profile, such as tls.")
@click.option("--country", default="", help="Subject of the certificate: two letters.")
@click.option("--state", default="", help="Subject: state or province.")
@click.option("--locality", default="", help="Subject: city.")
@click.option("--organization", "subject_organization", default="", help="Subject: organisation.")
@click.option("--serial-number", default="", help="Subject: serial number of a device.")
@click.option(
    "--key-type",
    type=click.Choice(["P-256", "P-384"]),
    default="P-256",
    show_default=True,
    help="What kind of key to make.",
)
@click.option("--hsm", is_flag=True, help="Make the key in the token, which never lets it out.")
@ca_name_option
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
    country: str,
    state: str,
    locality: str,
    subject_organization: str,
    serial_number: str,
    key_type: str,
    hsm: bool,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Exchange an id and its secret for a certificate, into the wallet.

    With --hsm the key is made in the PKCS#11 token that MEDFAB_HSM_MODULE and
    MEDFAB_HSM_TOKEN name; the wallet has the certificate alone then.

    \b
    Examples:
      medfab ca enroll dr-okafor --org hospital
      medfab ca enroll dr-okafor --org hospital --secret-file okafor.secret
      medfab ca enroll dr-okafor --org hospital --replace \\
          --attribute medfab.role --attribute medfab.ward:opt
    """
    from medfab_gateway.ca import (
        CertificateAuthorityError,
        KeyAlgorithm,
        Subject,
        signing_request,
    )

    profile = connection.profile()
    msp_id = profile.msp_id(connection.organization_name(profile))
    wallet = connection.wallet()
    label = label or enrollment_id
    if label in wallet.list() and not replace:
        raise ConflictError(
            f"The wallet {wallet.path} has an identity {label!r}: choose another --label, or "
            "--replace it."
        )
    if hsm and key_type != "P-256":
        raise click.UsageError("--hsm makes P-256 keys only.")
    requests = [_request(text) for text in attributes] or None
    token = connection.token() if hsm else None
    secret = given_secret(secret_file) or ask_secret(enrollment_id)
    subject = Subject(
        country=country,
        state=state,
        locality=locality,
        organization=subject_organization,
        serial_number=serial_number,
    )

    async def call() -> None:
        async with open_authority(connection, ca_name) as authority:
            if token is None:
                enrollment = await authority.enroll(
                    enrollment_id,
                    secret,
                    hosts=hosts,
                    profile=ca_profile,
                    attribute_requests=requests,
                    subject=subject,
                    key=KeyAlgorithm(key_type),
                )
                wallet.put(label, enrollment.identity(msp_id), enrollment.private_key)
                return
            key = token.generate_key()
            request = signing_request(
                key.public_key, key, common_name=enrollment_id, subject=subject, hosts=hosts
            )
            try:
                issued = await authority.enroll_request(
                    enrollment_id,
                    secret,
                    request,
                    profile=ca_profile,
                    attribute_requests=requests,
                )
            except CertificateAuthorityError as error:
                if not outcome_is_open(error):
                    token.destroy_key(key.key_id)
                raise
            wallet.put(label, issued.identity(msp_id), None)

    with usage_errors():
        run(call)
    output.line(f"Enrolled {enrollment_id}; it is {label!r} in {wallet.path}.")
    if output.as_json:
        output.json({"enrollment_id": enrollment_id, "label": label, "wallet": str(wallet.path)})


def _request(text: str) -> AttributeRequest:
    from medfab_gateway.ca import AttributeRequest

    name, separator, flag = text.rpartition(":")
    if separator and flag == "opt":
        return AttributeRequest(name=name, optional=True)
    return AttributeRequest(name=text)
