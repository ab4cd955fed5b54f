"""`medfab ca revoke`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli.ca._authority import ask, ca_name_option, credential, registrar_option
from medfab_gateway.cli.ca._channels import Channels
from medfab_gateway.cli.ca.crl import write_list

if TYPE_CHECKING:
    from medfab_gateway.ca import AsyncCertificateAuthority, CertificateId, Revocation

_REASONS = (
    "unspecified",
    "keycompromise",
    "cacompromise",
    "affiliationchanged",
    "superseded",
    "cessationofoperation",
    "certificatehold",
    "removefromcrl",
    "privilegewithdrawn",
    "aacompromise",
)


@click.command()
@click.argument("enrollment_id", required=False)
@click.option(
    "--certificate",
    "certificate_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Only this certificate (PEM); its identity may go on with others.",
)
@click.option(
    "--reason",
    type=click.Choice(_REASONS),
    default="unspecified",
    show_default=True,
    metavar="REASON",
    help="RFC 5280's, such as keycompromise.",
)
@click.option(
    "--crl-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the new revocation list to this file.",
)
@click.option(
    "--channel",
    "channel_names",
    multiple=True,
    help="Put the new list into the configuration of this channel; may be repeated.",
)
@click.option(
    "--admin",
    default="admin",
    show_default=True,
    help="With --channel: label of the organisation's administrator.",
)
@yes_option
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def revoke(
    enrollment_id: str | None,
    certificate_file: Path | None,
    reason: str,
    crl_file: Path | None,
    channel_names: tuple[str, ...],
    admin: str,
    yes: bool,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Revoke an identity for good, or one certificate.

    An identity that is revoked has no valid certificate, and cannot enrol any
    more. The CA refuses it from now on; peers and orderers of a channel do as
    soon as the revocation list is in the channel's configuration (--channel).

    \b
    Examples:
      medfab ca revoke dr-okafor --org hospital --channel care \\
          --reason cessationofoperation
      medfab ca revoke dr-okafor --org hospital
      medfab ca revoke --certificate lost.pem --org hospital \\
          --reason keycompromise --crl-file hospital.crl --yes
    """
    if (enrollment_id is None) is (certificate_file is None):
        raise click.UsageError("Whom? Give an enrolment id, or --certificate FILE, not both.")
    certificate = None if certificate_file is None else _certificate_id(certificate_file)
    who = enrollment_id or f"certificate {certificate.serial_text if certificate else ''}"
    confirm(f"Revoke {who}? It cannot be undone.", yes=yes)
    caller = credential(connection, registrar)
    channels = Channels(connection, admin, channel_names)  # before anything is done

    async def call(authority: AsyncCertificateAuthority) -> Revocation:
        from medfab_gateway.ca import RevocationReason

        why = RevocationReason(reason)
        if certificate is not None:
            return await authority.certificates.revoke(caller, certificate, reason=why)
        return await authority.identities.revoke(caller, enrollment_id or "", reason=why)

    async def make_list(authority: AsyncCertificateAuthority) -> bytes:
        return await authority.certificates.revocation_list(caller)

    done = ask(connection, ca_name, call)
    count = len(done.certificates)
    output.line(f"Revoked {who}: {count} certificate{'' if count == 1 else 's'}.")
    sequences: dict[str, int] = {}
    if crl_file is not None or channel_names:
        revocations = ask(connection, ca_name, make_list)
        if crl_file is not None:
            write_list(crl_file, revocations)
            output.line(f"Wrote {crl_file}.")
        try:
            sequences = channels.put(revocations)
        except Exception as error:
            error.add_note(
                f"At the CA {who} is revoked; the list is not in every channel yet: make it with "
                "`medfab ca crl make --file FILE`, and `medfab channel edit crl` puts it there."
            )
            raise
    for name, sequence in sequences.items():
        output.line(f"In force on {name}, as configuration {sequence}.")
    if not channel_names:
        output.line("Peers accept it until a list with it is in their channel's configuration.")
    if output.as_json:
        output.json(
            {
                "enrollment_id": enrollment_id,
                "revoked": [each.serial_text for each in done.certificates],
                "crl_file": None if crl_file is None else str(crl_file),
                "channels": sequences,
            }
        )


def _certificate_id(file: Path) -> CertificateId:
    from medfab_gateway.ca import CertificateId

    try:
        return CertificateId.of(file.read_bytes())
    except ValueError as error:
        raise click.BadParameter(
            f"{file} is no certificate of a Fabric CA in PEM form", param_hint="--certificate"
        ) from error
