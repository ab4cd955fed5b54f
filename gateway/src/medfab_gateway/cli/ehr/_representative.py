"""`medfab ehr representative`: who may act for a patient."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._output import Output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ehr._shared import contract_of, ehr_command, patient_of, plain

_SCOPES = ("consent", "read", "audit", "delegate", "erase")


@click.group()
def representative() -> None:
    """Who may act for a patient: appoint, list, end.

    \b
    Examples:
      medfab ehr representative appoint --msp ClinicMSP --person PSEUDONYM \\
          --may consent --may audit --days 365 --org hospital --identity PATIENT
      medfab ehr representative list --org hospital --identity PATIENT
    """


@representative.command()
@click.option("--msp", "msp_id", required=True, help="MSP id of the representative.")
@click.option("--person", required=True, help="The pseudonym in the representative's certificate.")
@click.option(
    "--may",
    "scope",
    type=click.Choice(_SCOPES),
    multiple=True,
    required=True,
    help="What the representative may do; more than once.",
)
@click.option("--days", type=click.IntRange(min=1), required=True, help="For how long.")
@click.option("--delegate", is_flag=True, help="The representative may appoint others.")
@click.option("--without", "labels", multiple=True, help="Not what has this security label.")
@ehr_command
def appoint(
    msp_id: str,
    person: str,
    scope: tuple[str, ...],
    days: int,
    delegate: bool,
    labels: tuple[str, ...],
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Let somebody act for the patient, for a time.

    Prints the appointment's id, which the representative gives with
    everything that is done by it.

    \b
    Examples:
      medfab ehr representative appoint --msp ClinicMSP --person PSEUDONYM \\
          --may read --days 30 --org hospital --identity PATIENT
    """

    async def call() -> str:
        from medfab_gateway.ehr import AsyncPatient

        async with contract_of(connection, label, channel) as contract:
            return await AsyncPatient(contract).appoint(
                msp_id=msp_id,
                person=person,
                scope=scope,
                not_after=datetime.now(UTC) + timedelta(days=days),
                may_delegate=delegate,
                excluded_labels=labels,
            )

    output.details({"appointment_id": run(call)})


@representative.command("list")
@ehr_command
def list_(channel: str, label: str | None, connection: Connection, output: Output) -> None:
    """List who may act for the patient, and who could.

    \b
    Examples:
      medfab ehr representative list --org hospital --identity PATIENT
    """

    async def call() -> list[dict[str, Any]]:
        from medfab_gateway.ehr import AsyncPatient

        async with contract_of(connection, label, channel) as contract:
            return [plain(each) for each in await AsyncPatient(contract).appointments()]

    columns = ["appointment_id", "kind", "status", "msp_id", "person", "scope", "not_after"]
    output.table(run(call), columns=columns)


@representative.command()
@click.argument("appointment_id")
@click.option("--patient", metavar="PSEUDONYM", help="Whose; patients leave it out.")
@ehr_command
def end(
    appointment_id: str,
    patient: str | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """End an appointment, and what rests on it, at once.

    \b
    Examples:
      medfab ehr representative end APPOINTMENT --org hospital --identity PATIENT
    """

    async def call() -> None:
        from medfab_gateway.ehr import AsyncPatient

        whose = patient_of(connection, label, patient)
        async with contract_of(connection, label, channel) as contract:
            await AsyncPatient(contract).end_appointment(whose, appointment_id)

    run(call)
    output.details({"ended": appointment_id})
