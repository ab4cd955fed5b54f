"""`medfab pharma pack`, `unpack`, `ship`, `receive`, `hold`, `dispense`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import (
    Desk,
    at_option,
    item,
    items_of,
    items_option,
    moment,
    pass_desk,
)


@click.command()
@click.argument("container")
@click.argument("items", nargs=-1)
@items_option
@at_option
@pass_desk
@pass_output
def pack(
    container: str,
    items: tuple[str, ...],
    file: Path | None,
    at: str | None,
    desk: Desk,
    output: Output,
) -> None:
    """Put ITEMS into a case or pallet.

    \b
    Examples:
      medfab pharma pack 00/395211410000000015 01/09521141012345/21/4711
      medfab pharma pack 00/395211410000000015 --items packs.txt
    """
    from medfab_gateway.pharma import AsyncLogistics

    into, inside, when = item(container), items_of(items, file), moment(at)

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.pack(into, inside, at=when)

    _done(run(call), output, items=len(inside), container=str(into))


@click.command(short_help="Take items out of a case or pallet.")
@click.argument("container")
@click.argument("items", nargs=-1)
@at_option
@pass_desk
@pass_output
def unpack(
    container: str, items: tuple[str, ...], at: str | None, desk: Desk, output: Output
) -> None:
    """Take ITEMS out of a case or pallet; with none named, all of them.

    \b
    Example:
      medfab pharma unpack 00/395211410000000015
    """
    from medfab_gateway.pharma import AsyncLogistics

    out_of, when = item(container), moment(at)
    inside = items_of(items) if items else []

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.unpack(out_of, inside, at=when)

    _done(run(call), output, items=len(inside) or "all", container=str(out_of))


@click.command()
@click.argument("items", nargs=-1)
@items_option
@click.option("--to", required=True, metavar="MSP", help="MSP id of the partner.")
@click.option("--returning", is_flag=True, help="Goods go back.")
@at_option
@pass_desk
@pass_output
def ship(
    items: tuple[str, ...],
    file: Path | None,
    to: str,
    returning: bool,
    at: str | None,
    desk: Desk,
    output: Output,
) -> None:
    """Send ITEMS, with all that is inside, to a partner.

    \b
    Example:
      medfab pharma ship 00/395211410000000015 --to DistributorMSP
    """
    from medfab_gateway.pharma import AsyncLogistics

    goods, when = items_of(items, file), moment(at)

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.ship(goods, to=to, returning=returning, at=when)

    _done(run(call), output, items=len(goods), to=to)


@click.command()
@click.argument("items", nargs=-1)
@items_option
@click.option("--complete", is_flag=True, help="Nothing more comes: what is missing, is missing.")
@at_option
@pass_desk
@pass_output
def receive(
    items: tuple[str, ...],
    file: Path | None,
    complete: bool,
    at: str | None,
    desk: Desk,
    output: Output,
) -> None:
    """Receive ITEMS of one shipment.

    \b
    Example:
      medfab pharma receive 00/395211410000000015 --complete
    """
    from medfab_gateway.pharma import AsyncLogistics

    goods, when = items_of(items, file), moment(at)

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.receive(goods, complete=complete, at=when)

    done = run(call)
    _done(done, output, items=len(goods), shortages=done.shortages)


@click.command(short_help="Set items aside: none ships or is dispensed.")
@click.argument("items", nargs=-1)
@items_option
@click.option("--reason", required=True, help="Why, in at most 64 characters.")
@click.option("--suspect", is_flag=True, help="They may be counterfeit.")
@at_option
@pass_desk
@pass_output
def hold(
    items: tuple[str, ...],
    file: Path | None,
    reason: str,
    suspect: bool,
    at: str | None,
    desk: Desk,
    output: Output,
) -> None:
    """Set ITEMS aside: they neither ship nor are they dispensed.

    \b
    Example:
      medfab pharma hold 01/09521141012345/21/4711 --suspect \\
          --reason "broken seal"
    """
    from medfab_gateway.pharma import AsyncLogistics

    goods, when = items_of(items, file), moment(at)

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.hold(goods, reason=reason, suspect=suspect, at=when)

    _done(run(call), output, items=len(goods))


@click.command(short_help="Give a pack to a patient, or take that back.")
@click.argument("pack_")
@click.option("--doses", type=click.IntRange(min=1), help="Of a pack with several.")
@click.option("--reverse", is_flag=True, help="Take a dispensing back, within ten days.")
@at_option
@pass_desk
@pass_output
def dispense(
    pack_: str, doses: int | None, reverse: bool, at: str | None, desk: Desk, output: Output
) -> None:
    """Give a PACK to a patient; nothing about the patient is recorded.

    \b
    Examples:
      medfab pharma dispense 01/09521141012345/21/4711
      medfab pharma dispense 01/09521141012345/21/4711 --reverse
    """
    from medfab_gateway.pharma import AsyncDispenser
    from medfab_gateway.pharma.identifiers import Sgtin

    found, when = item(pack_), moment(at)
    if not isinstance(found, Sgtin):
        raise click.UsageError(f"{found} is a logistic unit: packs are dispensed.")
    if reverse and doses is not None:
        raise click.UsageError("--reverse takes all of a pack back.")

    async def call() -> Any:
        async with desk.client(AsyncDispenser) as client:
            if reverse:
                return await client.reverse(found, at=when)
            return await client.dispense(found, doses=doses, at=when)

    _done(run(call), output, pack=str(found))


def _done(answered: Any, output: Output, **facts: Any) -> None:
    shown = {"transaction": answered.transaction_id, **facts}
    if answered.repeated:
        shown["repeated"] = True
    output.details(shown)
