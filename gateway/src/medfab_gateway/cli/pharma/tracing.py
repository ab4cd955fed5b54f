"""`medfab pharma trace`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._exit_codes import NotFoundError
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import Desk, item, pass_desk

if TYPE_CHECKING:
    from medfab_gateway.pharma import ItemView, TraceStep


@click.command()
@click.argument("item_", metavar="ITEM")
@pass_desk
@pass_output
def trace(item_: str, desk: Desk, output: Output) -> None:
    """Tell what happened to an ITEM, from its commissioning on.

    What happened to a case or pallet while the item was inside stands below
    the packing.

    \b
    Example:
      medfab pharma trace 01/09521141012345/21/4711
    """
    from medfab_gateway.pharma import AsyncLogistics, digest, trace_tree

    named = item(item_)

    async def call() -> tuple[ItemView | None, tuple[TraceStep, ...]]:
        async with desk.client(AsyncLogistics) as client:
            view = await client.item(named)
            return view, await client.trace(named) if view is not None else ()

    view, steps = run(call)
    if view is None:
        raise NotFoundError(f"The ledger has no {named}: it may be counterfeit, or of another.")
    if output.as_json:
        output.json(
            {
                "item": str(named),
                "status": view.status,
                "holder": view.holder,
                "steps": [
                    {
                        "at": step.at.isoformat(),
                        "kind": step.kind,
                        "status": step.status,
                        "holder": step.holder,
                        "consignee": step.consignee,
                        "parent": step.parent,
                        "item": step.item,
                        "transaction": step.transaction_id,
                    }
                    for step in steps
                ],
            }
        )
        return
    output.line(f"{named}  {view.status}, held by {view.holder}")
    for line in trace_tree(steps, {digest(named): str(named)}):
        output.line(line)
