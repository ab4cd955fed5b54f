"""EPCIS events: those that move nothing, corrections, and the bodies of what was captured.

A transition that carries an event's hash captures that event; here is the rest.
"""

from dataclasses import replace
from typing import Annotated

from medfab_chaincode import (
    Contract,
    PrivateCollection,
    Transient,
    canonical_json,
    evaluate,
    submit,
)

from ._answers import Done, EventView, KeptEvent
from ._call import ANYBODY, EVENT_NAME, HANDLERS, Call, SupplyContext
from ._codes import Code, refusal
from ._hierarchy import placed
from ._ids import digest
from ._inputs import check_hex
from ._inputs_events import DeclareErrorInput, KeepEventInput, RecordEventInput
from ._keys import Kind, implicit_collection
from ._model import ErrorDeclaration, EventEntry
from ._store import alike


class Events(Contract):
    """What was captured, and what of it was wrong."""

    @submit("RecordEvent", access=HANDLERS)
    async def record_event(
        self, context: SupplyContext, given: Annotated[RecordEventInput, Transient("input")]
    ) -> Done:
        """Capture an event that changes no state, about items in the caller's custody."""
        call = await Call.open(context, "RecordEvent", given)
        if call.repeated:
            return call.done_before()
        for index, item in enumerate(await placed(call.store, given.items)):
            if call.msp not in (item.holder, item.root[1].consignee):
                raise refusal(
                    Code.NOT_HOLDER,
                    f"input.items[{index}]: your organisation does not hold this item",
                )
        return call.finish(*(digest(each) for each in given.items), step=given.step)

    @submit("DeclareError", access=HANDLERS)
    async def declare_error(
        self, context: SupplyContext, given: Annotated[DeclareErrorInput, Transient("input")]
    ) -> Done:
        """Mark an own event as wrong. It stays; new events correct it."""
        call = await Call.open(context, "DeclareError", _Unanchored(given))
        entry = await call.store.get(EventEntry, Kind.EVENT, given.event)
        if entry is None:
            raise refusal(Code.NOT_FOUND, "no such event was captured")
        if entry.by != call.msp:
            raise refusal(Code.NOT_OWNER, "another organisation has captured this event")
        if entry.error is not None:
            raise refusal(Code.EXISTS, "this event was declared wrong already")
        known = await call.store.get_many(
            EventEntry, Kind.EVENT, [[each] for each in given.corrective]
        )
        if None in known:
            index = known.index(None)
            raise refusal(Code.NOT_FOUND, f"input.corrective[{index}]: capture that event first")
        error = ErrorDeclaration(reason=given.reason, at=call.now, corrective=given.corrective)
        call.store.put(Kind.EVENT, given.event, value=replace(entry, error=error))
        return call.finish(corrects=given.event)

    @submit("KeepEvent", access=ANYBODY)
    async def keep_event(
        self, context: SupplyContext, given: Annotated[KeepEventInput, Transient("input")]
    ) -> Done:
        """Keep an event's text in the caller's own private data, endorsed by its peer alone."""
        given.check()
        bodies = _bodies(context)
        key = context.store.key(Kind.BODY, given.event)
        known = await bodies.get(context, key)
        if known is not None and known.body != given.body:
            raise refusal(Code.EVENT_CONFLICT, "another text is kept under this hash")
        # Written even if it is there: without any write the chaincode's policy would judge this.
        bodies.put(context, key, KeptEvent(body=given.body, salt=given.salt))
        # So that the organisation's consumers know what to ask for: a block shows a hashed key.
        told = {"function": "KeepEvent", "event": given.event, "by": context.msp, "items": ()}
        context.stub.set_event(EVENT_NAME, canonical_json(told))
        return Done(transaction_id=context.transaction_id, repeated=known is not None)

    @evaluate("ReadEvent")
    async def read_event(self, context: SupplyContext, event: str) -> EventView | None:
        """Return what is public of a captured event."""
        check_hex(event, "event")
        entry = await context.store.get(EventEntry, Kind.EVENT, event)
        return None if entry is None else alike(EventView, entry)

    @evaluate("ReadKeptEvent", access=ANYBODY)
    async def read_kept_event(self, context: SupplyContext, event: str) -> KeptEvent | None:
        """Return an event that the caller's organisation keeps, as its private data has it."""
        check_hex(event, "event")
        return await _bodies(context).get(context, context.store.key(Kind.BODY, event))

    @evaluate("ListKeptEvents", access=ANYBODY)
    async def list_kept_events(self, context: SupplyContext) -> list[str]:
        """Return the hashes of all events that the caller's organisation keeps."""
        found = _bodies(context).by_partial_composite_key(context, Kind.BODY, [])
        return [context.stub.split_composite_key(key)[1][0] async for key, _ in found]


class _Unanchored:
    """Input whose `event` is what it is about, and not the event that the call captures."""

    def __init__(self, given: DeclareErrorInput) -> None:
        self._given = given

    def check(self) -> None:
        self._given.check()


def _bodies(context: SupplyContext) -> PrivateCollection[KeptEvent]:
    return PrivateCollection(implicit_collection(context.msp), KeptEvent)
