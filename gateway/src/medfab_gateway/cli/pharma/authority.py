"""`medfab pharma authority`: who may trade."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import Desk, moment, pass_desk

if TYPE_CHECKING:
    from medfab_gateway.pharma import Done

_CAPACITIES = ("manufacturer", "wholesaler", "dispenser", "repackager", "carrier")


@click.group(short_help="Name authorities, license partners, give prefixes.")
def authority() -> None:
    """Name the authorities; license partners; give company prefixes.

    \b
    Examples:
      medfab pharma authority establish RegulatorMSP --channel supply \\
          --org regulator --identity admin
      medfab pharma authority partner PharmacyMSP --name "Corner pharmacy" \\
          --gln-of 4012345000054 --capacity dispenser --licence L-17 \\
          --until 2030-01-01 --channel supply --org regulator --identity auditor
      medfab pharma authority prefix 4012345 PharmacyMSP --channel supply \\
          --org regulator --identity auditor
    """


@authority.command()
@click.argument("msp_ids", nargs=-1, required=True)
@pass_desk
@pass_output
def establish(msp_ids: tuple[str, ...], desk: Desk, output: Output) -> None:
    """Name the organisations that are authorities, once for a channel.

    As the administrator of any member.

    \b
    Example:
      medfab pharma authority establish RegulatorMSP --channel supply \\
          --org regulator --identity admin
    """
    from medfab_gateway.pharma import AsyncRegulator

    async def call() -> Done:
        async with desk.client(AsyncRegulator) as client:
            return await client.establish(msp_ids)

    output.details({"transaction": run(call).transaction_id, "authorities": list(msp_ids)})


@authority.command()
@click.argument("msp_id")
@click.option("--name", required=True, help="What the partner is called.")
@click.option("--gln-of", "glns", multiple=True, metavar="GLN", help="Its premises; repeat.")
@click.option(
    "--capacity",
    "capacities",
    multiple=True,
    type=click.Choice(_CAPACITIES),
    help="What it may do; repeat.",
)
@click.option("--licence", required=True, help="Number of its licence.")
@click.option("--until", required=True, metavar="DATE", help="When the licence ends.")
@pass_desk
@pass_output
def partner(
    msp_id: str,
    name: str,
    glns: tuple[str, ...],
    capacities: tuple[str, ...],
    licence: str,
    until: str,
    desk: Desk,
    output: Output,
) -> None:
    """License a trading partner; once more: with other terms.

    \b
    Example:
      medfab pharma authority partner PharmacyMSP --name "Corner pharmacy" \\
          --gln-of 4012345000054 --capacity dispenser --licence L-17 \\
          --until 2030-01-01 --channel supply --org regulator --identity auditor
    """
    from medfab_gateway.pharma import AsyncRegulator, Partner

    end = moment(until if "T" in until else f"{until}T00:00:00+00:00")
    entry = Partner(
        msp=msp_id,
        name=name,
        glns=glns,
        capacities=capacities,
        licence=licence,
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
        valid_to=end,
    )

    async def call() -> Done:
        async with desk.client(AsyncRegulator) as client:
            return await client.register_partner(entry)

    output.details({"transaction": run(call).transaction_id, "partner": msp_id})


@authority.command()
@click.argument("prefix")
@click.argument("msp_id")
@pass_desk
@pass_output
def prefix(prefix: str, msp_id: str, desk: Desk, output: Output) -> None:
    """Say whose a GS1 company prefix is.

    \b
    Example:
      medfab pharma authority prefix 4012345 PharmacyMSP --channel supply \\
          --org regulator --identity auditor
    """
    from medfab_gateway.pharma import AsyncRegulator

    async def call() -> Done:
        async with desk.client(AsyncRegulator) as client:
            return await client.assign_prefix(prefix, msp_id)

    output.details({"transaction": run(call).transaction_id, "prefix": prefix, "owner": msp_id})
