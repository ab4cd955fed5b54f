"""`medfab pharma product` and `commission`."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._exit_codes import NotFoundError, RefusedError
from medfab_gateway.cli._live import clear_live_line, show_live_line
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import (
    Desk,
    UnusableError,
    _lines,
    at_option,
    day,
    gtin_of,
    moment,
    pass_desk,
)

if TYPE_CHECKING:
    from medfab_gateway.pharma import CaptureReport, Done, EventOutcome, Product

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that looks like something else


@click.group()
def product() -> None:
    """Register products, and look at them.

    \b
    Examples:
      medfab pharma product register 09521141012345 --name "Epcistra 100 mg"
      medfab pharma product show 09521141012345
    """


@product.command()
@click.argument("gtin")
@click.option("--name", required=True, help="What it is called.")
@click.option("--case-of", metavar="GTIN", help="A case: with packs of this product.")
@click.option("--quantity", type=click.IntRange(min=1), help="Of a case: how many packs.")
@click.option("--doses", type=click.IntRange(min=1), default=1, help="Of a pack.")
@click.option("--refuse-verification", is_flag=True, help="Tell nobody whether it is genuine.")
@pass_desk
@pass_output
def register(
    gtin: str,
    name: str,
    case_of: str | None,
    quantity: int | None,
    doses: int,
    refuse_verification: bool,
    desk: Desk,
    output: Output,
) -> None:
    """Register a product of the own company prefix.

    \b
    Examples:
      medfab pharma product register 09521141012345 --name "Epcistra 100 mg"
      medfab pharma product register 19521141012342 --name "Epcistra, case" \\
          --case-of 09521141012345 --quantity 20
    """
    from medfab_gateway.pharma import AsyncManufacturer, ProductForm

    if (case_of is None) != (quantity is None):
        raise click.UsageError("--case-of and --quantity go together.")
    form = ProductForm(
        gtin=gtin_of(gtin),
        name=name,
        level="unit" if case_of is None else "container",
        doses=doses,
        contains=(gtin_of(case_of), quantity) if case_of is not None and quantity else None,
        verification="refused" if refuse_verification else "open",
    )

    async def call() -> Done:
        async with desk.client(AsyncManufacturer, owner=True) as client:
            return await client.register_product(form)

    output.details({"transaction": run(call).transaction_id, "product": str(form.gtin)})


@product.command()
@click.argument("gtin")
@pass_desk
@pass_output
def show(gtin: str, desk: Desk, output: Output) -> None:
    """Show a registered product.

    \b
    Example:
      medfab pharma product show 09521141012345
    """
    from medfab_gateway.pharma import AsyncLogistics

    number = gtin_of(gtin)

    async def call() -> Product | None:
        async with desk.client(AsyncLogistics) as client:
            return await client.product(number)

    found = run(call)
    if found is None:
        raise NotFoundError(f"No product {number} is registered on the channel {desk.channel!r}.")
    packaging = f"{found.contains.quantity} x {found.contains.gtin}" if found.contains else None
    output.details(
        {
            "gtin": found.gtin,
            "name": found.name,
            "owner": found.owner,
            "level": found.level,
            "contains": packaging,
            "doses": found.doses,
            "verification": found.verification,
        }
    )


@click.command(short_help="Make packs of a lot known, any number.")
@click.argument("gtin")
@click.option("--lot", required=True, help="Lot number.")
@click.option("--expiry", required=True, metavar="DATE", help="Last day of use.")
@click.option("--serials", "file", type=click.Path(path_type=Path), help="One on each line.")
@click.option("--random", "count", type=click.IntRange(1, 1_000_000), help="Make so many.")
@click.option(
    "--save", "target", type=click.Path(path_type=Path), help="Write the events here first."
)
@at_option
@pass_desk
@pass_output
def commission(
    gtin: str,
    lot: str,
    expiry: str,
    file: Path | None,
    count: int | None,
    target: Path | None,
    at: str | None,
    desk: Desk,
    output: Output,
) -> None:
    """Make packs of a lot known: any number, 1000 in a transaction.

    The EPCIS events are written to --save before they are sent. After an
    interruption, `medfab pharma capture` with that file goes on: nothing is
    commissioned twice. Serial numbers that can be guessed give counterfeiters
    a start: --random makes others.

    \b
    Examples:
      medfab pharma commission 09521141012345 --lot A1 --expiry 2027-12-31 \\
          --random 10000 --save lot-a1.json
      medfab pharma commission 09521141012345 --lot A1 --expiry 2027-12-31 \\
          --serials serials.txt --save lot-a1.json
    """
    from medfab_gateway.pharma import AsyncManufacturer
    from medfab_gateway.pharma.epcis import write_document

    if (file is None) == (count is None):
        raise click.UsageError("Which serial numbers? Give --serials or --random.")
    if count is not None and target is None:
        raise click.UsageError("--random goes with --save FILE: else nobody knew the numbers.")
    if target is not None and target.exists():
        raise UnusableError(f"{target} exists: `medfab pharma capture {target}` goes on with it.")
    serials = _lines(file) if file is not None else _random(count or 0)
    number, last, when = gtin_of(gtin), day(expiry), moment(at)

    def show(outcome: EventOutcome) -> None:
        show_live_line(f"{(outcome.index + 1) * 1000} of {len(serials)} packs")

    async def call() -> CaptureReport:
        async with desk.client(AsyncManufacturer, owner=True) as client:
            document = client.commissioning(number, lot=lot, expiry=last, serials=serials, at=when)
            if target is not None:
                target.write_text(write_document(document), encoding="utf-8")
            return await client.capture(document, progress=show)

    done = run(call)
    clear_live_line()
    refused = [event for event in done.events if event.message is not None]
    if output.as_json:
        output.json({"packs": len(serials), "lot": lot, **done.as_document()})
    else:
        transactions = len(done.events) - len(refused)
        output.line(f"{len(serials)} packs of lot {lot}, in {transactions} transactions")
    if refused:
        raise RefusedError(f"{len(refused)} of {len(done.events)} refused: {refused[0].message}")


def _random(count: int) -> list[str]:
    made: set[str] = set()
    while len(made) < count:
        made.add("".join(secrets.choice(_ALPHABET) for _ in range(14)))
    return sorted(made)
