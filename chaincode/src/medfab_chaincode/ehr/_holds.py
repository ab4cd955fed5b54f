"""Functions about legal holds, which stand against erasure (E2)."""

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, submit

from ._appointment_model import Status
from ._caller import AUDITORS, caller_of
from ._checks import check_digest, check_patient, refuse
from ._codes import Code, Kind
from ._keys import ObjectType
from ._log import Note, log, now_of, put_note
from ._store import ERASED, Store

_PLACED, _RELEASED = "placed", "released"


@dataclass(frozen=True, kw_only=True)
class HoldEntry:
    """Public: nothing of this patient may be erased."""

    status: str
    msp_id: str
    since: int


@dataclass(frozen=True, kw_only=True)
class HoldPlaced:
    """Answer of ``PlaceHold``."""

    hold_id: str


class Holds(Contract):
    """What must be kept, whatever the patient wishes."""

    @submit("PlaceHold", access=AUDITORS)
    async def place_hold(
        self, context: Context, patient: str, note: Annotated[Note, Transient()]
    ) -> HoldPlaced:
        """Forbid the erasure of a patient's data, also one that has begun; with a reason."""
        caller, store = caller_of(context), Store(context.stub)
        note.check()
        entry = await store.patient(check_patient(patient))
        if entry is None:
            raise refuse(Code.NOT_REGISTERED, "there is no such patient", 404)
        if entry.status == ERASED:
            raise refuse(Code.ERASED, "the patient's data are erased: nothing is left to hold", 410)
        id_ = context.transaction_id
        hold = HoldEntry(status=_PLACED, msp_id=caller.msp_id, since=now_of(context))
        store.put(ObjectType.HOLD, patient, id_, entry=hold)
        put_note(store, caller, patient, id_, Kind.HOLD_PLACED, note)
        log(context, store, caller, Kind.HOLD_PLACED, patient)
        return HoldPlaced(hold_id=id_)

    @submit("ReleaseHold", access=AUDITORS)
    async def release_hold(
        self, context: Context, patient: str, hold_id: str, note: Annotated[Note, Transient()]
    ) -> Status:
        """End a hold; the organisation that placed it does."""
        caller, store = caller_of(context), Store(context.stub)
        note.check()
        ids = check_patient(patient), check_digest(hold_id, "hold_id")
        hold = await store.get(HoldEntry, ObjectType.HOLD, *ids)
        if hold is None:
            raise refuse(Code.NOT_FOUND, "there is no hold with this id", 404)
        if hold.msp_id != caller.msp_id:
            raise refuse(Code.NOT_AUTHORISED, "the organisation that placed the hold releases it")
        if hold.status == _RELEASED:
            raise refuse(Code.ALREADY_DONE, "this hold is released already", 409)
        store.put(ObjectType.HOLD, *ids, entry=replace(hold, status=_RELEASED))
        put_note(store, caller, patient, hold_id, Kind.HOLD_RELEASED, note)
        log(context, store, caller, Kind.HOLD_RELEASED, patient, ref=hold_id)
        return Status(status=_RELEASED)


async def check_no_hold(store: Store, patient: str) -> None:
    """Refuse while a hold is placed."""
    async with aclosing(store.rows(HoldEntry, ObjectType.HOLD, patient)) as holds:
        async for _, hold in holds:
            if hold.status == _PLACED:
                raise refuse(
                    Code.LEGAL_HOLD,
                    f"a legal hold of {hold.msp_id} stands against erasure: it must be released "
                    "first",
                    409,
                )
