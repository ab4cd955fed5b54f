# Made by scripts/make_sync.py from _logistics_async.py: change that, and run it.
"""The client of whoever has packs in custody: packs, ships, receives, holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from medfab_gateway._contract import Contract
from medfab_gateway.pharma._answers import (
    Commissioned,
    Done,
    Readings,
    Received,
    Requested,
    Scanned,
    Shipped,
)
from medfab_gateway.pharma._capture import Capture
from medfab_gateway.pharma._event_forms import CONTEXTS, Premises
from medfab_gateway.pharma._items import Item, LotKeys, day, item_id
from medfab_gateway.pharma._keys import Gln
from medfab_gateway.pharma._plan import PlanError
from medfab_gateway.pharma._scan import Scan
from medfab_gateway.pharma._supply import pack_of
from medfab_gateway.pharma.epcis import Event

T = TypeVar("T")


class Logistics(Capture):
    """Moves packs, cases and pallets.

    ::

        logistics = Logistics(contract, msp_id="DistributorMSP", gln=Gln("4012345000054"))
        sent = logistics.ship([pallet], to="PharmacyMSP")
        print(sent.shipment)

    Everything it does is an EPCIS event, captured as :class:`Capture` does, and so can be
    repeated: with the same ``at`` it changes nothing more. ``gln``: of the premises; None: the
    events name no place, and nothing is dispensed or scanned on record.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        msp_id: str,
        gln: Gln | None,
        lot_keys: LotKeys | None = None,
        time_zone_offset: str = "+00:00",
    ) -> None:
        super().__init__(contract, msp_id=msp_id, lot_keys=lot_keys)
        self._premises = Premises(gln=gln, time_zone_offset=time_zone_offset)

    def commission_containers(
        self, items: Sequence[Item], *, at: datetime | None = None
    ) -> Commissioned:
        """Make cases or pallets known; a pallet that is packed need not be."""
        event = self._premises.objects(
            items, "commissioning", disposition="active", action="ADD", at=at
        )
        return self._carry_out(Commissioned, event)

    def pack(self, container: Item, items: Sequence[Item], *, at: datetime | None = None) -> Done:
        """Put items, at most 1000, into a case or pallet."""
        return self._carry_out(
            Done, self._premises.aggregation(container, items, packing=True, at=at)
        )

    def unpack(
        self, container: Item, items: Sequence[Item] = (), *, at: datetime | None = None
    ) -> Done:
        """Take items out; with none named, all that is directly inside."""
        return self._carry_out(
            Done, self._premises.aggregation(container, items, packing=False, at=at)
        )

    def ship(
        self,
        items: Sequence[Item],
        *,
        to: str,
        returning: bool = False,
        at: datetime | None = None,
    ) -> Shipped:
        """Send items, with all that is inside, to the partner with the MSP id ``to``."""
        partner = self.partner(to)
        if partner is None or not partner.glns:
            raise PlanError("NOT_PARTNER", f"{to} is no registered partner with a GLN")
        gln = Gln(partner.glns[0])
        self._partners[gln.value] = to
        event = self._premises.shipping(items, gln, returning=returning, at=at)
        return self._carry_out(Shipped, event)

    def receive(
        self, items: Sequence[Item], *, complete: bool = False, at: datetime | None = None
    ) -> Received:
        """Receive roots of one shipment. complete: what is missing now is a shortage."""
        extensions = {"medfab:complete": True} if complete else {}
        event = self._premises.objects(
            items, "receiving", disposition="sellable_accessible", at=at, extensions=extensions
        )
        return self._carry_out(Received, event)

    def cancel_shipment(self, items: Sequence[Item], *, at: datetime | None = None) -> Done:
        """Take a shipment back of which nothing was received yet; any item of it names it."""
        return self._carry_out(Done, self._premises.objects(items, "void_shipping", at=at))

    def resolve_shortage(self, shipment: str, item: Item, outcome: str) -> Done:
        """outcome: `found` or `lost` (by the shipper), `received` (by the consignee)."""
        fields = {"shipment": shipment, "item": item_id(item), "outcome": outcome}
        return self._submit(Done, "ResolveShortage", fields)

    def hold(
        self,
        items: Sequence[Item],
        *,
        reason: str,
        suspect: bool = False,
        at: datetime | None = None,
    ) -> Done:
        """Set items aside; suspect: they may be counterfeit."""
        kind = "suspect" if suspect else "quarantined"
        event = self._premises.objects(
            items,
            "holding",
            disposition="non_sellable_other",
            at=at,
            extensions={"medfab:hold": kind, "medfab:reason": reason},
        )
        return self._carry_out(Done, event)

    def clear(self, items: Sequence[Item], *, reason: str, at: datetime | None = None) -> Done:
        """End a hold, as quality, and as another person than who raised it."""
        return self._judge(items, "conformant", reason, at)

    def condemn(self, items: Sequence[Item], *, reason: str, at: datetime | None = None) -> Done:
        """Find held items illegitimate, as quality, and as another person than who raised it."""
        return self._judge(items, "non_conformant", reason, at)

    def resell(
        self,
        item: Item,
        *,
        lot: str | None = None,
        expiry: date | None = None,
        at: datetime | None = None,
    ) -> Done:
        """Put a returned item back on sale, after verification; a unit with lot and expiry."""
        extensions: dict[str, Any] = {}
        if lot is not None:
            extensions["cbvmda:lotNumber"] = lot
        if expiry is not None:
            extensions["cbvmda:itemExpirationDate"] = expiry.isoformat()
        event = self._premises.objects(
            [item], "inspecting", disposition="sellable_accessible", at=at, extensions=extensions
        )
        return self._carry_out(Done, event)

    def decommission(
        self, items: Sequence[Item], *, reason: str, at: datetime | None = None
    ) -> Done:
        """Take packs out of the system, e.g. samples."""
        return self._end(items, "decommissioning", "inactive", reason, at)

    def destroy(self, items: Sequence[Item], *, reason: str, at: datetime | None = None) -> Done:
        """Record that packs were destroyed."""
        return self._end(items, "destroying", "destroyed", reason, at)

    def report_stolen(
        self, items: Sequence[Item], *, reason: str, at: datetime | None = None
    ) -> Done:
        """Record that packs were stolen."""
        return self._end(items, "holding", "stolen", reason, at)

    def report_scan(self, code: Scan) -> Scanned:
        """Put a scan at these premises on record, with what raises suspicion about it."""
        if self._premises.gln is None:
            raise PlanError("INCOMPLETE", "a scan on record needs the GLN of the premises")
        return self._submit(
            Scanned,
            "ReportScan",
            {
                "item": item_id(pack_of(code)),
                "gln": self._premises.gln.value,
                "lot": code.lot,
                "expiry": day(code.expiry) if code.expiry is not None else None,
            },
        )

    def acknowledge_recall(self, tag: str, gtin: str, lot: str, *, quarantined: int) -> Done:
        """Take note of a recall; quarantined: how many units were set aside."""
        fields = {"gtin": gtin, "lot": lot, "tag": tag, "quarantined": quarantined}
        return self._submit(Done, "AcknowledgeRecall", fields)

    def request_verification(self, code: Scan) -> Requested:
        """Ask the product's owner, who has 24 hours to answer."""
        item = pack_of(code)
        return self._submit(
            Requested,
            "RequestVerification",
            {
                "gtin": code.gtin.value if code.gtin is not None else None,
                "item": item_id(item),
                "lot": code.lot,
                "expiry": day(code.expiry) if code.expiry is not None else None,
            },
        )

    def notify_regulator(self, item: Item, *, kind: str, reason: str) -> Done:
        """Tell the authority of a held item: `suspect`, `illegitimate` or `cleared`; as quality."""
        fields = {"item": item_id(item), "kind": kind, "reason": reason}
        return self._submit(Done, "NotifyRegulator", fields)

    def register_location(self, gln: Gln, name: str, *, latitude: float, longitude: float) -> Done:
        """Say where premises are, which makes impossible journeys visible."""
        fields = {
            "gln": gln.value,
            "name": name,
            "latitude_e6": round(latitude * 1_000_000),
            "longitude_e6": round(longitude * 1_000_000),
        }
        return self._submit(Done, "RegisterLocation", fields)

    def register_device(self, device: str, public_key_pem: str) -> Done:
        """Register a thermometer by its P-256 key."""
        fields = {"device": device, "public_key": public_key_pem}
        return self._submit(Done, "RegisterDevice", fields)

    def start_monitoring(
        self, item: Item, device: str, *, lowest: int, highest: int, budget_ms: int, max_gap_ms: int
    ) -> Done:
        """Watch an item's temperature, within limits in milli-degrees Celsius."""
        fields = {
            "item": item_id(item),
            "device": device,
            "min": lowest,
            "max": highest,
            "budget_ms": budget_ms,
            "max_gap_ms": max_gap_ms,
        }
        return self._submit(Done, "StartMonitoring", fields)

    def record_readings(self, item: Item, payload: str, signature: str) -> Readings:
        """Pass on what a device signed; see `signed_readings`."""
        fields = {"item": item_id(item), "payload": payload, "signature": signature}
        return self._submit(Readings, "RecordReadings", fields)

    def stop_monitoring(self, item: Item) -> Done:
        """The item has arrived."""
        return self._submit(Done, "StopMonitoring", {"item": item_id(item)})

    def _judge(
        self, items: Sequence[Item], disposition: str, reason: str, at: datetime | None
    ) -> Done:
        event = self._premises.objects(
            items,
            "inspecting",
            disposition=disposition,
            at=at,
            extensions={"medfab:reason": reason},
        )
        return self._carry_out(Done, event)

    def _end(
        self, items: Sequence[Item], step: str, disposition: str, reason: str, at: datetime | None
    ) -> Done:
        event = self._premises.objects(
            items,
            step,
            disposition=disposition,
            action="DELETE",
            at=at,
            extensions={"medfab:reason": reason},
        )
        return self._carry_out(Done, event)

    def _carry_out(self, kind: type[T], event: Event) -> T:
        _, answered = self._apply(event, CONTEXTS)
        result: T = answered
        return result
