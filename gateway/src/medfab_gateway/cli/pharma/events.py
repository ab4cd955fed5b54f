"""`medfab pharma capture`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._exit_codes import RefusedError
from medfab_gateway.cli._live import clear_live_line, show_live_line
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import Desk, UnusableError, pass_desk

if TYPE_CHECKING:
    from medfab_gateway.pharma import CaptureReport, EventOutcome
    from medfab_gateway.pharma.epcis import EpcisDocument


@click.command(short_help="Capture EPCIS documents, JSON-LD or XML.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only say what is wrong with the documents.")
@click.option(
    "--record-unknown",
    is_flag=True,
    help="Record events about things that are not on the ledger; they move nothing.",
)
@pass_desk
@pass_output
def capture(
    files: tuple[Path, ...], check: bool, record_unknown: bool, desk: Desk, output: Output
) -> None:
    """Capture EPCIS documents: JSON-LD of EPCIS 2.0, or XML of EPCIS 1.2.

    Each event is one transaction: all of it, or nothing. Capturing a document
    again changes nothing, and goes on where an interruption was. All files
    are checked before the first event is sent. Exit code 3 where an event is
    refused.

    \b
    Examples:
      medfab pharma capture shipment.xml
      medfab pharma capture --check events.json
      medfab pharma capture events.json --record-unknown --json
    """
    from medfab_gateway.pharma import AsyncManufacturer

    documents = {file: _read(file) for file in files}
    if check:
        rows = [{"file": str(file), "events": len(d.events)} for file, d in documents.items()]
        output.table(rows, columns=["file", "events"])
        return
    total = sum(len(document.events) for document in documents.values())
    seen = 0

    def show(outcome: EventOutcome) -> None:
        nonlocal seen
        seen += 1
        show_live_line(f"{seen} of {total} events")

    async def call() -> dict[Path, CaptureReport]:
        unknown = "record" if record_unknown else "refuse"
        async with desk.client(AsyncManufacturer, owner=True) as client:
            return {
                file: await client.capture(document, unknown=unknown, progress=show)
                for file, document in documents.items()
            }

    reports = run(call)
    clear_live_line()
    if output.as_json:
        output.json([{"file": str(f), **report.as_document()} for f, report in reports.items()])
    else:
        _print(reports, output)
    refused = [event for report in reports.values() for event in report.events if event.message]
    if refused:
        raise RefusedError(f"{len(refused)} of {total} events are refused; the others are done")


def _print(reports: dict[Path, CaptureReport], output: Output) -> None:
    rows: list[dict[str, Any]] = [
        {
            "file": file.name,
            "event": event.index,
            "step": event.step,
            "outcome": str(event.outcome),
            "why": f"{event.code}: {event.message}" if event.message else None,
        }
        for file, report in reports.items()
        for event in report.events
    ]
    output.table(rows, columns=["file", "event", "step", "outcome", "why"])


def _read(file: Path) -> EpcisDocument:
    from medfab_gateway.pharma import EpcisError
    from medfab_gateway.pharma.epcis import read

    try:
        return read(file.read_bytes())
    except OSError as error:
        raise UnusableError(f"{file} cannot be read: {error.strerror}") from error
    except EpcisError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems[:20])
        more = f"\n  and {len(error.problems) - 20} more" if len(error.problems) > 20 else ""
        raise UnusableError(f"{file} is not valid:\n{lines}{more}") from error
