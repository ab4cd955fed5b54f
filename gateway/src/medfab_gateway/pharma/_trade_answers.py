"""What two partners share, as types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A contract between two partners, which they alone can read."""

    contract: str
    supplier: str
    buyer: str
    gtin: str
    price_cents: int
    contract_price_cents: int
    eligible: tuple[str, ...]
    """MSP ids of the customers that it is for."""
    valid_from: datetime
    valid_to: datetime
    status: str


@dataclass(frozen=True, kw_only=True)
class Chargeback:
    """What a buyer claims back, because a customer paid the contract price."""

    contract: str
    invoice: str
    gtin: str
    customer: str
    quantity: int
    unit_price_cents: int
    amount_cents: int
    sold_at: datetime


@dataclass(frozen=True, kw_only=True)
class SharedDocument:
    """A document that two partners share."""

    reference: str
    kind: str
    """`T3`, `EPCIS` or `other`."""
    body: str
    by: str
    at: datetime
