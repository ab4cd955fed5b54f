"""The last steps: dispensing and its reversal, returns, and what ends otherwise."""

from dataclasses import replace
from typing import Annotated

from medfab_chaincode import Contract, Transient, submit

from ._answers import Done
from ._call import HANDLERS, OPERATORS, Call, SupplyContext
from ._codes import Code, refusal
from ._hierarchy import loose, require_free, require_status
from ._ids import gtin_of, lot_proof
from ._inputs import ItemsWithReason
from ._inputs_goods import DispenseInput, ReverseInput, ScannedInput
from ._keys import Kind
from ._master import known_product
from ._model import (
    AT_REST,
    SALEABLE,
    Capacity,
    Hold,
    HoldKind,
    Item,
    ItemKind,
    Lot,
    Status,
)

REVERSAL_MS = 10 * 24 * 3600 * 1000
"""EU FMD: how long a pack can be put back."""


class Dispensing(Contract):
    """Units leave the chain."""

    @submit("Dispense", access=OPERATORS)
    async def dispense(
        self, context: SupplyContext, given: Annotated[DispenseInput, Transient("input")]
    ) -> Done:
        """Dispense a unit, or some doses of it."""
        call = await Call.open(context, "Dispense", given)
        if call.repeated:
            return call.done_before()
        call.require_capacity(Capacity.DISPENSER)
        if call.partner is None or given.gln not in call.partner.glns:
            raise refusal(Code.NOT_CAPABLE, "input.gln: none of your licensed premises")
        items = await loose(call, [given.item], "input.item")
        ((name, unit),) = items.items()
        if unit.kind is not ItemKind.UNIT:
            raise refusal(Code.WRONG_STATE, "input.item: a container: unpack it first")
        require_status([unit], {*SALEABLE, Status.PARTIALLY_DISPENSED}, "input.item")
        await require_free(call, items, "input.item")
        left = unit.remaining
        if left is None:
            left = (await known_product(call.store, gtin_of(given.item) or "")).doses
        doses = left if given.doses is None else given.doses
        if doses > left:
            raise refusal(Code.TOO_MUCH, "input.doses: more than there are left in the pack")
        gone = replace(
            unit,
            status=Status.DISPENSED if doses == left else Status.PARTIALLY_DISPENSED,
            remaining=left - doses,
            dispensed_at=call.now,
            premises=given.gln,
            supplied=given.supplied or unit.supplied or doses < left,
            step="Dispense",
            since=call.now,
        )
        call.store.put(Kind.ITEM, name, value=gone)
        return call.finish(name)

    @submit("Reverse", access=OPERATORS)
    async def reverse(
        self, context: SupplyContext, given: Annotated[ReverseInput, Transient("input")]
    ) -> Done:
        """Put back a pack that was dispensed here and not supplied (EU FMD, article 13)."""
        call = await Call.open(context, "Reverse", given)
        if call.repeated:
            return call.done_before()
        items = await loose(call, [given.item], "input.item")
        ((name, unit),) = items.items()
        require_status([unit], {Status.DISPENSED}, "input.item")
        if unit.premises != given.gln:
            raise refusal(Code.NOT_HOLDER, "input.gln: the premises where it was dispensed")
        if call.now - (unit.dispensed_at or 0) > REVERSAL_MS:
            raise refusal(Code.TOO_LATE, "a pack is put back within ten days")
        if unit.supplied:
            raise refusal(Code.WRONG_STATE, "what was supplied to a patient is not put back")
        await require_free(call, items, "input.item")
        back = replace(
            unit,
            status=Status.IN_STOCK,
            remaining=None,
            dispensed_at=None,
            premises=None,
            step="Reverse",
            since=call.now,
        )
        call.store.put(Kind.ITEM, name, value=back)
        return call.finish(name)

    @submit("Resell", access=OPERATORS)
    async def resell(
        self, context: SupplyContext, given: Annotated[ScannedInput, Transient("input")]
    ) -> Done:
        """Put a returned item back on sale, after its label was verified."""
        call = await Call.open(context, "Resell", given)
        if call.repeated:
            return call.done_before()
        call.require_capacity(Capacity.WHOLESALER, Capacity.MANUFACTURER)
        items = await loose(call, [given.item], "input.item")
        ((name, item),) = items.items()
        require_status([item], {Status.RETURNED}, "input.item")
        await _require_label(call, given, item)
        await require_free(call, items, "input.item")
        sellable = replace(item, status=Status.IN_STOCK, step="Resell", since=call.now)
        call.store.put(Kind.ITEM, name, value=sellable)
        return call.finish(name)

    @submit("Decommission", access=HANDLERS)
    async def decommission(
        self, context: SupplyContext, given: Annotated[ItemsWithReason, Transient("input")]
    ) -> Done:
        """Take items out of circulation."""
        return await _end(context, "Decommission", Status.DECOMMISSIONED, given)

    @submit("Destroy", access=HANDLERS)
    async def destroy(
        self, context: SupplyContext, given: Annotated[ItemsWithReason, Transient("input")]
    ) -> Done:
        """Record that items were destroyed."""
        return await _end(context, "Destroy", Status.DESTROYED, given)

    @submit("ReportStolen", access=HANDLERS)
    async def report_stolen(
        self, context: SupplyContext, given: Annotated[ItemsWithReason, Transient("input")]
    ) -> Done:
        """Record that items are stolen or lost."""
        return await _end(context, "ReportStolen", Status.STOLEN, given)


async def _require_label(call: Call, given: ScannedInput, item: Item) -> None:
    if item.kind is ItemKind.CONTAINER:
        return
    lot = await call.store.get(Lot, Kind.LOT, item.lot or "")
    if given.lot is None or item.proof != lot_proof(given.item, given.lot):
        raise refusal(Code.LOT_MISMATCH, "input.lot: not what was commissioned: hold it as suspect")
    if lot is None or given.expiry != lot.expiry:
        raise refusal(
            Code.LOT_MISMATCH, "input.expiry: not what was commissioned: hold it as suspect"
        )


async def _end(
    context: SupplyContext, function: str, status: Status, given: ItemsWithReason
) -> Done:
    """End items, with everything in them; from an end, destroying alone goes on."""
    call = await Call.open(context, function, given)
    if call.repeated:
        return call.done_before()
    items = await loose(call, given.items)
    allowed = set(AT_REST)
    if status is Status.DESTROYED:
        allowed |= {Status.DECOMMISSIONED}
    require_status(items.values(), allowed, "input.items")
    if status is not Status.DESTROYED:
        holds = await call.store.get_many(Hold, Kind.HOLD, [(name, name) for name in items])
        for index, hold in enumerate(holds):
            if hold is not None and hold.kind is HoldKind.ILLEGITIMATE:
                raise refusal(
                    Code.HELD, f"input.items[{index}]: what is illegitimate is only destroyed"
                )
    for name, item in items.items():
        ended = replace(item, status=status, step=function, since=call.now)
        call.store.put(Kind.ITEM, name, value=ended)
    return call.finish(*items)
