"""For which patient a caller acts: the own pseudonym, or one whose appointment names the caller."""

from dataclasses import dataclass

from medfab_chaincode import Context

from ._appointment_model import Acting, Appointment, AppointmentEntry, AppointmentStatus, Scope
from ._caller import PATIENT, Caller, caller_of
from ._checks import refuse
from ._codes import Code
from ._keys import ObjectType
from ._log import now_of
from ._standing import registered
from ._store import PatientEntry, Store

MAX_CHAIN = 3
"""Appointments from the patient to the caller, at most."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A patient, and who acts."""

    patient: str
    entry: PatientEntry
    caller: Caller
    appointment_id: str | None = None
    """None: the patient acts in person."""
    chain: tuple[Appointment, ...] = ()
    """The appointments that it rests on, the caller's own first."""

    @property
    def excluded_labels(self) -> tuple[str, ...]:
        """What is kept from the caller, by any of them."""
        return tuple(sorted({code for each in self.chain for code in each.excluded_labels}))


async def subject_of(
    context: Context, store: Store, acting: Acting | None, scope: Scope, *, erased_too: bool = False
) -> Subject:
    """Tell for whom the caller acts, and refuse where nothing committed says so (C2, C6).

    erased_too: also for a patient whose erasure has begun.
    """
    caller = caller_of(context)
    if acting is None:
        return await _in_person(store, caller, erased_too)
    acting.check()
    entry = await _entry(store, acting.patient, erased_too)
    chain = await _chain(store, acting)
    now = now_of(context)
    own = chain[0]
    if (
        (own.msp_id, own.person) != (caller.msp_id, caller.subject)
        or any(now >= each.not_after for each in chain)
        or any(scope not in each.scope for each in chain)
    ):
        raise _not_appointed()
    return Subject(
        patient=acting.patient,
        entry=entry,
        caller=caller,
        appointment_id=acting.appointment_id,
        chain=chain,
    )


async def _in_person(store: Store, caller: Caller, erased_too: bool) -> Subject:
    if caller.role != PATIENT:
        raise refuse(
            Code.NOT_AUTHORISED, "say for whom you act: the transient entry `acting` is missing"
        )
    entry = await _entry(store, caller.subject, erased_too)
    if entry.home_msp != caller.msp_id:
        # Any organisation's CA can write any pseudonym into a certificate.
        raise refuse(Code.NOT_AUTHORISED, "this patient is registered with another organisation")
    return Subject(patient=caller.subject, entry=entry, caller=caller)


async def _entry(store: Store, patient: str, erased_too: bool) -> PatientEntry:
    entry = await store.patient(patient)
    return entry if entry is not None and erased_too else registered(entry)


async def _chain(store: Store, acting: Acting) -> tuple[Appointment, ...]:
    chain: list[Appointment] = []
    id_: str | None = acting.appointment_id
    while id_ is not None:
        entry = await store.get(AppointmentEntry, ObjectType.APPOINTMENT, acting.patient, id_)
        if entry is None or entry.status is AppointmentStatus.ENDED or len(chain) == MAX_CHAIN:
            raise _not_appointed()
        terms = await store.get_private(Appointment, ObjectType.APPOINTMENT, acting.patient, id_)
        if terms is None:
            raise _not_appointed()
        if chain and not terms.may_delegate:
            raise _not_appointed()
        chain.append(terms)
        id_ = entry.parent
    return tuple(chain)


def _not_appointed() -> Exception:
    # One answer for all: a stranger does not learn which of them it was.
    return refuse(
        Code.NOT_AUTHORISED,
        "no appointment in force lets you do this for this patient",
    )
