"""From an EPCIS event to the one call of the contract that carries it out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn

from medfab_gateway.errors import MedfabError
from medfab_gateway.pharma._answers import ItemView
from medfab_gateway.pharma._digital_link import from_link
from medfab_gateway.pharma._epc import Identifier, from_urn
from medfab_gateway.pharma._instances import Lgtin, Sgln, Sgtin
from medfab_gateway.pharma._items import MAX_ITEMS, Item, LotKeys, day, item_id
from medfab_gateway.pharma._keys import Gln, Gtin, Sscc
from medfab_gateway.pharma.epcis import (
    AggregationEvent,
    AssociationEvent,
    Event,
    Location,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
)
from medfab_gateway.pharma.errors import IdentifierError

MEDFAB = "https://medfab.dev/epcis/"
"""Namespace of our own extensions: prefix `medfab` in what the clients write."""

REVERSING = f"{MEDFAB}BizStep-reversing"
"""Business step of a dispensing that is taken back; CBV has none."""

_HASH = re.compile(r"ni:///sha-256;([0-9a-f]{64})\?ver=CBV2\.0")


class PlanError(MedfabError):
    """The event names a transition, and lacks what that takes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function of the contract, with its input."""

    function: str
    input: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the ledger says of what an event names."""

    partners: Mapping[str, str]
    """GLN → MSP id."""
    containers: frozenset[str] = frozenset()
    """GTINs of products that are cases."""
    views: Mapping[str, ItemView | None] = field(default_factory=dict)
    """Id → item; only for events that `needs_views`."""
    lot_keys: LotKeys | None = None


def plan(event: Event, name: str, known: Known, *, unknown: str = "refuse") -> Call:
    """The call for `event`, whose hash is `name` (hex). Raises :class:`PlanError`.

    unknown: `record` lets an event about things that are not on the ledger be recorded only.
    """
    if event.error_declaration is not None:
        return _declare_error(event, name)
    items = named_items(event)
    nothing_known = not any(known.views.get(item_id(item)) for item in items)
    if unknown == "record" and nothing_known and not _begins(event):
        return _record(event, name, [])
    if len(items) > MAX_ITEMS + 1:
        raise PlanError(
            "TOO_MANY", f"names {len(items)} items, and {MAX_ITEMS} are the most: split it"
        )
    call = _transition(event, items, known)
    if call is None:
        held = [item for item in items if known.views.get(item_id(item))]
        return _record(event, name, held)
    return Call(function=call.function, input={**call.input, "event": name})


def needs_views(event: Event, *, unknown: str = "refuse") -> bool:
    """Whether the plan depends on the items' present state."""
    carried = (event.type, event.biz_step)
    return unknown == "record" or not (
        carried in _WITHOUT_VIEWS or (isinstance(event, AggregationEvent) and _moves(event))
    )


_WITHOUT_VIEWS = {
    ("ObjectEvent", step)
    for step in (
        "commissioning", "shipping", "holding", "dispensing", "decommissioning", "destroying",
        REVERSING,
    )
} | {("TransformationEvent", "repackaging"), ("TransformationEvent", "commissioning")}  # fmt: skip


def named_items(event: Event) -> list[Item]:
    """The packs, cases and pallets that an event names, each once; other things are left out."""
    found: dict[Item, None] = {}
    for text in _epcs(event):
        identifier = _identifier(text)
        if isinstance(identifier, Sgtin | Sscc):
            found[identifier] = None
    return list(found)


def _epcs(event: Event) -> list[str]:
    match event:
        case ObjectEvent():
            return [*event.epcs]
        case AggregationEvent() | AssociationEvent():
            return [*([event.parent_id] if event.parent_id else []), *event.child_epcs]
        case TransactionEvent():
            return [*([event.parent_id] if event.parent_id else []), *event.epcs]
        case TransformationEvent():
            return [*event.input_epcs, *event.output_epcs]


def _identifier(text: str) -> Identifier | None:
    try:
        return from_urn(text) if text.startswith("urn:epc:") else from_link(text)
    except IdentifierError:
        return None


def _moves(event: AggregationEvent) -> bool:
    return event.action in ("ADD", "DELETE")


def _begins(event: Event) -> bool:
    """Whether the event commissions, so that its items cannot be on the ledger yet."""
    return (
        isinstance(event, ObjectEvent)
        and event.action == "ADD"
        and event.biz_step == "commissioning"
    )


def _transition(event: Event, items: list[Item], known: Known) -> Call | None:
    match event:
        case AggregationEvent() if _moves(event) and event.parent_id is not None:
            parent, children = _only_items(event, [event.parent_id]), [*event.child_epcs]
            inside = _only_items(event, children)
            if event.action == "ADD":
                return _call("Pack", container=parent[0], items=inside)
            return _call("Unpack", container=parent[0], items=inside)
        case TransformationEvent(biz_step="repackaging" | "commissioning"):
            return _repack(event, known)
        case ObjectEvent():
            return _object_event(event, items, known)
    return None


