"""`medfab pharma recall` and `recalls`."""

from __future__ import annotations

from typing import Any

import click

from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import (
    Desk,
    at_option,
    gtin_of,
    item,
    moment,
    pass_desk,
)


@click.command(short_help="Recall a lot, in one write.")
@click.argument("gtin")
@click.argument("lot")
@click.option("--reason", required=True, help="Why; everybody on the channel reads it.")
@click.option("--class", "recall_class", type=click.IntRange(1, 3), default=2, show_default=True)
@click.option("--pack", "sample", help="Any pack of the lot, where the lot keys are another's.")
@at_option
@yes_option
@pass_desk
@pass_output
def recall(
    gtin: str,
    lot: str,
    reason: str,
    recall_class: int,
    sample: str | None,
    at: str | None,
    yes: bool,
    desk: Desk,
    output: Output,
) -> None:
    """Recall a lot: from this block on none of it ships or is dispensed.

    One write, whatever the size of the lot. As the product's owner, or as an
    authority with --pack. It cannot be taken back.

    \b
    Examples:
      medfab pharma recall 09521141012345 A1 --reason contamination --class 1
      medfab pharma recall 09521141012345 A1 --reason "glass" \\
          --pack 01/09521141012345/21/4711
    """
    from medfab_gateway.pharma import AsyncManufacturer, AsyncRegulator
    from medfab_gateway.pharma.identifiers import Lgtin, Sgtin

    named = Lgtin(gtin_of(gtin), lot)
    when, pack = moment(at), item(sample) if sample is not None else None
    if pack is not None and not isinstance(pack, Sgtin):
        raise click.UsageError("--pack names a pack of the lot, not a logistic unit.")
    confirm(f"Recall lot {lot} of {named.gtin}, for everybody?", yes=yes)

    async def call() -> tuple[Any, Any]:
        if pack is not None:
            async with desk.client(AsyncRegulator) as regulator:
                done = await regulator.recall_by_pack(
                    named, pack, reason=reason, recall_class=recall_class, at=when
                )
                return done, await regulator.holders(done.tag)
        async with desk.client(AsyncManufacturer, owner=True) as owner:
            done = await owner.recall(named, reason=reason, recall_class=recall_class, at=when)
            return done, await owner.holders(done.tag)

    done, holders = run(call)
    rows = [{"holder": h.msp, "status": h.status, "packs": h.count} for h in holders]
    if output.as_json:
        output.json({"transaction": done.transaction_id, "tag": done.tag, "holders": rows})
        return
    output.line(f"Recalled: lot {lot} of {named.gtin}, tag {done.tag}")
    output.table(rows, columns=["holder", "status", "packs"])


@click.command(short_help="List recalled lots, and who holds them.")
@pass_desk
@pass_output
def recalls(desk: Desk, output: Output) -> None:
    """List recalled lots: who holds what of them, and who has not answered.

    \b
    Example:
      medfab pharma recalls
    """
    from medfab_gateway.pharma import AsyncLogistics

    async def call() -> list[dict[str, Any]]:
        rows = []
        async with desk.client(AsyncLogistics) as client:
            for each in await client.recalls():
                known = {a.msp for a in await client.acknowledgements(each.tag)}
                for holding in await client.holders(each.tag):
                    rows.append(
                        {
                            "gtin": each.gtin,
                            "lot": each.lot,
                            "class": each.recall_class,
                            "reason": each.reason,
                            "holder": holding.msp,
                            "status": holding.status,
                            "packs": holding.count,
                            "acknowledged": holding.msp in known,
                            "tag": each.tag,
                        }
                    )
        return rows

    columns = ["gtin", "lot", "class", "holder", "status", "packs", "acknowledged"]
    output.table(run(call), columns=columns)
