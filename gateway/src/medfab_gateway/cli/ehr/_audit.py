"""`medfab ehr audit` and `medfab ehr disclose`: who did what, and who received what."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._output import Output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ehr._shared import contract_of, ehr_command, moment, patient_of, plain

if TYPE_CHECKING:
    from medfab_gateway.ehr import Disclosure

_since = click.option("--since", type=click.DateTime(), help="Not before this time, in UTC.")
_until = click.option("--until", type=click.DateTime(), help="Before this time, in UTC.")
_COLUMNS = [
    *("at", "recipient_msp", "practitioner", "purpose", "categories", "resource_types"),
    *("decision", "accountable"),
]


@click.command(short_help="List who asked for records, and what was decided.")
@click.option("--patient", metavar="PSEUDONYM", help="Whose; patients leave it out.")
@_since
@_until
@click.option("--log", "skeleton", is_flag=True, help="Every event, as the channel sees it.")
@ehr_command
def audit(
    patient: str | None,
    since: datetime | None,
    until: datetime | None,
    skeleton: bool,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """List who asked for a patient's records, and what was decided.

    That, with purpose and portions, is for patients. With --patient,
    auditors see the skeleton: who did what kind of thing when, without
    purposes, portions and names.

    \b
    Examples:
      medfab ehr audit --org hospital --identity PATIENT
      medfab ehr audit --patient PSEUDONYM --org regulator --identity auditor
    """

    async def call() -> list[dict[str, Any]]:
        from medfab_gateway.ehr import AsyncAuditor, AsyncPatient

        async with contract_of(connection, label, channel) as contract:
            if patient is None and not skeleton:
                return [plain(row) for row in await AsyncPatient(contract).accesses()]
            whose = patient_of(connection, label, patient)
            rows = await AsyncAuditor(contract).log(whose, moment(since), moment(until))
            return [plain(row) for row in rows]

    if patient is None and not skeleton:
        columns = ["decided_at", "requester_msp", "practitioner", "purpose"]
        columns += ["categories", "resource_types", "decision", "reason"]
    else:
        columns = ["at", "kind", "msp_id", "client", "ref"]
    output.table(run(call), columns=columns)


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "fhir"]),
    default="table",
    show_default=True,
    help="fhir: a Bundle of AuditEvents (IHE BALP).",
)
@click.option("--fhir", type=click.Choice(["R4", "R5"]), default="R4", show_default=True)
@click.option("--accountable", is_flag=True, help="Only what 45 CFR 164.528 asks for.")
@_since
@_until
@ehr_command
def disclose(
    form: str,
    fhir: str,
    accountable: bool,
    since: datetime | None,
    until: datetime | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Print the accounting of disclosures.

    Who received what, when, what for: for the patient, six years back
    unless --since says otherwise. Rows that an accounting by 45 CFR 164.528
    must have are flagged; the others are listed all the same.

    \b
    Examples:
      medfab ehr disclose --org hospital --identity PATIENT
      medfab ehr disclose --format fhir --org hospital --identity PATIENT
      medfab ehr disclose --accountable --format csv \\
          --org hospital --identity PATIENT
    """

    async def call() -> tuple[Disclosure, ...]:
        from medfab_gateway.ehr import AsyncPatient, accounting_start

        async with contract_of(connection, label, channel) as contract:
            start = moment(since) or accounting_start()
            return await AsyncPatient(contract).disclosures(start, moment(until))

    rows = [row for row in run(call) if row.accountable or not accountable]
    if form == "fhir":
        from medfab_gateway.ehr import FhirVersion, audit_bundle, audit_event

        pseudonym = patient_of(connection, label, None)
        output.json(
            audit_bundle(
                audit_event(row, patient=pseudonym, version=FhirVersion(fhir)) for row in rows
            )
        )
    elif form == "json":
        output.json(plain(rows))
    elif form == "csv":
        output.text(_csv([plain(row) for row in rows]))
    else:
        output.table([plain(row) for row in rows], columns=_COLUMNS)


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    columns = [*_COLUMNS, "reason", "basis", "request_id"]
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        lists = {name: " ".join(v) for name, v in row.items() if isinstance(v, list)}
        writer.writerow(row | lists)
    return text.getvalue().rstrip("\n")
