"""Custody from one organisation to another: only roots are written, whatever is in them."""

from dataclasses import replace
from typing import Annotated

from medfab_chaincode import Contract, Transient, submit

from ._answers import Done, Received, Shipped
from ._call import OPERATORS, Call, SupplyContext, licensed
from ._codes import Code, refusal
from ._hierarchy import saleable
from ._ids import digest
from ._inputs_goods import ReceiveInput, ResolveInput, ShipInput, ShipmentInput, ShortageOutcome
from ._keys import Kind
from ._model import (
    Item,
    Partner,
    Shipment,
    ShipmentStatus,
    Shortage,
    ShortageStatus,
    Status,
)


class Shipping(Contract):
    """Shipments and what becomes of them."""

    @submit("Ship", access=OPERATORS)
    async def ship(
        self, context: SupplyContext, given: Annotated[ShipInput, Transient("input")]
    ) -> Shipped:
        """Send loose items to a named, licensed partner."""
        call = await Call.open(context, "Ship", given)
        if call.repeated:
            return Shipped(shipment=call.repeated, repeated=True)
        if given.consignee == call.msp:
            raise refusal(Code.NOT_CONSIGNEE, "input.consignee: another organisation than yours")
        partner = await call.store.get(Partner, Kind.PARTNER, given.consignee)
        licensed(partner, call.now, "the consignee")
        items = await saleable(call, given.items)
        for name, item in items.items():
            moving = replace(
                item,
                status=Status.IN_TRANSIT,
                before=item.status,
                consignee=given.consignee,
                shipment=call.transaction_id,
                step="Ship",
                since=call.now,
            )
            call.store.put(Kind.ITEM, name, value=moving)
            call.store.guard(name, call.authorities, call.msp, given.consignee)
        shipment = Shipment(
            shipper=call.msp,
            consignee=given.consignee,
            returning=given.returning,
            status=ShipmentStatus.OPEN,
            items=tuple(items),
        )
        call.store.put(Kind.SHIPMENT, call.transaction_id, value=shipment)
        call.finish(*items, shipment=call.transaction_id, consignee=given.consignee)
        return Shipped(shipment=call.transaction_id, repeated=False)

    @submit("Receive", access=OPERATORS)
    async def receive(
        self, context: SupplyContext, given: Annotated[ReceiveInput, Transient("input")]
    ) -> Received:
        """Take what arrived into stock; `complete` opens a shortage for each that did not."""
        call = await Call.open(context, "Receive", given)
        if call.repeated:
            return Received(transaction_id=call.repeated, repeated=True, shortages=0)
        shipment = await _shipment(call, given.shipment)
        if shipment.consignee != call.msp:
            raise refusal(Code.NOT_CONSIGNEE, "this shipment is for another organisation")
        names = [digest(each) for each in given.items]
        shipped = frozenset(shipment.items)
        for index, name in enumerate(names):
            if name not in shipped:
                raise refusal(
                    Code.NOT_CONSIGNEE,
                    f"input.items[{index}]: not in this shipment: ask the shipper",
                )
        arrived = await _shipped_items(call, names)
        for index, item in enumerate(arrived.values()):
            if not _in_shipment(item, given.shipment):
                raise refusal(Code.WRONG_STATE, f"input.items[{index}]: it was received before")
        status = Status.RETURNED if shipment.returning else Status.IN_STOCK
        for name, item in arrived.items():
            call.store.put(Kind.ITEM, name, value=_in_custody(call, item, status))
            call.store.guard(name, call.authorities, call.msp)
        shortages = 0
        if given.complete:
            rest = [name for name in shipment.items if name not in arrived]
            for name, item in (await _shipped_items(call, rest)).items():
                if _in_shipment(item, given.shipment):
                    missing = replace(item, status=Status.MISSING, step="Receive", since=call.now)
                    call.store.put(Kind.ITEM, name, value=missing)
                    shortage = Shortage(status=ShortageStatus.OPEN, at=call.now)
                    call.store.put(Kind.SHORTAGE, given.shipment, name, value=shortage)
                    shortages += 1
            closed = replace(shipment, status=ShipmentStatus.COMPLETE)
            call.store.put(Kind.SHIPMENT, given.shipment, value=closed)
        call.finish(*names, shipment=given.shipment)
        return Received(transaction_id=call.transaction_id, repeated=False, shortages=shortages)

    @submit("CancelShipment", access=OPERATORS)
    async def cancel_shipment(
        self, context: SupplyContext, given: Annotated[ShipmentInput, Transient("input")]
    ) -> Done:
        """Void a shipment of which nothing was received."""
        call = await Call.open(context, "CancelShipment", given)
        if call.repeated:
            return call.done_before()
        shipment = await _shipment(call, given.shipment)
        if shipment.shipper != call.msp:
            raise refusal(Code.NOT_HOLDER, "another organisation has shipped this")
        items = await _shipped_items(call, shipment.items)
        if not all(_in_shipment(item, given.shipment) for item in items.values()):
            raise refusal(
                Code.WRONG_STATE, "the consignee has received some of it: it returns the goods"
            )
        for name, item in items.items():
            back = _in_custody(call, item, item.before or Status.IN_STOCK)
            call.store.put(Kind.ITEM, name, value=back)
            call.store.guard(name, call.authorities, call.msp)
        void = replace(shipment, status=ShipmentStatus.CANCELLED)
        call.store.put(Kind.SHIPMENT, given.shipment, value=void)
        return call.finish(*items, shipment=given.shipment)

    @submit("ResolveShortage", access=OPERATORS)
    async def resolve_shortage(
        self, context: SupplyContext, given: Annotated[ResolveInput, Transient("input")]
    ) -> Done:
        """Say what became of a missing item: found or lost (shipper), received late (consignee)."""
        call = await Call.open(context, "ResolveShortage", given)
        if call.repeated:
            return call.done_before()
        shipment = await call.store.get(Shipment, Kind.SHIPMENT, given.shipment)
        name = digest(given.item)
        shortage = await call.store.get(Shortage, Kind.SHORTAGE, given.shipment, name)
        if shipment is None or shortage is None:
            raise refusal(Code.NOT_FOUND, "no such shortage was opened")
        if shortage.status is not ShortageStatus.OPEN:
            raise refusal(Code.WRONG_STATE, "this shortage is resolved already")
        late = given.outcome is ShortageOutcome.RECEIVED
        if call.msp != (shipment.consignee if late else shipment.shipper):
            raise refusal(
                Code.NOT_HOLDER, "the shipper finds or loses it, the consignee receives it"
            )
        item = (await _shipped_items(call, [name]))[name]
        status = {
            ShortageOutcome.FOUND: item.before or Status.IN_STOCK,
            ShortageOutcome.RECEIVED: Status.RETURNED if shipment.returning else Status.IN_STOCK,
            ShortageOutcome.LOST: Status.STOLEN,
        }[given.outcome]
        call.store.put(Kind.ITEM, name, value=_in_custody(call, item, status))
        call.store.guard(name, call.authorities, call.msp)
        resolved = Shortage(status=ShortageStatus(given.outcome.value), at=call.now)
        call.store.put(Kind.SHORTAGE, given.shipment, name, value=resolved)
        return call.finish(name, shipment=given.shipment)


async def _shipment(call: Call, shipment: str) -> Shipment:
    found = await call.store.get(Shipment, Kind.SHIPMENT, shipment)
    if found is None:
        raise refusal(Code.NOT_FOUND, "no such shipment; its id is the shipping transaction's")
    if found.status is not ShipmentStatus.OPEN:
        raise refusal(Code.WRONG_STATE, f"this shipment is {found.status} already")
    return found


async def _shipped_items(call: Call, names: "list[str] | tuple[str, ...]") -> dict[str, Item]:
    items = await call.store.items(names)
    return {name: item for name, item in zip(names, items, strict=True) if item is not None}


def _in_shipment(item: Item, shipment: str) -> bool:
    return item.status is Status.IN_TRANSIT and item.shipment == shipment


def _in_custody(call: Call, item: Item, status: Status) -> Item:
    return replace(
        item,
        status=status,
        holder=call.msp,
        before=None,
        consignee=None,
        shipment=None,
        step=call.function,
        since=call.now,
    )
