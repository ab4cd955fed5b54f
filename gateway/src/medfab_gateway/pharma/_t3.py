"""The DSCSA T3: transaction information, history and statement of a shipment, as one document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medfab_gateway.pharma._answers import Partner, Product, Shipment
from medfab_gateway.pharma._items import Item, digest
from medfab_gateway.pharma._plan import PlanError

STATEMENT = "Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)-(G)."
"""What the seller states: the words that GS1 US gives for it."""


@dataclass(frozen=True, kw_only=True)
class T3Line:
    """One product of a shipment."""

    product: Product
    lot: str
    expiry: str
    quantity: int


def t3_statement(
    *,
    shipment: str,
    sent: Shipment,
    at: datetime,
    seller: Partner,
    buyer: Partner,
    lines: Sequence[T3Line],
    items: Sequence[Item],
) -> dict[str, Any]:
    """The document that goes with a shipment, for `share_document` to the buyer.

    items: what was shipped; they have to be what the ledger says. Raises :class:`PlanError`.
    """
    named = {digest(item) for item in items}
    known = {item.digest for item in sent.items}
    if named != known:
        raise PlanError(
            "NOT_SHIPPED",
            f"the shipment has {len(known)} items, of which {len(named & known)} are named",
        )
    return {
        "type": "DSCSA T3",
        "transaction_information": [
            {
                "product": line.product.name,
                "gtin": line.product.gtin,
                "lot": line.lot,
                "expiry": line.expiry,
                "quantity": line.quantity,
            }
            for line in lines
        ],
        "shipment": shipment,
        "shipped_at": at.isoformat(),
        "items": sorted(str(item) for item in items),
        "seller": _party(seller),
        "buyer": _party(buyer),
        "transaction_history": "on the channel, for every item: its trace",
        "transaction_statement": STATEMENT,
    }


def _party(partner: Partner) -> dict[str, Any]:
    return {"name": partner.name, "glns": list(partner.glns), "licence": partner.licence}
