"""`medfab pharma`: medicines on channel `supply`, from the factory to the patient."""

from __future__ import annotations

import click

from medfab_gateway.cli.pharma.authority import authority
from medfab_gateway.cli.pharma.codes import label, verify
from medfab_gateway.cli.pharma.cold_chain import cold_chain
from medfab_gateway.cli.pharma.events import capture
from medfab_gateway.cli.pharma.goods import dispense, hold, pack, receive, ship, unpack
from medfab_gateway.cli.pharma.judgements import (
    cancel,
    clear,
    condemn,
    decommission,
    destroy,
    stolen,
)
from medfab_gateway.cli.pharma.products import commission, product
from medfab_gateway.cli.pharma.queries import query
from medfab_gateway.cli.pharma.recalls import recall, recalls
from medfab_gateway.cli.pharma.reports import report
from medfab_gateway.cli.pharma.tracing import trace


@click.group()
def pharma() -> None:
    """Medicines: commissioned, packed, shipped, verified, recalled, traced.

    An ITEM is a pack, case or pallet: an element string, a Digital Link, an
    EPC URN, 01/GTIN/21/SERIAL or 00/SSCC. It reaches the peers that sign, and
    no block.

    \b
    Examples:
      medfab pharma verify photo.jpg --org pharmacy --identity operator
      medfab pharma verify "(01)09521141012345(17)271231(10)A1(21)4711"
      medfab pharma trace 01/09521141012345/21/4711
    """


for _command in (
    authority,
    cancel,
    capture,
    clear,
    cold_chain,
    commission,
    condemn,
    decommission,
    destroy,
    dispense,
    hold,
    label,
    pack,
    product,
    query,
    recall,
    recalls,
    receive,
    report,
    ship,
    stolen,
    trace,
    unpack,
    verify,
):
    pharma.add_command(_command)
