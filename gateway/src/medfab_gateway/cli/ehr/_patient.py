"""`medfab ehr register` and `medfab ehr holders`."""

from __future__ import annotations

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._output import Output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ehr._shared import contract_of, ehr_command, plain


@click.command()
@ehr_command
def register(channel: str, label: str | None, connection: Connection, output: Output) -> None:
    """Register a patient under the pseudonym in the certificate.

    \b
    Examples:
      medfab ehr register --org hospital --identity PATIENT
    """

    async def call() -> None:
        from medfab_gateway.ehr import AsyncPatient

        async with contract_of(connection, label, channel) as contract:
            await AsyncPatient(contract).register()

    run(call)
    output.details({"registered": label})


@click.command()
@click.option("--accept", metavar="MSP", help="Let this organisation hold records.")
@click.option("--reject", metavar="MSP", help="Let it hold no records.")
@ehr_command
def holders(
    accept: str | None,
    reject: str | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """List who holds records of the patient; accept one.

    What an organisation has filed can be read by others once the patient has
    accepted it. "open alerts" counts reports of records that were changed.

    \b
    Examples:
      medfab ehr holders --org hospital --identity PATIENT
      medfab ehr holders --accept ClinicMSP --org hospital --identity PATIENT
    """
    if accept and reject:
        raise click.UsageError("Give --accept or --reject, not both.")

    async def call() -> list[dict[str, object]]:
        from medfab_gateway.ehr import AsyncPatient

        async with contract_of(connection, label, channel) as contract:
            patient = AsyncPatient(contract)
            if accept:
                await patient.accept_holder(accept)
            if reject:
                await patient.reject_holder(reject)
            return [plain(holder) for holder in await patient.holders()]

    output.table(run(call), columns=["holder_msp", "status", "since", "open_alerts"])
