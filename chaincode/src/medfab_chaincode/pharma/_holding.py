"""Quarantine, suspicion, and their ends. A hold is a key of its own beside the item's.

So a regulator holds what another organisation has, without that one's peer.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from medfab_chaincode import Contract, Transient, submit

from ._answers import Done
from ._call import ANYBODY, JUDGES, Call, SupplyContext
from ._codes import Code, refusal
from ._hierarchy import Placed, placed
from ._inputs import ItemsWithReason
from ._inputs_goods import HoldInput
from ._keys import Kind
from ._model import AT_AN_END, Hold, HoldKind

STRENGTH = tuple(HoldKind)


class Holding(Contract):
    """What may not move, and who says so."""

    @submit("Hold", access=ANYBODY)
    async def hold(
        self, context: SupplyContext, given: Annotated[HoldInput, Transient("input")]
    ) -> Done:
        """Quarantine or suspect items that the caller holds; an auditor: anybody's."""
        call = await Call.open(context, "Hold", given)
        if call.repeated:
            return call.done_before()
        items = await placed(call.store, given.items)
        _require_custody(call, items)
        holds = await _holds(call, items)
        for index, (item, known) in enumerate(zip(items, holds, strict=True)):
            if item.status in AT_AN_END:
                raise refusal(
                    Code.WRONG_STATE, f"input.items[{index}]: an item that is {item.status}"
                )
            if known is not None and STRENGTH.index(known.kind) >= STRENGTH.index(given.kind):
                raise refusal(Code.HELD, f"input.items[{index}]: it is {known.kind} already")
        for item in items:
            raise_hold(call, item, given.kind, given.reason)
        return call.finish(*(item.digest for item in items))

    @submit("Clear", access=JUDGES)
    async def clear(
        self, context: SupplyContext, given: Annotated[ItemsWithReason, Transient("input")]
    ) -> Done:
        """End holds that another person has raised."""
        call = await Call.open(context, "Clear", given)
        if call.repeated:
            return call.done_before()
        for item, _ in await _judged(call, given):
            for around in item.path:
                call.store.delete(Kind.HOLD, around, item.digest)
        return call.finish()

    @submit("Condemn", access=JUDGES)
    async def condemn(
        self, context: SupplyContext, given: Annotated[ItemsWithReason, Transient("input")]
    ) -> Done:
        """Find items illegitimate that another person has held; there is no way back."""
        call = await Call.open(context, "Condemn", given)
        if call.repeated:
            return call.done_before()
        for item, _ in await _judged(call, given):
            raise_hold(call, item, HoldKind.ILLEGITIMATE, given.reason)
        return call.finish()


def raise_hold(
    call: Call, item: Placed, kind: HoldKind, reason: str, *, raised_by: str | None = None
) -> None:
    """Hold an item, and mark every container around it."""
    hold = Hold(
        kind=kind,
        raised_by=raised_by or call.context.person,
        raised_msp=call.msp,
        at=call.now,
        reason=reason,
    )
    call.store.put(Kind.HOLD, item.digest, item.digest, value=hold)
    for inner, (around, _) in zip(item.path, item.parents, strict=False):
        call.store.put(Kind.HOLD, around, item.digest, value=replace(hold, via=inner))


async def _holds(call: Call, items: Sequence[Placed]) -> list[Hold | None]:
    return await call.store.get_many(
        Hold, Kind.HOLD, [(item.digest, item.digest) for item in items]
    )


def _require_custody(call: Call, items: Sequence[Placed]) -> None:
    for index, item in enumerate(items):
        if not call.is_authority and item.holder != call.msp:
            raise refusal(
                Code.NOT_HOLDER,
                f"input.items[{index}]: neither the holder nor an authority: tell one of them",
            )


async def _judged(call: Call, given: ItemsWithReason) -> list[tuple[Placed, Hold]]:
    items = await placed(call.store, given.items)
    _require_custody(call, items)
    judged = []
    for index, (item, hold) in enumerate(zip(items, await _holds(call, items), strict=True)):
        where = f"input.items[{index}]"
        if hold is None:
            raise refusal(Code.WRONG_STATE, f"{where}: it is not held")
        if hold.kind is HoldKind.ILLEGITIMATE:
            raise refusal(Code.WRONG_STATE, f"{where}: it was found illegitimate, for good")
        if hold.raised_by == call.context.person:
            raise refusal(
                Code.SAME_PERSON, f"{where}: who raised a hold does not judge it: ask another"
            )
        judged.append((item, hold))
    return judged
