"""The client of whoever owns products: registers, commissions, recalls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from medfab_gateway.pharma._answers import (
    Commissioned,
    Done,
    PendingVerification,
    Recalled,
)
from medfab_gateway.pharma._event_forms import CONTEXTS, master_data, moment, packs_of
from medfab_gateway.pharma._instances import Lgtin, Sgtin
from medfab_gateway.pharma._items import MAX_ITEMS, Item, LotKeys
from medfab_gateway.pharma._keys import Gtin
from medfab_gateway.pharma._logistics_async import AsyncLogistics
from medfab_gateway.pharma._plan import PlanError
from medfab_gateway.pharma._products import ProductForm, product_fields
from medfab_gateway.pharma._reports import CaptureReport, EventOutcome
from medfab_gateway.pharma.epcis import EpcisDocument, ObjectEvent, document_of


class AsyncManufacturer(AsyncLogistics):
    """Registers products, commissions packs, recalls lots.

    ::

        manufacturer = AsyncManufacturer(
            contract, msp_id="ManufacturerMSP", gln=gln, lot_keys=LotKeys.load_or_create(path)
        )
        await manufacturer.register_product(ProductForm(gtin=gtin, name="Epcistra 100 mg"))
        report = await manufacturer.commission(
            gtin, lot="A1", expiry=date(2027, 12, 31), serials=["4711", "4712"]
        )
    """

    async def register_product(self, product: ProductForm) -> Done:
        """Register a product; the GTIN's company prefix is the own organisation's."""
        keys = self._own_keys()
        return await self._submit(Done, "RegisterProduct", product_fields(product, keys))

    async def offer_transfer(self, gtin: Gtin, to: str) -> Done:
        """Offer a product to another organisation, which has to accept it."""
        return await self._submit(Done, "OfferTransfer", {"gtin": gtin.value, "to": to})

    async def withdraw_transfer(self, gtin: Gtin) -> Done:
        """Take an offer back."""
        return await self._submit(Done, "WithdrawTransfer", {"gtin": gtin.value})

    async def accept_transfer(self, gtin: Gtin, lot_key: str) -> Done:
        """Become a product's owner. lot_key: `LotKeys.of_product` of the owner before."""
        fields = {"gtin": gtin.value, "lot_key": lot_key}
        return await self._submit(Done, "AcceptTransfer", fields)

    def commissioning(
        self,
        gtin: Gtin,
        *,
        lot: str,
        expiry: date,
        serials: Sequence[str],
        at: datetime | None = None,
    ) -> EpcisDocument:
        """The events that commission packs, 1000 in each, for `capture`.

        Save them (`write_document`) before they are captured: then an interruption is gone on from
        by capturing them again.
        """
        at = moment(at)
        events = []
        for first in range(0, len(serials), MAX_ITEMS):
            packs = packs_of(gtin, serials[first : first + MAX_ITEMS])
            events.append(self._commission_event(packs, lot, expiry, at))
        return document_of(events, context=CONTEXTS, created=at)

    async def commission(
        self,
        gtin: Gtin,
        *,
        lot: str,
        expiry: date,
        serials: Sequence[str],
        at: datetime | None = None,
        progress: Callable[[EventOutcome], None] | None = None,
    ) -> CaptureReport:
        """Make packs known, any number; 1000 in each transaction.

        at: when; give the same one to go on after an interruption. An event with a serial that is
        known already is refused as a whole, and an alert recorded.
        """
        document = self.commissioning(gtin, lot=lot, expiry=expiry, serials=serials, at=at)
        return await self.capture(document, progress=progress)

    async def repack(
        self,
        sources: Sequence[Item],
        gtin: Gtin,
        *,
        lot: str,
        expiry: date,
        serials: Sequence[str],
        at: datetime | None = None,
    ) -> Commissioned:
        """Make packs of others, which end; recalls of those go on to these."""
        event = self._premises.repacking(
            sources, packs_of(gtin, serials), lot=lot, expiry=expiry, at=at
        )
        return await self._carry_out(Commissioned, event)

    async def recall(
        self,
        lot: Lgtin,
        *,
        reason: str,
        recall_class: int = 2,
        at: datetime | None = None,
    ) -> Recalled:
        """Recall a lot: one write, and from this block on none of it ships or is dispensed."""
        event = self._premises.objects(
            [],
            "holding",
            disposition="recalled",
            lot=lot,
            at=at,
            extensions={"medfab:recallClass": recall_class, "medfab:reason": reason},
        )
        return await self._carry_out(Recalled, event)

    async def pending_verifications(self) -> tuple[PendingVerification, ...]:
        """What others have asked about the own products, and until when it is to be answered."""
        return await self._evaluate(
            tuple[PendingVerification, ...], "PendingVerifications", self._msp_id
        )

    async def answer_verification(
        self, gtin: Gtin, request: str, *, verified: bool, reason: str | None = None
    ) -> Done:
        """Answer a request."""
        fields = {"gtin": gtin.value, "request": request, "verified": verified, "reason": reason}
        return await self._submit(Done, "AnswerVerification", fields)

    def _commission_event(
        self, packs: Sequence[Sgtin], lot: str, expiry: date, at: datetime
    ) -> ObjectEvent:
        return self._premises.objects(
            packs,
            "commissioning",
            disposition="active",
            action="ADD",
            at=at,
            ilmd=master_data(lot, expiry),
        )

    def _own_keys(self) -> LotKeys:
        if self._lot_keys is None:
            raise PlanError("NO_LOT_KEYS", "a product's owner needs lot keys: give lot_keys")
        return self._lot_keys