def _object_event(event: ObjectEvent, items: list[Item], known: Known) -> Call | None:
    match event.biz_step, event.disposition:
        case "commissioning", _ if event.action == "ADD":
            return _commission(event, items, known)
        case "shipping", disposition:
            return _call(
                "Ship",
                items=_only_items(event, event.epcs),
                consignee=_consignee(event, known),
                returning=disposition == "returned",
            )
        case "receiving", _:
            named = _only_items(event, event.epcs)
            complete = event.extensions.get("medfab:complete") is True
            shipment = _shipment(event, items, known)
            return _call("Receive", shipment=shipment, items=named, complete=complete)
        case "void_shipping", _:
            return _call("CancelShipment", shipment=_shipment(event, items, known))
        case "holding", "recalled":
            return _recall(event, items, known)
        case "holding", _:
            return _call(
                "Hold",
                items=_only_items(event, event.epcs),
                kind=str(event.extensions.get("medfab:hold", "quarantined")),
                reason=_reason(event),
            )
        case "inspecting", "conformant":
            return _call("Clear", items=_only_items(event, event.epcs), reason=_reason(event))
        case "inspecting", "non_conformant":
            return _call("Condemn", items=_only_items(event, event.epcs), reason=_reason(event))
        case "inspecting", "sellable_accessible":
            lot, expiry = _lot_and_expiry(event, needed=False)
            return _call("Resell", item=_one_item(event), lot=lot, expiry=expiry)
        case "dispensing", disposition:
            doses = event.extensions.get("medfab:doses")
            if disposition == "partially_dispensed" and not isinstance(doses, int):
                _lacks("medfab:doses", "how many doses were given of the pack")
            return _call(
                "Dispense",
                item=_one_item(event),
                doses=doses,
                gln=_place(event).value,
                supplied=event.extensions.get("medfab:supplied") is True,
            )
        case step, _ if step == REVERSING:
            return _call("Reverse", item=_one_item(event), gln=_place(event).value)
        case _, "stolen":
            items_ = _only_items(event, event.epcs)
            return _call("ReportStolen", items=items_, reason=_reason(event))
        case "decommissioning", _:
            items_ = _only_items(event, event.epcs)
            return _call("Decommission", items=items_, reason=_reason(event))
        case "destroying", _:
            return _call("Destroy", items=_only_items(event, event.epcs), reason=_reason(event))
    return None


def _commission(event: ObjectEvent, items: list[Item], known: Known) -> Call:
    if not event.epcs and event.quantities:
        lots = [_identifier(quantity.epc_class) for quantity in event.quantities]
        if len(lots) != 1 or not isinstance(lots[0], Lgtin):
            _lacks("quantityList", "one lot (urn:epc:class:lgtin:… or its Digital Link)")
        _, expiry = _lot_and_expiry(event, needed=False)
        if expiry is None:
            _lacks("ilmd.cbvmda:itemExpirationDate", "the lot's expiry")
        return _call("OpenLot", **_lot(lots[0].gtin, lots[0].lot, expiry, known))
    named = _only_items(event, event.epcs)
    units = [i for i in items if isinstance(i, Sgtin) and i.gtin.value not in known.containers]
    if not units:
        return _call("CommissionContainers", items=named)
    if len(units) < len(items) or len({unit.gtin for unit in units}) > 1:
        raise PlanError(
            "MIXED", "epcList: packs of one product are commissioned by an event of their own"
        )
    lot, expiry = _lot_and_expiry(event, needed=True)
    return _call(
        "Commission",
        **_lot(units[0].gtin, lot, expiry, known),
        serials=[unit.serial for unit in units],
    )


def _repack(event: TransformationEvent, known: Known) -> Call:
    made = [_identifier(text) for text in event.output_epcs]
    packs = [each for each in made if isinstance(each, Sgtin)]
    if not packs or len(packs) < len(made) or len({pack.gtin for pack in packs}) > 1:
        _lacks("outputEPCList", "packs of one product (SGTIN)")
    lot, expiry = _lot_and_expiry(event, needed=True)
    return _call(
        "Repack",
        sources=_only_items(event, event.input_epcs),
        **_lot(packs[0].gtin, lot, expiry, known),
        serials=[pack.serial for pack in packs],
    )


def _recall(event: ObjectEvent, items: list[Item], known: Known) -> Call:
    lots = [_identifier(quantity.epc_class) for quantity in event.quantities]
    if len(lots) != 1 or not isinstance(lots[0], Lgtin):
        _lacks("quantityList", "the recalled lot (urn:epc:class:lgtin:… or its Digital Link)")
    key = known.lot_keys.of_product(lots[0].gtin) if known.lot_keys and not items else None
    if key is None and not items:
        _lacks("epcList", "any pack of the lot, because this client has no lot keys")
    return _call(
        "Recall",
        gtin=lots[0].gtin.value,
        lot=lots[0].lot,
        recall_class=event.extensions.get("medfab:recallClass", 2),
        reason=_reason(event),
        lot_key=key,
        sample=item_id(items[0]) if items else None,
    )


