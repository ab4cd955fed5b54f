"""`medfab pharma report`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import Desk, pass_desk

if TYPE_CHECKING:
    from medfab_gateway.pharma import RegulatorReport


@click.command(short_help="The regulator's report.")
@pass_desk
@pass_output
def report(desk: Desk, output: Output) -> None:
    """The regulator's report: licences, recalls, overdue answers, notices.

    \b
    Example:
      medfab pharma report --channel supply --org regulator --identity auditor
    """
    from medfab_gateway.pharma import AsyncRegulator

    now = datetime.now(UTC)

    async def call() -> RegulatorReport:
        async with desk.client(AsyncRegulator) as client:
            return await client.report(at=now)

    made = run(call)
    if output.as_json:
        output.json(made.as_document())
        return
    lapsed = {partner.msp for partner in made.lapsed_licences}
    output.table(
        [
            {
                "partner": partner.msp,
                "licence": partner.licence,
                "until": f"{partner.valid_to:%Y-%m-%d}",
                "may trade": partner.msp not in lapsed,
                "as": list(partner.capacities),
            }
            for partner in made.partners
        ],
        columns=["partner", "licence", "until", "may trade", "as"],
    )
    for status in made.recalls:
        recall = status.recall
        packs = sum(holding.count for holding in status.holders)
        missing = ", ".join(status.missing) or "nobody"
        output.line(
            f"recall of {recall.gtin} lot {recall.lot} (class {recall.recall_class}): "
            f"{packs} packs; not acknowledged by {missing}"
        )
    output.line(f"verifications overdue: {len(made.overdue_verifications)}")
    for notice in made.notifications:
        output.line(f"notice of {notice.by}: {notice.kind}, {notice.reason}")
