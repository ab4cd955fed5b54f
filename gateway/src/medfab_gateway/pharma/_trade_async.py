"""The client of what two partners alone may know: prices, chargebacks, documents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from medfab_gateway._contract_async import AsyncContract
from medfab_gateway.pharma._answers import Done, milliseconds
from medfab_gateway.pharma._items import Item
from medfab_gateway.pharma._keys import Gtin
from medfab_gateway.pharma._plan import PlanError
from medfab_gateway.pharma._supply_async import AsyncSupply, salt
from medfab_gateway.pharma._t3 import T3Line, t3_statement
from medfab_gateway.pharma._trade_answers import Chargeback, SharedDocument, Terms


class AsyncTrade(AsyncSupply):
    """Terms, chargebacks and documents with one partner at a time.

    ::

        trade = AsyncTrade(contract, msp_id="DistributorMSP")
        for terms in await trade.terms("ManufacturerMSP"):
            print(terms.contract, terms.contract_price_cents)

    They are in the private data of the two, and both peers sign: nobody else on the channel can
    read them. ``msp_id``: the own organisation.
    """

    def __init__(self, contract: AsyncContract, *, msp_id: str) -> None:
        super().__init__(contract)
        self._msp_id = msp_id

    async def offer_terms(
        self,
        buyer: str,
        contract: str,
        gtin: Gtin,
        *,
        price_cents: int,
        contract_price_cents: int,
        eligible: Sequence[str],
        valid_from: datetime,
        valid_to: datetime,
    ) -> Done:
        """Offer a buyer a price for what it sells to eligible customers."""
        fields = {
            "contract": contract,
            "gtin": gtin.value,
            "price_cents": price_cents,
            "contract_price_cents": contract_price_cents,
            "eligible": [*eligible],
            "valid_from": milliseconds(valid_from),
            "valid_to": milliseconds(valid_to),
        }
        return await self._with(buyer, "OfferTerms", fields)

    async def accept_terms(self, supplier: str, contract: str) -> Done:
        """Accept what a supplier has offered."""
        return await self._with(supplier, "AcceptTerms", {"contract": contract})

    async def claim_chargeback(
        self,
        supplier: str,
        contract: str,
        invoice: str,
        gtin: Gtin,
        *,
        customer: str,
        quantity: int,
        unit_price_cents: int,
        amount_cents: int,
        sold_at: datetime,
    ) -> Done:
        """Claim the difference to the contract price.

        Refused, with the reason as ``chaincode.code``: `PRICE_MISMATCH`, `NOT_ELIGIBLE`,
        `OUT_OF_TERM`, `NOT_COVERED`, `AMOUNT_MISMATCH`, `DUPLICATE_INVOICE`.
        """
        fields = {
            "contract": contract,
            "invoice": invoice,
            "gtin": gtin.value,
            "customer": customer,
            "quantity": quantity,
            "unit_price_cents": unit_price_cents,
            "amount_cents": amount_cents,
            "sold_at": milliseconds(sold_at),
        }
        return await self._with(supplier, "ClaimChargeback", fields)

    async def terms(self, partner: str) -> tuple[Terms, ...]:
        """All terms with a partner."""
        return await self._evaluate(tuple[Terms, ...], "ReadTerms", partner)

    async def chargebacks(self, partner: str) -> tuple[Chargeback, ...]:
        """All chargebacks with a partner."""
        return await self._evaluate(tuple[Chargeback, ...], "ListChargebacks", partner)

    async def share_document(self, partner: str, reference: str, *, kind: str, body: str) -> Done:
        """Give a partner a document. kind: `T3`, `EPCIS` or `other`; reference: e.g. a shipment."""
        fields = {"reference": reference, "kind": kind, "body": body}
        return await self._with(partner, "ShareDocument", fields)

    async def documents(self, partner: str, reference: str) -> tuple[SharedDocument, ...]:
        """The documents about one reference that are shared with a partner."""
        kind = tuple[SharedDocument, ...]
        return await self._evaluate(kind, "ListDocuments", partner, reference)

    async def share_t3(
        self, shipment: str, items: Sequence[Item], lines: Sequence[T3Line], *, at: datetime
    ) -> dict[str, Any]:
        """Give DSCSA's T3 of a shipment to its consignee: information, history, statement.

        items: the roots that were shipped, which the ledger confirms. lines: what is in them; the
        ledger shows no lot numbers. Returns the document.
        """
        sent = await self.shipment(shipment)
        seller, buyer = await self.partner(self._msp_id), await self.partner(sent.consignee)
        if seller is None or buyer is None:
            raise PlanError("NOT_PARTNER", "seller or buyer is no registered partner")
        document = t3_statement(
            shipment=shipment,
            sent=sent,
            at=at,
            seller=seller,
            buyer=buyer,
            lines=lines,
            items=items,
        )
        body = json.dumps(document, ensure_ascii=False)
        await self.share_document(sent.consignee, shipment, kind="T3", body=body)
        return document

    async def _with(self, partner: str, function: str, fields: Mapping[str, Any]) -> Done:
        return await self._submit(
            Done,
            function,
            {"counterparty": partner, **fields, "salt": salt()},
            endorsing_organizations=sorted({self._msp_id, partner}),
        )
