"""`medfab pharma clear`, `condemn`, `decommission`, `destroy`, `stolen`, `cancel`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import (
    Desk,
    at_option,
    items_of,
    items_option,
    moment,
    pass_desk,
)


def _judgement(
    name: str, method: str, summary: str, *, question: str | None = None
) -> click.Command:
    """A command that says one thing of items, and why. question: asked first; no way back."""

    @items_option
    @click.option("--reason", required=True, help="Why, in at most 64 characters.")
    @at_option
    @pass_desk
    @pass_output
    def command(
        items: tuple[str, ...],
        file: Path | None,
        reason: str,
        at: str | None,
        desk: Desk,
        output: Output,
        yes: bool = True,
    ) -> None:
        from medfab_gateway.pharma import AsyncLogistics

        goods, when = items_of(items, file), moment(at)
        if question is not None:
            confirm(question.format(len(goods)), yes=yes)

        async def call() -> Any:
            async with desk.client(AsyncLogistics) as client:
                act: Callable[..., Any] = getattr(client, method)
                return await act(goods, reason=reason, at=when)

        done = run(call)
        output.details({"transaction": done.transaction_id, "items": len(goods)})

    example = f'medfab pharma {name} 01/09521141012345/21/4711 --reason "seal"'
    command.__doc__ = f"{summary}\n\n\b\nExample:\n  {example}\n"
    command = click.argument("items", nargs=-1)(command)
    if question is not None:
        command = yes_option(command)
    return click.command(name, short_help=summary)(command)


clear: click.Command = _judgement(
    "clear", "clear", "Release items that were on hold or quarantined."
)
condemn: click.Command = _judgement(
    "condemn", "condemn", "Find items illegitimate: they stay aside for good."
)
stolen: click.Command = _judgement("stolen", "report_stolen", "Report items as stolen.")
decommission: click.Command = _judgement(
    "decommission",
    "decommission",
    "Take the serial numbers of items out of use.",
    question="Take {} serial numbers out of use for good?",
)
destroy: click.Command = _judgement(
    "destroy",
    "destroy",
    "Record that items are destroyed.",
    question="Record {} items as destroyed, for good?",
)


@click.command(short_help="Call a shipment back before it is received.")
@click.argument("items", nargs=-1)
@items_option
@at_option
@pass_desk
@pass_output
def cancel(
    items: tuple[str, ...], file: Path | None, at: str | None, desk: Desk, output: Output
) -> None:
    """Call the shipment of ITEMS back, before it is received.

    \b
    Example:
      medfab pharma cancel 00/395211410000000015
    """
    from medfab_gateway.pharma import AsyncLogistics

    goods, when = items_of(items, file), moment(at)

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.cancel_shipment(goods, at=when)

    output.details({"transaction": run(call).transaction_id, "items": len(goods)})
