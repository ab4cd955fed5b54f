"""`medfab ehr consent`: grant, show, revoke, export."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._output import Output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ehr._shared import contract_of, ehr_command, patient_of, plain


@click.group()
def consent() -> None:
    """A patient's consents: grant, show, revoke, export.

    \b
    Examples:
      medfab ehr consent grant consent.json --org hospital --identity PATIENT
      medfab ehr consent show --org hospital --identity PATIENT
    """


@consent.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True))
@click.option("--to", "recipient", metavar="MSP", help="Who may receive (or, denied, may not).")
@click.option("--role", help="Only those of the organisation with this function.")
@click.option("--purpose", "purposes", multiple=True, help="TREAT, HPAYMT, …; may be repeated.")
@click.option("--category", "categories", multiple=True, help="laboratory, vital-signs, …")
@click.option("--type", "types", multiple=True, help="Observation, Condition, …")
@click.option("--label", "labels", multiple=True, help="R, PSY, HIV, …: beyond normal records.")
@click.option("--days", type=click.IntRange(min=1), help="How long from now.")
@click.option("--deny", is_flag=True, help="Forbid instead: it beats every permit.")
@ehr_command
def grant(
    file: Path | None,
    recipient: str | None,
    role: str | None,
    purposes: tuple[str, ...],
    categories: tuple[str, ...],
    types: tuple[str, ...],
    labels: tuple[str, ...],
    days: int | None,
    deny: bool,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Grant a consent, from FHIR or from options.

    FILE is a FHIR Consent in R4 or R5. What a FHIR Consent says and this
    network cannot enforce is refused, with the name of the element. Actors
    are named by identifiers of the systems urn:medfab:msp, urn:medfab:role
    and urn:medfab:practitioner.

    \b
    Examples:
      medfab ehr consent grant consent.json --org hospital --identity PATIENT
      medfab ehr consent grant --to ClinicMSP --purpose TREAT \\
          --category laboratory --days 30 --org hospital --identity PATIENT
      medfab ehr consent grant --deny --label PSY \\
          --org hospital --identity PATIENT
    """
    if file is not None and (recipient or purposes or categories or types or labels or deny):
        raise click.UsageError("Give a file or options, not both.")
    if file is None and not deny and not (recipient and purposes and days):
        raise click.UsageError("A permit needs --to, --purpose and --days; or give a file.")

    async def call() -> Any:
        from medfab_gateway.ehr import AsyncPatient, ConsentType

        async with contract_of(connection, label, channel) as contract:
            patient = AsyncPatient(contract)
            if file is not None:
                return await patient.grant_consent(file.read_bytes())
            return await patient.grant(
                grantee_msp=recipient,
                role=role,
                purposes=purposes,
                categories=categories,
                resource_types=types,
                security_labels=labels,
                type=ConsentType.DENY if deny else ConsentType.PERMIT,
                not_after=None if days is None else datetime.now(UTC) + timedelta(days=days),
            )

    output.details(plain(run(call)))


@consent.command()
@ehr_command
def show(channel: str, label: str | None, connection: Connection, output: Output) -> None:
    """List the patient's consents, newest first, revoked ones included.

    \b
    Examples:
      medfab ehr consent show --org hospital --identity PATIENT
    """

    async def call() -> list[dict[str, Any]]:
        from medfab_gateway.ehr import AsyncPatient

        async with contract_of(connection, label, channel) as contract:
            return [_row(plain(each)) for each in await AsyncPatient(contract).consents()]

    output.table(
        run(call), columns=["consent_id", "status", "version", "type", "to", "what", "until"]
    )


@consent.command()
@click.argument("consent_id")
@ehr_command
def revoke(
    consent_id: str, channel: str, label: str | None, connection: Connection, output: Output
) -> None:
    """End a consent, and every permit that rests on it, at once.

    \b
    Examples:
      medfab ehr consent revoke CONSENT --org hospital --identity PATIENT
    """

    async def call() -> Any:
        from medfab_gateway.ehr import AsyncPatient

        async with contract_of(connection, label, channel) as contract:
            return await AsyncPatient(contract).revoke(consent_id)

    output.details(plain(run(call)))


@consent.command()
@click.argument("consent_id")
@click.option("--fhir", type=click.Choice(["R4", "R5"]), default="R4", show_default=True)
@ehr_command
def export(
    consent_id: str,
    fhir: str,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Print a consent as FHIR Consent.

    As it came in, or made of its terms.

    \b
    Examples:
      medfab ehr consent export CONSENT --org hospital --identity PATIENT
      medfab ehr consent export CONSENT --fhir R5 \\
          --org hospital --identity PATIENT
    """

    async def call() -> str:
        from medfab_gateway.ehr import AsyncPatient, FhirVersion, consent_json

        async with contract_of(connection, label, channel) as contract:
            pseudonym = patient_of(connection, label, None)
            resource = await AsyncPatient(contract).export_consent(
                consent_id, version=FhirVersion(fhir), patient=pseudonym
            )
            return consent_json(resource)

    output.answer(run(call))


def _row(consent: dict[str, Any]) -> dict[str, Any]:
    """With three columns for people, out of the rule."""
    rule = consent["rule"]
    names = ("msp_id", "role", "practitioner")
    to = ["/".join(r[name] for name in names if r[name]) for r in rule["recipients"]]
    what = [*rule["purposes"], *rule["categories"], *rule["resource_types"]]
    what += rule["security_labels"]
    if consent["exceptions"]:
        what.append(f"{len(consent['exceptions'])} exceptions")
    return {
        **consent,
        "to": to or ["everybody"],
        "what": what or ["everything"],
        "until": (rule["not_after"] or "revoked")[:16],
    }
