"""What is registered of a product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from medfab_gateway.pharma._answers import ColdChain
from medfab_gateway.pharma._items import LotKeys
from medfab_gateway.pharma._keys import Gtin


@dataclass(frozen=True, kw_only=True)
class ProductForm:
    """A product to be registered."""

    gtin: Gtin
    name: str
    level: Literal["unit", "container"] = "unit"
    """`container`: a case, with the packs inside as `contains`."""
    doses: int = 1
    """More than one: a pack may be dispensed in parts."""
    contains: tuple[Gtin, int] | None = None
    """Of a case: what, and how many."""
    cold_chain: ColdChain | None = None
    verification: Literal["open", "refused"] = "open"
    """`refused`: nobody is told whether a pack is genuine (`Manufacturer_policy`)."""


def product_fields(product: ProductForm, keys: LotKeys) -> dict[str, Any]:
    """Input of `RegisterProduct`."""
    cold = product.cold_chain
    return {
        "gtin": product.gtin.value,
        "name": product.name,
        "level": product.level,
        "lot_key_hash": keys.hash_of(product.gtin),
        "doses": product.doses,
        "contains": {"gtin": product.contains[0].value, "quantity": product.contains[1]}
        if product.contains
        else None,
        "cold_chain": {
            "min": cold.min,
            "max": cold.max,
            "budget_ms": cold.budget_ms,
            "max_gap_ms": cold.max_gap_ms,
        }
        if cold
        else None,
        "verification": product.verification,
    }
