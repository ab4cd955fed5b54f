"""Where items begin: lots, commissioning, and repacking, which begins and ends items."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from medfab_chaincode import Contract, Transient, submit

from ._answers import Commissioned, Done
from ._call import OPERATORS, Call, SupplyContext
from ._codes import Code, refusal
from ._hierarchy import saleable
from ._ids import digest, gtin_of, lot_proof, lot_tag, unit_id
from ._inputs import Items
from ._inputs_goods import CommissionInput, LotInput, RepackInput
from ._keys import Kind
from ._master import known_product, owned_product, require_lot_key, require_prefix
from ._model import (
    Alert,
    Capacity,
    Item,
    ItemKind,
    Lineage,
    Lot,
    Signal,
    Status,
)


class Commissioning(Contract):
    """New items."""

    @submit("OpenLot", access=OPERATORS)
    async def open_lot(
        self, context: SupplyContext, given: Annotated[LotInput, Transient("input")]
    ) -> Done:
        """Begin a lot, so that parallel calls of Commission need not."""
        call = await Call.open(context, "OpenLot", given)
        if call.repeated:
            return call.done_before()
        _open(call, *await _lot(call, given), given)
        return call.finish()

    @submit("Commission", access=OPERATORS)
    async def commission(
        self, context: SupplyContext, given: Annotated[CommissionInput, Transient("input")]
    ) -> Commissioned:
        """Bring units of one lot into being, all or none.

        Serials that exist raise alerts, which are committed, and then nothing is commissioned.
        """
        call = await Call.open(context, "Commission", given)
        if call.repeated:
            return Commissioned(transaction_id=call.repeated, repeated=True, duplicates=())
        tag, lot = await _lot(call, given)
        ids = [unit_id(given.gtin, serial) for serial in given.every_serial()]
        names = [digest(each) for each in ids]
        if duplicates := await _duplicates(call, names):
            return _refused(call, duplicates)
        _open(call, tag, lot, given)
        for name, each in zip(names, ids, strict=True):
            _begin(call, name, _unit(call, tag, lot_proof(each, given.lot)))
        call.store.put(Kind.BATCH, tag, call.transaction_id, value=names)
        return _commissioned(call)

    @submit("CommissionContainers", access=OPERATORS)
    async def commission_containers(
        self, context: SupplyContext, given: Annotated[Items, Transient("input")]
    ) -> Commissioned:
        """Bring containers into being: SSCCs, and SGTINs of products that hold others."""
        call = await Call.open(context, "CommissionContainers", given)
        if call.repeated:
            return Commissioned(transaction_id=call.repeated, repeated=True, duplicates=())
        for prefix in sorted({_owned_part(each) for each in given.items}):
            await require_container(call, prefix)
        names = [digest(each) for each in given.items]
        if duplicates := await _duplicates(call, names):
            return _refused(call, duplicates)
        for name in names:
            _begin(call, name, new_container(call))
        return _commissioned(call)

    @submit("Repack", access=OPERATORS)
    async def repack(
        self, context: SupplyContext, given: Annotated[RepackInput, Transient("input")]
    ) -> Commissioned:
        """Use units up, and make units of another product or lot of them, with their lineage."""
        call = await Call.open(context, "Repack", given)
        if call.repeated:
            return Commissioned(transaction_id=call.repeated, repeated=True, duplicates=())
        call.require_capacity(Capacity.MANUFACTURER, Capacity.REPACKAGER)
        sources = await saleable(call, given.sources, "input.sources")
        for index, source in enumerate(sources.values()):
            if source.kind is not ItemKind.UNIT or source.remaining is not None:
                raise refusal(
                    Code.WRONG_STATE, f"input.sources[{index}]: only whole units are repacked"
                )
        tags = sorted({tag for source in sources.values() for tag in source.units()})
        used = await call.store.get_many(Lot, Kind.LOT, [[tag] for tag in tags])
        if any(each is not None and each.expiry < given.expiry for each in used):
            raise refusal(
                Code.LOT_MISMATCH, "input.expiry: no later than that of every lot that goes in"
            )
        tag, lot = await _lot(call, given)
        if tag in tags:
            raise refusal(Code.LOT_MISMATCH, "input.lot: a new lot, and none that goes in")
        ids = [unit_id(given.gtin, serial) for serial in given.serials]
        names = [digest(each) for each in ids]
        if duplicates := await _duplicates(call, names):
            return _refused(call, duplicates)
        _open(call, tag, lot, given)
        for name, each in zip(names, ids, strict=True):
            unit = _unit(call, tag, lot_proof(each, given.lot))
            crossing = {tag: 1, **dict.fromkeys(tags, 1)}  # a recall of a source crosses over
            _begin(call, name, replace(unit, lots=crossing, made_in=call.transaction_id))
        for name, source in sources.items():
            spent = replace(
                source,
                status=Status.REPACKED,
                step="Repack",
                since=call.now,
                used_in=call.transaction_id,
            )
            call.store.put(Kind.ITEM, name, value=spent)
        for origin in tags:
            call.store.put(Kind.DERIVED, origin, tag, value={})
        lineage = Lineage(sources=tuple(sources), units=tuple(names))
        call.store.put(Kind.LINEAGE, call.transaction_id, value=lineage)
        call.store.put(Kind.BATCH, tag, call.transaction_id, value=names)
        call.finish(*sources)
        return Commissioned(transaction_id=call.transaction_id, repeated=False, duplicates=())


async def require_container(call: Call, item: str) -> None:
    """Refuse what is no container of the caller's: `item` is an SSCC's id, or ``01/GTIN``."""
    if item.startswith("00/"):
        await require_prefix(call, item)
        return
    gtin = gtin_of(item) or item.removeprefix("01/")
    if (await owned_product(call, gtin)).level is not ItemKind.CONTAINER:
        raise refusal(
            Code.WRONG_STATE, "this product is a unit: Commission it, with its lot and expiry"
        )


def _owned_part(item: str) -> str:
    gtin = gtin_of(item)
    return item if gtin is None else f"01/{gtin}"


def new_container(call: Call) -> Item:
    """Make an empty container of the caller's."""
    return Item(
        kind=ItemKind.CONTAINER,
        status=Status.ACTIVE,
        step=call.function,
        since=call.now,
        holder=call.msp,
    )


