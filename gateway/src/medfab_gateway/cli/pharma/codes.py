"""`medfab pharma verify` and `label`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from medfab_gateway.cli._exit_codes import RefusedError
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import (
    Desk,
    UnusableError,
    _lines,
    day,
    gtin_of,
    pass_desk,
)

if TYPE_CHECKING:
    from medfab_gateway.pharma.codes import Label, Scan


@click.command(short_help="Check packs, from a picture or a text.")
@click.argument("codes", nargs=-1, required=True)
@click.option(
    "--purpose",
    type=click.Choice(["check", "resale", "dispense"]),
    default="check",
    show_default=True,
    help="What is to be done with the pack.",
)
@click.option("--record", is_flag=True, help="Put the scan on record, with what is suspicious.")
@pass_desk
@pass_output
def verify(codes: tuple[str, ...], purpose: str, record: bool, desk: Desk, output: Output) -> None:
    """Check packs: from a picture, or the text of a code.

    Checks syntax and check digit, then asks the own organisation's peer for
    serial number, lot, expiry and state. That leaves no trace, unless --record
    is given. Exit code 3 where a pack does not verify.

    \b
    Examples:
      medfab pharma verify photo.jpg
      medfab pharma verify "(01)09521141012345(17)271231(10)A1(21)4711"
      medfab pharma verify photo.jpg --purpose dispense --record
    """
    from medfab_gateway.pharma import AsyncLogistics

    scans = [found for code in codes for found in _scans(code)]

    async def call() -> list[dict[str, Any]]:
        rows = []
        async with desk.client(AsyncLogistics) as client:
            for found in scans:
                verdict = await client.verify(found, purpose=purpose)
                signals = (await client.report_scan(found)).signals if record else None
                rows.append(
                    {
                        "code": str(found.identifier),
                        "lot": found.lot,
                        "expiry": found.expiry.isoformat() if found.expiry else None,
                        "verified": verdict.verified,
                        "reason": verdict.reason,
                        "info": list(verdict.info),
                        "status": verdict.status,
                        "authentic": verdict.authentic,
                        **({"signals": list(signals)} if signals is not None else {}),
                    }
                )
        return rows

    rows = run(call)
    columns = ["code", "verified", "reason", "info", "status"]
    output.table(rows, columns=[*columns, *(["signals"] if record else [])])
    failed = [row["code"] for row in rows if not row["verified"]]
    if failed:
        raise RefusedError(f"not verified: {', '.join(failed)}. Keep the pack, and do not sell it.")


def _scans(code: str) -> tuple[Scan, ...]:
    from medfab_gateway.pharma import IdentifierError, ScanError
    from medfab_gateway.pharma.codes import scan, scan_picture

    try:
        path = Path(code)
        if len(code) < 1000 and path.suffix and path.is_file():
            return scan_picture(path.read_bytes())
        return (scan(code),)
    except (IdentifierError, ScanError) as error:
        raise UnusableError(f"{code}: {error}") from error


@click.command(short_help="Make labels: DataMatrix or QR, or a sheet.")
@click.argument("gtin")
@click.option("--lot", help="Lot number.")
@click.option("--expiry", metavar="DATE", help="Last day of use.")
@click.option("--serial", "serials", multiple=True, help="Serial number; may be repeated.")
@click.option("--serials", "file", type=click.Path(path_type=Path), help="One on each line.")
@click.option("--name", default="", help="Of the product, for people.")
@click.option("--qr", is_flag=True, help="QR code with a Digital Link, not a DataMatrix.")
@click.option(
    "-o", "--output-file", "target", type=click.Path(path_type=Path), required=True,
    help="NAME.png, NAME.svg, or NAME.html: a sheet to print.",
)  # fmt: skip
@pass_output
def label(
    gtin: str,
    lot: str | None,
    expiry: str | None,
    serials: tuple[str, ...],
    file: Path | None,
    name: str,
    qr: bool,
    target: Path,
    output: Output,
) -> None:
    """Make labels: GS1 DataMatrix or QR, as PNG, SVG or a sheet to print.

    \b
    Examples:
      medfab pharma label 09521141012345 --lot A1 --expiry 2027-12-31 \\
          --serial 4711 -o label.png
      medfab pharma label 09521141012345 --lot A1 --expiry 2027-12-31 \\
          --serials serials.txt --name "Epcistra 100 mg" -o sheet.html
    """
    from medfab_gateway.pharma import IdentifierError, LabelError
    from medfab_gateway.pharma.codes import Label, label_sheet
    from medfab_gateway.pharma.identifiers import Gtin, Sgtin

    number = gtin_of(gtin)
    numbers = [*serials, *(_lines(file) if file is not None else [])]
    symbology: Literal["qr", "datamatrix"] = "qr" if qr else "datamatrix"
    last = day(expiry) if expiry is not None else None

    def made(identifier: Gtin | Sgtin) -> Label:
        return Label(identifier=identifier, lot=lot, expiry=last, name=name)

    try:
        labels = [made(Sgtin(number, each)) for each in numbers] or [made(number)]
        match target.suffix.lower():
            case ".html":
                target.write_text(label_sheet(labels, symbology=symbology), encoding="utf-8")
            case ".png" | ".svg" if len(labels) > 1:
                raise click.UsageError("Several labels go on a sheet: give NAME.html.")
            case ".png":
                target.write_bytes(labels[0].png(symbology))
            case ".svg":
                target.write_text(labels[0].svg(symbology), encoding="utf-8")
            case _:
                raise click.UsageError(f"{target}: give NAME.png, NAME.svg or NAME.html.")
    except (IdentifierError, LabelError) as error:
        raise UnusableError(str(error)) from error
    first = labels[0]
    output.details(
        {"file": str(target), "labels": len(labels), "first": first.link if qr else str(first.text)}
    )
