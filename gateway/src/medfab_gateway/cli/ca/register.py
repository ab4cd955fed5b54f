"""`medfab ca register`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli.ca._authority import (
    ask,
    attribute_options,
    attribute_pairs,
    ca_name_option,
    credential,
    registrar_option,
)
from medfab_gateway.cli.ca._secret import (
    VARIABLE,
    given_secret,
    make_secret_file,
    outcome_is_open,
    secret_file_type,
)

if TYPE_CHECKING:
    from medfab_gateway.ca import AsyncCertificateAuthority


@click.command()
@click.argument("enrollment_id")
@click.option("--type", "kind", default="client", show_default=True, help="client, peer, admin, …")
@click.option("--affiliation", default="", help="Affiliation, such as hospital.cardiology.")
@attribute_options
@click.option(
    "--max-enrollments",
    type=click.IntRange(min=-1),
    help="How often the secret may be used; -1: without limit; default: as the CA is set.",
)
@registrar_option
@click.option(
    "--secret-file",
    type=secret_file_type,
    help="File with the enrolment secret; made, with a new secret, if there is none.",
)
@ca_name_option
@pass_connection
@pass_output
def register(
    enrollment_id: str,
    kind: str,
    affiliation: str,
    attributes: tuple[str, ...],
    registry_attributes: tuple[str, ...],
    max_enrollments: int | None,
    registrar: str,
    secret_file: Path | None,
    ca_name: str | None,
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
    pairs = attribute_pairs(attributes, registry_attributes)
    if max_enrollments == 0:
        raise click.BadParameter("an identity that can never enrol", param_hint="--max-enrollments")
    caller = credential(connection, registrar)  # before a secret is made
    made = make_secret_file(secret_file)
    secret = given_secret(secret_file)
    if secret is None:
        raise click.UsageError(f"Where is the secret to be? Give --secret-file, or set {VARIABLE}.")

    async def call(authority: AsyncCertificateAuthority) -> None:
        await authority.register(
            caller,
            enrollment_id,
            type=kind,
            affiliation=affiliation,
            attributes=pairs,
            secret=secret,
            max_enrollments=max_enrollments,
        )

    try:
        ask(connection, ca_name, call)
    except Exception as error:
        # After a lost answer (or Ctrl-C) the CA may know the id: the file stays then.
        if made is not None and not outcome_is_open(error):
            made.unlink()
        raise
    where = f"in {secret_file}" if secret_file is not None else f"that of {VARIABLE}"
    output.line(f"Registered {enrollment_id}; its enrolment secret is {where}.")
    if output.as_json:
        output.json(
            {
                "enrollment_id": enrollment_id,
                "secret_file": None if secret_file is None else str(secret_file),
            }
        )
