"""`medfab ehr request`, `read` and `break-glass`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._output import Output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ehr._shared import (
    contract_of,
    documents_of,
    documents_option,
    ehr_command,
    plain,
    private_key_of,
    read_key_option,
    text_of,
)

if TYPE_CHECKING:
    from medfab_gateway.ehr import ReadResult

_categories = click.option(
    "--category", "categories", multiple=True, help="laboratory, vital-signs, …; may be repeated."
)
_types = click.option(
    "--type", "types", multiple=True, help="Observation, Condition, …; may be repeated."
)


@click.command()
@click.argument("patient")
@click.option("--purpose", required=True, help="TREAT, ETREAT, HPAYMT, HOPERAT, HRESCH, …")
@_categories
@_types
@click.option("--scope", "scopes", multiple=True, help="SMART v2 scope, as a ceiling.")
@click.option("--basis", help="Protocol or law, for research and public health.")
@read_key_option
@ehr_command
def request(
    patient: str,
    purpose: str,
    categories: tuple[str, ...],
    types: tuple[str, ...],
    scopes: tuple[str, ...],
    basis: str | None,
    read_key: Path | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Ask for access; the decision is recorded.

    PATIENT is a pseudonym. A denial is an answer, not a failure: the exit
    code is 0, "permitted" is no.

    \b
    Examples:
      medfab ehr request PSEUDONYM --purpose TREAT --category laboratory \\
          --org clinic --identity practitioner
    """

    async def call() -> Any:
        from medfab_gateway.ehr import AsyncPractitioner

        async with contract_of(connection, label, channel) as contract:
            key = private_key_of(connection, label, read_key)
            return await AsyncPractitioner(contract, private_key=key).request_access(
                patient,
                purpose=purpose,
                categories=categories,
                resource_types=types,
                scopes=scopes,
                basis=basis,
            )

    output.details(plain(run(call)))


@click.command("break-glass")
@click.argument("patient")
@click.option(
    "--reason-file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Why: the patient and a reviewer will read it.",
)
@_categories
@_types
@click.option("--include-part2", is_flag=True, help="Substance use treatment, too; on record.")
@read_key_option
@ehr_command
def break_glass(
    patient: str,
    reason_file: Path,
    categories: tuple[str, ...],
    types: tuple[str, ...],
    include_part2: bool,
    read_key: Path | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Open a record in an emergency, without consent.

    PATIENT is a pseudonym; the permit lasts minutes. Needs the function
    "emergency" in the certificate. The patient is notified, and a review is
    opened.

    \b
    Examples:
      medfab ehr break-glass PSEUDONYM --reason-file reason.txt \\
          --org clinic --identity practitioner
    """

    async def call() -> Any:
        from medfab_gateway.ehr import AsyncPractitioner

        async with contract_of(connection, label, channel) as contract:
            key = private_key_of(connection, label, read_key)
            return await AsyncPractitioner(contract, private_key=key).break_glass(
                patient,
                reason=text_of(reason_file),
                categories=categories,
                resource_types=types,
                include_part2=include_part2,
            )

    output.details(plain(run(call)))


@click.command()
@click.argument("patient")
@click.argument("request_id", metavar="REQUEST")
@click.option("--holder", required=True, metavar="MSP", help="Whose records.")
@click.option(
    "--output",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the records to this file, as a FHIR bundle.",
)
@documents_option
@read_key_option
@ehr_command
def read(
    patient: str,
    request_id: str,
    holder: str,
    target: Path | None,
    documents_url: str | None,
    read_key: Path | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Read what a permit covers, at a peer of the holder.

    Prints how many records of which type there are, and what was withheld;
    with --json, or in the file, the records themselves.

    \b
    Examples:
      medfab ehr read PSEUDONYM REQUEST --holder HospitalMSP \\
          --org clinic --identity practitioner
      medfab ehr read PSEUDONYM REQUEST --holder HospitalMSP \\
          --org clinic --identity practitioner --output records.json
    """

    async def call() -> ReadResult:
        from medfab_gateway.ehr import AccessDecision, AsyncPractitioner

        permit = AccessDecision(
            patient=patient, request_id=request_id, permitted=True, reason="", expires_at=None
        )
        async with contract_of(connection, label, channel) as contract:
            practitioner = AsyncPractitioner(
                contract,
                private_key=private_key_of(connection, label, read_key),
                documents=documents_of(connection, documents_url),
            )
            return await practitioner.read(permit, holder_msp=holder)

    result = run(call)
    if target is not None:
        from medfab_gateway._files import write_private_file

        write_private_file(target, _bundle(result).encode())
    if output.as_json:
        output.answer(_document(result))
        return
    counted: dict[str, int] = {}
    for text in result.resources:
        kind = json.loads(text)["resourceType"]
        counted[kind] = counted.get(kind, 0) + 1
    output.table(
        [{"type": kind, "records": number} for kind, number in sorted(counted.items())],
        columns=["type", "records"],
    )
    withheld = {each.reason: each.records for each in result.withheld_by}
    output.details({"withheld": withheld or 0, "obligations": list(result.obligations)})


def _bundle(result: ReadResult) -> str:
    """The records go in as they are: parsing them would change the digits of their numbers."""
    entries = ",".join(f'{{"resource":{text}}}' for text in result.resources)
    return f'{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}'


def _document(result: ReadResult) -> str:
    rest = plain(result)
    rest["records"] = [{"id": r.id, "version": r.version} for r in result.records]
    members = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in rest.items())
    return f'{{{members},"resources":[{",".join(result.resources)}]}}'
