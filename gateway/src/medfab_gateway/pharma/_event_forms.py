"""The EPCIS events that the clients write for what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from medfab_gateway.pharma._digital_link import to_link
from medfab_gateway.pharma._instances import Lgtin, Sgln, Sgtin
from medfab_gateway.pharma._items import Item
from medfab_gateway.pharma._keys import Gln, Gtin
from medfab_gateway.pharma._plan import MEDFAB
from medfab_gateway.pharma.epcis import (
    CONTEXT,
    AggregationEvent,
    Destination,
    Location,
    ObjectEvent,
    Quantity,
    Source,
    TransformationEvent,
)

CONTEXTS: tuple[str | Mapping[str, Any], ...] = (CONTEXT, {"medfab": MEDFAB})
"""`@context` of what the clients write."""


@dataclass(frozen=True, kw_only=True)
class Premises:
    """Where a client works."""

    gln: Gln | None
    """None: events say nothing of the place."""
    time_zone_offset: str = "+00:00"
    """E.g. `+02:00`; for events that people read."""

    @property
    def location(self) -> Location | None:
        return Location(id=to_link(Sgln(self.gln))) if self.gln is not None else None

    def objects(
        self,
        items: Sequence[Item],
        step: str,
        *,
        disposition: str | None = None,
        action: Any = "OBSERVE",
        at: datetime | None = None,
        lot: Lgtin | None = None,
        **more: Any,
    ) -> ObjectEvent:
        """Something happens to items here. at: when; None: now."""
        return ObjectEvent(
            action=action,
            event_time=moment(at),
            event_time_zone_offset=self.time_zone_offset,
            epcs=tuple(map(to_link, items)),
            quantities=(Quantity(epc_class=to_link(lot)),) if lot is not None else (),
            biz_step=step,
            disposition=disposition,
            read_point=self.location,
            biz_location=self.location,
            **more,
        )

    def aggregation(
        self, container: Item, items: Sequence[Item], *, packing: bool, at: datetime | None = None
    ) -> AggregationEvent:
        """Items go into a container here, or come out."""
        return AggregationEvent(
            action="ADD" if packing else "DELETE",
            event_time=moment(at),
            event_time_zone_offset=self.time_zone_offset,
            parent_id=to_link(container),
            child_epcs=tuple(map(to_link, items)),
            biz_step="packing" if packing else "unpacking",
            disposition="in_progress",
            read_point=self.location,
            biz_location=self.location,
        )

    def shipping(
        self,
        items: Sequence[Item],
        to: Gln,
        *,
        returning: bool = False,
        at: datetime | None = None,
        **more: Any,
    ) -> ObjectEvent:
        """Items leave here for a partner."""
        return self.objects(
            items,
            "shipping",
            disposition="returned" if returning else "in_transit",
            at=at,
            sources=(Source(type="owning_party", id=to_link(self.gln)),) if self.gln else (),
            destinations=(Destination(type="owning_party", id=to_link(to)),),
            **more,
        )

    def repacking(
        self,
        sources: Sequence[Item],
        packs: Sequence[Sgtin],
        *,
        lot: str,
        expiry: date,
        at: datetime | None = None,
    ) -> TransformationEvent:
        """Packs are used up here, and others made of them."""
        return TransformationEvent(
            event_time=moment(at),
            event_time_zone_offset=self.time_zone_offset,
            input_epcs=tuple(map(to_link, sources)),
            output_epcs=tuple(map(to_link, packs)),
            biz_step="repackaging",
            disposition="active",
            read_point=self.location,
            biz_location=self.location,
            ilmd=master_data(lot, expiry),
        )


def master_data(lot: str, expiry: date) -> dict[str, str]:
    """`ilmd` of commissioned packs."""
    return {"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": expiry.isoformat()}


def packs_of(gtin: Gtin, serials: Sequence[str]) -> list[Sgtin]:
    """Packs of one product."""
    return [Sgtin(gtin, serial) for serial in serials]


def moment(at: datetime | None) -> datetime:
    """To the millisecond, which is what EPCIS keeps."""
    at = at or datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
