"""Functions about guardians and representatives (C6)."""

from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, evaluate, submit

from ._appointment_model import (
    Acting,
    Appointment,
    AppointmentEntry,
    AppointmentKind,
    AppointmentMade,
    AppointmentStatus,
    AppointmentView,
    Scope,
    Status,
)
from ._caller import APPOINTERS, PATIENT, PATIENTS, REGISTRAR, REGISTRARS, Caller, caller_of
from ._checks import check_digest, check_patient, refuse
from ._codes import Code, Kind
from ._keys import ObjectType
from ._log import log, now_of
from ._standing import registered
from ._store import Store
from ._subject import MAX_CHAIN, Subject, subject_of


class Representatives(Contract):
    """Who acts for a patient."""

    @submit("AppointGuardian", access=REGISTRARS)
    async def appoint_guardian(
        self, context: Context, patient: str, appointment: Annotated[Appointment, Transient()]
    ) -> AppointmentMade:
        """Appoint a guardian of a patient of the registrar's own organisation."""
        caller, store = caller_of(context), Store(context.stub)
        await _of_own_organisation(store, caller, check_patient(patient))
        appointment.check(now_of(context))
        kind = AppointmentKind.GUARDIAN
        return _appoint(context, store, caller, patient, kind, None, appointment)

    @submit("AppointRepresentative", access=PATIENTS)
    async def appoint_representative(
        self,
        context: Context,
        appointment: Annotated[Appointment, Transient()],
        acting: Annotated[Acting | None, Transient()],
    ) -> AppointmentMade:
        """Appoint a representative; by one, narrower and no longer, and only if that is allowed."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.DELEGATE)
        appointment.check(now_of(context))
        if subject.chain:
            _check_delegation(subject, appointment)
        return _appoint(
            context,
            store,
            subject.caller,
            subject.patient,
            AppointmentKind.REPRESENTATIVE,
            subject.appointment_id,
            appointment,
        )

    @submit("EndAppointment", access=APPOINTERS)
    async def end_appointment(self, context: Context, patient: str, appointment_id: str) -> Status:
        """End an appointment, and with it all that rests on it.

        A patient ends representatives; a guardian is ended by a registrar; and everybody may lay
        down the own appointment.
        """
        caller, store = caller_of(context), Store(context.stub)
        check_patient(patient)
        check_digest(appointment_id, "appointment_id")
        ids = (patient, appointment_id)
        entry = await store.get(AppointmentEntry, ObjectType.APPOINTMENT, *ids)
        terms = await store.get_private(Appointment, ObjectType.APPOINTMENT, *ids)
        if entry is None or terms is None:
            raise refuse(Code.NOT_FOUND, "the patient has no appointment with this id", 404)
        if (terms.msp_id, terms.person) != (caller.msp_id, caller.subject):
            guardian = entry.kind is AppointmentKind.GUARDIAN
            if caller.role == REGISTRAR:
                await _of_own_organisation(store, caller, patient)
            elif guardian or caller.role != PATIENT or caller.subject != patient:
                raise refuse(Code.NOT_AUTHORISED, "this appointment is not yours to end")
            else:
                await subject_of(context, store, None, Scope.DELEGATE)
        if entry.status is AppointmentStatus.ENDED:
            raise refuse(Code.ALREADY_DONE, "this appointment has ended already", 409)
        ended = AppointmentEntry(
            kind=entry.kind,
            status=AppointmentStatus.ENDED,
            parent=entry.parent,
            appointed_at=entry.appointed_at,
            changed_at=now_of(context),
        )
        store.put(ObjectType.APPOINTMENT, *ids, entry=ended)
        log(context, store, caller, Kind.APPOINTMENT_ENDED, patient, ref=appointment_id)
        return Status(status=ended.status)

    @evaluate("ListAppointments", access=PATIENTS)
    async def list_appointments(
        self, context: Context, acting: Annotated[Acting | None, Transient()]
    ) -> list[AppointmentView]:
        """List who may act for the patient, ended ones included, newest first."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.AUDIT)
        found = [
            (parts[1], entry)
            async for parts, entry in store.rows(
                AppointmentEntry, ObjectType.APPOINTMENT, subject.patient
            )
        ]
        keys = [store.key(ObjectType.APPOINTMENT, subject.patient, id_) for id_, _ in found]
        terms = await store.private_many(Appointment, keys)
        rows = [
            AppointmentView(
                appointment_id=id_,
                kind=entry.kind,
                status=entry.status,
                parent=entry.parent,
                appointed_at=entry.appointed_at,
                msp_id=each.msp_id,
                person=each.person,
                scope=each.scope,
                not_after=each.not_after,
                may_delegate=each.may_delegate,
                excluded_labels=each.excluded_labels,
            )
            for (id_, entry), each in zip(found, terms, strict=True)
        ]
        return sorted(rows, key=lambda row: (row.appointed_at, row.appointment_id), reverse=True)


def _check_delegation(subject: Subject, appointment: Appointment) -> None:
    own = subject.chain[0]
    if (
        not own.may_delegate
        or len(subject.chain) == MAX_CHAIN
        or not set(appointment.scope) <= set(own.scope)
        or appointment.not_after > own.not_after
    ):
        raise refuse(
            Code.NOT_AUTHORISED,
            "you may not pass this on: only with may_delegate, within your own scope and time, "
            f"and over {MAX_CHAIN} persons at most",
        )


def _appoint(
    context: Context,
    store: Store,
    caller: Caller,
    patient: str,
    kind: AppointmentKind,
    parent: str | None,
    appointment: Appointment,
) -> AppointmentMade:
    now, id_ = now_of(context), context.transaction_id
    entry = AppointmentEntry(
        kind=kind,
        status=AppointmentStatus.ACTIVE,
        parent=parent,
        appointed_at=now,
        changed_at=now,
    )
    store.put(ObjectType.APPOINTMENT, patient, id_, entry=entry)
    store.put_private(ObjectType.APPOINTMENT, patient, id_, value=appointment)
    log(context, store, caller, Kind.APPOINTMENT_MADE, patient)
    return AppointmentMade(appointment_id=id_)


async def _of_own_organisation(store: Store, caller: Caller, patient: str) -> None:
    if registered(await store.patient(patient)).home_msp != caller.msp_id:
        raise refuse(Code.NOT_AUTHORISED, "this patient is registered with another organisation")
