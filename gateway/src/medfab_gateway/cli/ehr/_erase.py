"""`medfab ehr erase`: request, carry out, complete, certify, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._live import clear_live_line, show_live_line
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ehr._shared import (
    contract_of,
    documents_of,
    documents_option,
    ehr_command,
    filing_key_of,
    keys_of,
    msp_id_of,
    patient_of,
    plain,
)


@click.group()
def erase() -> None:
    """Erase a patient's records, for good, and prove it.

    The patient requests; every holder carries it out; the patient or an
    auditor completes it; anybody checks the certificate.

    \b
    Examples:
      medfab ehr erase request --org hospital --identity PATIENT
      medfab ehr erase records PSEUDONYM --org hospital --identity practitioner
      medfab ehr erase complete --org hospital --identity PATIENT
      medfab ehr erase certificate PSEUDONYM --output certificate.json \\
          --org regulator --identity auditor
      medfab ehr erase verify certificate.json --authority ca.pem
    """


@erase.command()
@yes_option
@ehr_command
def request(
    yes: bool, channel: str, label: str | None, connection: Connection, output: Output
) -> None:
    """Ask every holder to erase; from now on nothing is permitted.

    \b
    Examples:
      medfab ehr erase request --org hospital --identity PATIENT
    """
    confirm("Every record will be erased, and cannot be had back.", yes=yes)

    async def call() -> str:
        from medfab_gateway.ehr import AsyncPatient

        async with contract_of(connection, label, channel) as contract:
            return await AsyncPatient(contract).request_erasure()

    output.details({"erasure_id": run(call)})


@erase.command()
@click.argument("patient")
@yes_option
@documents_option
@ehr_command
def records(
    patient: str,
    yes: bool,
    documents_url: str | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Carry a requested erasure out, at a holder.

    Purges records, destroys keys and documents. It may be repeated until it
    succeeds.

    \b
    Examples:
      medfab ehr erase records PSEUDONYM --org hospital --identity practitioner
    """
    confirm("The records, their keys and documents will be destroyed.", yes=yes)

    async def call() -> int:
        from medfab_gateway.ehr import AsyncProvider

        async with contract_of(connection, label, channel) as contract:
            provider = AsyncProvider(
                contract,
                msp_id=msp_id_of(connection, label),
                filing_key=filing_key_of(connection),
                keys=keys_of(connection),
                documents=documents_of(connection, documents_url),
            )
            return await provider.erase(
                patient, progress=lambda purged: show_live_line(f"{purged} entries purged")
            )

    try:
        purged = run(call)
    finally:
        clear_live_line()
    output.details({"purged": purged})


@erase.command()
@click.option("--patient", metavar="PSEUDONYM", help="Whose; patients leave it out.")
@ehr_command
def complete(
    patient: str | None, channel: str, label: str | None, connection: Connection, output: Output
) -> None:
    """When every holder has erased: consents and details go, too.

    \b
    Examples:
      medfab ehr erase complete --org hospital --identity PATIENT
      medfab ehr erase complete --patient PSEUDONYM \\
          --org regulator --identity auditor
    """

    async def call() -> Any:
        from medfab_gateway.ehr import AsyncAuditor

        async with contract_of(connection, label, channel) as contract:
            return await AsyncAuditor(contract).complete_erasure(
                patient_of(connection, label, patient)
            )

    output.details(plain(run(call)))


@erase.command()
@click.argument("patient")
@click.option("--output", "target", required=True, type=click.Path(path_type=Path, dir_okay=False))
@ehr_command
def certificate(
    patient: str,
    target: Path,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Write the certificate of a completed erasure.

    Its transactions are signed by the custodians' peers.

    \b
    Examples:
      medfab ehr erase certificate PSEUDONYM --output certificate.json \\
          --org regulator --identity auditor
    """

    async def call() -> str:
        from medfab_gateway.ehr import AsyncErasureCertifier

        async with connection.gateway(label) as gateway:
            return await AsyncErasureCertifier(gateway.network(channel)).certify(patient)

    target.write_text(run(call), encoding="utf-8")
    output.details({"certificate": str(target)})


@erase.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--authority",
    "authorities",
    multiple=True,
    required=True,
    metavar="MSP=FILE",
    help="Certificate (PEM) of an organisation's CA; once for each organisation.",
)
@click.option("--endorsers", type=click.IntRange(min=1), help="How many must have signed.")
@pass_output
def verify(file: Path, authorities: tuple[str, ...], endorsers: int | None, output: Output) -> None:
    """Check a certificate of erasure, without any network.

    Needs the certificates of the organisations' authorities, from a source
    that you trust. A majority of those that are given must have signed.

    \b
    Examples:
      medfab ehr erase verify certificate.json \\
          --authority HospitalMSP=hospital-ca.pem \\
          --authority ClinicMSP=clinic-ca.pem
    """
    from medfab_gateway.ehr import verify_erasure_certificate

    roots: dict[str, bytes] = {}
    for entry in authorities:
        msp_id, separator, path = entry.partition("=")
        if not separator or not path:
            raise click.BadParameter("it is not MSP=FILE", param_hint="--authority")
        try:
            roots[msp_id] = Path(path).read_bytes()
        except OSError as error:
            raise click.BadParameter(
                f"{path} cannot be read: {error.strerror}", param_hint="--authority"
            ) from None
    verified = verify_erasure_certificate(
        file.read_text(encoding="utf-8", errors="replace"), authorities=roots, endorsers=endorsers
    )
    output.details(plain(verified))