def _declare_error(event: Event, name: str) -> Call:
    declaration = event.error_declaration
    corrective = declaration.corrective_event_ids if declaration is not None else ()
    hashes = [found[1] for found in map(_HASH.fullmatch, corrective) if found]
    return Call(
        function="DeclareError",
        input={
            "event": name,
            "reason": (declaration.reason if declaration else None) or "unspecified",
            "corrective": sorted(set(hashes)),
        },
    )


def _record(event: Event, name: str, items: list[Item]) -> Call:
    step = event.biz_step or event.type
    return Call(
        function="RecordEvent",
        input={"event": name, "step": step[:128], "items": [item_id(i) for i in items[:MAX_ITEMS]]},
    )


def _call(function: str, **fields: Any) -> Call:
    given = {name: value for name, value in fields.items() if value is not None}
    return Call(function=function, input=given)


def _only_items(event: Event, epcs: Any) -> list[str]:
    ids = []
    for text in epcs:
        identifier = _identifier(text)
        if not isinstance(identifier, Sgtin | Sscc):
            raise PlanError(
                "NOT_AN_ITEM", f"{text} is not a pack, case or pallet that a {event.biz_step} moves"
            )
        ids.append(item_id(identifier))
    return list(dict.fromkeys(ids))


def _one_item(event: ObjectEvent) -> str:
    items = _only_items(event, event.epcs)
    if len(items) != 1:
        raise PlanError("TOO_MANY", f"epcList: a {event.biz_step} is of one pack: one event each")
    return items[0]


def _lot(gtin: Gtin, lot: str | None, expiry: int | None, known: Known) -> dict[str, Any]:
    if known.lot_keys is None:
        raise PlanError("NO_LOT_KEYS", "commissioning takes the lot keys of the product's owner")
    key = known.lot_keys.of_product(gtin)
    return {"gtin": gtin.value, "lot": lot, "expiry": expiry, "lot_key": key}


def _lot_and_expiry(
    event: ObjectEvent | TransformationEvent, *, needed: bool
) -> tuple[str | None, int | None]:
    ilmd = event.ilmd or {}
    lot = ilmd.get("cbvmda:lotNumber", event.extensions.get("cbvmda:lotNumber"))
    text = ilmd.get("cbvmda:itemExpirationDate", event.extensions.get("cbvmda:itemExpirationDate"))
    if needed and not isinstance(lot, str):
        _lacks("ilmd.cbvmda:lotNumber", "the lot")
    if needed and not isinstance(text, str):
        _lacks("ilmd.cbvmda:itemExpirationDate", "the expiry, e.g. 2027-12-31")
    try:
        expiry = day(date.fromisoformat(text[:10])) if isinstance(text, str) else None
    except ValueError:
        raise PlanError("WRONG_DATE", f"ilmd.cbvmda:itemExpirationDate: {text!r} is no date") from (
            None
        )
    return lot if isinstance(lot, str) else None, expiry


def _consignee(event: ObjectEvent, known: Known) -> str:
    """The organisation that a shipment goes to: its GLN is in the list of destinations."""
    glns = []
    for kind in ("possessing_party", "owning_party", "location"):
        for destination in event.destinations:
            gln = _gln(destination.id)
            if destination.type == kind and gln is not None:
                glns.append(gln)
                if gln in known.partners:
                    return known.partners[gln]
    if not glns:
        _lacks("destinationList", "to whom it goes: an owning_party or possessing_party with GLN")
    raise PlanError("NOT_PARTNER", f"destinationList: {', '.join(glns)} is no registered partner")


def _gln(text: str) -> str | None:
    match _identifier(text):
        case Sgln(gln, _):
            return gln.value
        case Gln(value):
            return value
    return None


def _place(event: ObjectEvent) -> Gln:
    places: list[Location | None] = [event.biz_location, event.read_point]
    glns = [_gln(place.id) for place in places if place is not None]
    found = next((gln for gln in glns if gln is not None), None)
    if found is None:
        _lacks("bizLocation", "the GLN of the premises")
    return Gln(found)


def _shipment(event: ObjectEvent, items: list[Item], known: Known) -> str:
    views = [known.views.get(item_id(item)) for item in items]
    shipments = {view.shipment for view in views if view is not None and view.shipment}
    if len(shipments) == 1:
        return shipments.pop()
    if not shipments:
        raise PlanError("NOT_SHIPPED", "epcList: none of it is on its way to anybody")
    raise PlanError(
        "SEVERAL_SHIPMENTS", f"epcList: it is of {len(shipments)} shipments: one event for each"
    )


def _reason(event: ObjectEvent) -> str:
    return str(event.extensions.get("medfab:reason", "unspecified"))


def _lacks(place: str, what: str) -> NoReturn:
    raise PlanError("INCOMPLETE", f"{place} is missing: {what}")
