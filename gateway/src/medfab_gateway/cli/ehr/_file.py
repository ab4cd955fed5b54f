"""`medfab ehr file`: file a FHIR bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._live import clear_live_line, show_live_line
from medfab_gateway.cli._output import Output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ehr._shared import (
    contract_of,
    documents_of,
    documents_option,
    ehr_command,
    filing_key_of,
    keys_of,
    msp_id_of,
    plain,
)

if TYPE_CHECKING:
    from medfab_gateway.ehr import FilingProgress, FilingResult


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--patient", required=True, metavar="PSEUDONYM", help="Whose records these are.")
@click.option(
    "--confidentiality",
    type=click.Choice(["U", "L", "M", "N", "R", "V"]),
    help="Of records that carry none. Without this they count as restricted.",
)
@click.option("--plain", "unsealed", is_flag=True, help="Do not encrypt the records.")
@documents_option
@ehr_command
def file(
    bundle: Path,
    patient: str,
    confidentiality: str | None,
    unsealed: bool,
    documents_url: str | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """File a FHIR bundle with the own organisation.

    R4 or R5, into its private data. Every record is encrypted under a key
    of its own; what has more than 100 KiB goes to the document store.
    Filing the same bundle again files what is missing, and changes nothing.
    The keys are beside the wallet: keep copies.

    \b
    Examples:
      medfab ehr file bundle.json --patient PSEUDONYM \\
          --org hospital --identity practitioner
      medfab ehr file bundle.json --patient PSEUDONYM --confidentiality N \\
          --org hospital --identity practitioner --json
    """

    def show(progress: FilingProgress) -> None:
        show_live_line(f"{progress.records} of {progress.of_records} records filed")

    async def call() -> FilingResult:
        from medfab_gateway.ehr import AsyncProvider, LabelPolicy

        async with contract_of(connection, label, channel) as contract:
            provider = AsyncProvider(
                contract,
                msp_id=msp_id_of(connection, label),
                filing_key=filing_key_of(connection),
                keys=None if unsealed else keys_of(connection),
                documents=None if unsealed else documents_of(connection, documents_url),
                labels=LabelPolicy(confidentiality=confidentiality),
            )
            return await provider.file_bundle(patient, bundle.read_bytes(), progress=show)

    try:
        result = run(call)
    finally:
        clear_live_line()
    output.details(plain(result))