async def _lot(call: Call, given: LotInput) -> tuple[str, Lot | None]:
    """Return the tag of a lot of the caller's product, and the lot if it is open already."""
    product, lot = await asyncio.gather(
        known_product(call.store, given.gtin),
        call.store.get(Lot, Kind.LOT, tag := lot_tag(given.lot_key, given.gtin, given.lot)),
    )
    if product.owner != call.msp:
        raise refusal(
            Code.NOT_OWNER, "only the owner of the product (and of its prefix) commissions it"
        )
    if product.level is not ItemKind.UNIT:
        raise refusal(Code.WRONG_STATE, "this product holds others: CommissionContainers does it")
    require_lot_key(product, given.lot_key)
    if given.expiry < call.context.today:
        raise refusal(Code.EXPIRED, "input.expiry: a date to come")
    if lot is not None and lot.expiry != given.expiry:
        raise refusal(Code.LOT_MISMATCH, "input.expiry: the lot was opened with another date")
    return tag, lot


def _open(call: Call, tag: str, lot: Lot | None, given: LotInput) -> None:
    if lot is None:
        call.store.put(Kind.LOT, tag, value=Lot(expiry=given.expiry))


def _unit(call: Call, tag: str, proof: str) -> Item:
    return Item(
        kind=ItemKind.UNIT,
        status=Status.ACTIVE,
        step=call.function,
        since=call.now,
        holder=call.msp,
        lot=tag,
        proof=proof,
    )


def _begin(call: Call, name: str, item: Item) -> None:
    call.store.put(Kind.ITEM, name, value=item)
    call.store.guard(name, call.authorities, call.msp)


async def _duplicates(call: Call, names: Sequence[str]) -> dict[int, str]:
    found = await call.store.items(names)
    return {index: names[index] for index, item in enumerate(found) if item is not None}


def _refused(call: Call, duplicates: dict[int, str]) -> Commissioned:
    alert = Alert(kind=Signal.DUPLICATE_COMMISSIONING, at=call.now, by=call.msp)
    for name in duplicates.values():
        call.store.put(Kind.ALERT, name, call.transaction_id, value=alert)
    call.tell(*duplicates.values(), signal=Signal.DUPLICATE_COMMISSIONING)
    return Commissioned(
        transaction_id=call.transaction_id, repeated=False, duplicates=tuple(duplicates)
    )


def _commissioned(call: Call) -> Commissioned:
    call.finish()
    return Commissioned(transaction_id=call.transaction_id, repeated=False, duplicates=())
