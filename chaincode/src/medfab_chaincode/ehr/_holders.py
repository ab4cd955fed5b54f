"""Functions about registration, and about which organisations hold records (R1, R2, R3)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, evaluate, submit

from ._appointment_model import Acting, Scope, Status
from ._caller import (
    AUDITORS,
    ONLY_PATIENTS,
    PATIENTS,
    PRACTITIONERS,
    READERS,
    caller_of,
)
from ._checks import (
    check_digest,
    check_msp_id,
    check_patient,
    check_salt,
    check_text,
    refuse,
    require,
)
from ._codes import Code, Kind
from ._keys import ObjectType, implicit_collection
from ._log import Note, log, now_of, put_note
from ._standing import registered, standing_of
from ._store import ACTIVE, PatientEntry, Store
from ._subject import subject_of


class HolderStatus(StrEnum):
    """A pointer to an organisation's records is live when the patient accepts it."""

    PENDING = "pending"
    LIVE = "live"
    REJECTED = "rejected"
    ERASED = "erased"


@dataclass(frozen=True, kw_only=True)
class HolderEntry:
    """Public: an organisation says that it holds records of this patient."""

    status: HolderStatus
    since: int
    documents: int = 0
    """At erasure: how many documents were destroyed, and the digest of their names."""
    digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class HolderView:
    """One row of ``ListHolders``."""

    holder_msp: str
    status: HolderStatus
    since: int
    open_alerts: int


class TamperKind(StrEnum):
    """Which bytes do not match what is on file."""

    RECORD = "record"
    DOCUMENT = "document"


@dataclass(frozen=True, kw_only=True)
class Tamper:
    """Transient ``tamper``: what should have been there, and what was."""

    record_id: str
    kind: TamperKind
    expected: str
    """SHA-256 (hex): of a document, as its record says; of a record, as the ledger does."""
    observed: str
    text: str = ""
    salt: str

    def check(self) -> None:
        """Refuse a malformed report, or one of equal bytes."""
        check_digest(self.record_id, "tamper.record_id")
        check_digest(self.expected, "tamper.expected")
        check_digest(self.observed, "tamper.observed")
        check_text(self.text, "tamper.text")
        check_salt(self.salt, "tamper.salt")
        require(self.expected != self.observed, "tamper.observed", "another digest than expected")


@dataclass(frozen=True, kw_only=True)
class AlertEntry:
    """Public: bytes of a holder did not match what is on file."""

    holder_msp: str
    status: str
    raised_at: int
    msp_id: str


@dataclass(frozen=True, kw_only=True)
class AlertRaised:
    """Answer of ``ReportTamper``."""

    alert_id: str


_OPEN, _RESOLVED = "open", "resolved"


class Holders(Contract):
    """Patients, and who holds their records."""

    @submit("RegisterPatient", access=ONLY_PATIENTS)
    async def register_patient(self, context: Context) -> None:
        """Bind the pseudonym in the patient's certificate to the organisation that issued it."""
        caller, store = caller_of(context), Store(context.stub)
        if await store.patient(caller.subject) is not None:
            raise refuse(Code.ALREADY_REGISTERED, "this patient is registered already", 409)
        entry = PatientEntry(home_msp=caller.msp_id, registered_at=now_of(context), status=ACTIVE)
        store.put(ObjectType.PATIENT, caller.subject, entry=entry)
        log(context, store, caller, Kind.PATIENT_REGISTERED, caller.subject)

    @submit("AnnounceHolder", access=PRACTITIONERS)
    async def announce_holder(self, context: Context, patient: str) -> Status:
        """Tell the patient that the caller's organisation will hold records; again changes nothing.

        They go live when the patient accepts. The organisation that registered the patient needs
        neither.
        """
        caller, store = caller_of(context), Store(context.stub)
        standing = await standing_of(store, caller, check_patient(patient))
        standing.check()
        home = standing.registered().home_msp
        entry = await store.get(HolderEntry, ObjectType.HOLDER, patient, caller.msp_id)
        if entry is None:
            live = home == caller.msp_id
            status = HolderStatus.LIVE if live else HolderStatus.PENDING
            entry = HolderEntry(status=status, since=now_of(context))
            store.put(ObjectType.HOLDER, patient, caller.msp_id, entry=entry)
            log(context, store, caller, Kind.HOLDER_ANNOUNCED, patient)
        return Status(status=entry.status)

    @submit("AnswerHolder", access=PATIENTS)
    async def answer_holder(
        self,
        context: Context,
        holder_msp: str,
        answer: str,
        acting: Annotated[Acting | None, Transient()],
    ) -> Status:
        """Accept a holder, announced or not, or reject it: nothing of it is released then."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.CONSENT)
        check_msp_id(holder_msp, "holder_msp")
        require(answer in ("accept", "reject"), "answer", "accept or reject")
        status, kind = (
            (HolderStatus.LIVE, Kind.HOLDER_ACCEPTED)
            if answer == "accept"
            else (HolderStatus.REJECTED, Kind.HOLDER_REJECTED)
        )
        entry = HolderEntry(status=status, since=now_of(context))
        store.put(ObjectType.HOLDER, subject.patient, holder_msp, entry=entry)
        log(context, store, subject.caller, kind, subject.patient, ref=holder_msp)
        return Status(status=status)

    @evaluate("ListHolders", access=PATIENTS)
    async def list_holders(
        self, context: Context, acting: Annotated[Acting | None, Transient()]
    ) -> list[HolderView]:
        """List every organisation that says it holds records of the patient (R1)."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.AUDIT, erased_too=True)
        alerts: dict[str, int] = {}
        async for _, alert in store.rows(AlertEntry, ObjectType.ALERT, subject.patient):
            if alert.status == _OPEN:
                alerts[alert.holder_msp] = alerts.get(alert.holder_msp, 0) + 1
        entries = {
            parts[1]: entry
            async for parts, entry in store.rows(HolderEntry, ObjectType.HOLDER, subject.patient)
        }
        home = HolderEntry(status=HolderStatus.LIVE, since=subject.entry.registered_at)
        entries.setdefault(subject.entry.home_msp, home)
        return [
            HolderView(
                holder_msp=msp_id,
                status=entry.status,
                since=entry.since,
                open_alerts=alerts.get(msp_id, 0),
            )
            for msp_id, entry in sorted(entries.items())
        ]

    @submit("ReportTamper", access=READERS)
    async def report_tamper(
        self,
        context: Context,
        patient: str,
        holder_msp: str,
        tamper: Annotated[Tamper, Transient()],
    ) -> AlertRaised:
        """Raise an alert: what came from the holder is not what is on file (R3)."""
        caller, store = caller_of(context), Store(context.stub)
        tamper.check()
        registered(await store.patient(check_patient(patient)))
        collection = implicit_collection(check_msp_id(holder_msp, "holder_msp"))
        key = store.key(ObjectType.RECORD, patient, tamper.record_id)
        anchor = await context.stub.get_private_data_hash(collection, key)
        if anchor is None:
            raise refuse(Code.NOT_FOUND, "the holder has no record with this id", 404)
        if tamper.kind is TamperKind.RECORD and tamper.expected != anchor.hex():
            raise refuse(
                Code.CONFLICT, "the ledger has another digest of this record than `expected`", 409
            )
        id_ = context.transaction_id
        entry = AlertEntry(
            holder_msp=holder_msp, status=_OPEN, raised_at=now_of(context), msp_id=caller.msp_id
        )
        store.put(ObjectType.ALERT, patient, id_, entry=entry)
        store.put_private(ObjectType.ALERT, patient, id_, value=tamper)
        log(context, store, caller, Kind.TAMPER_REPORTED, patient)
        return AlertRaised(alert_id=id_)

    @submit("ResolveAlert", access=AUDITORS)
    async def resolve_alert(
        self, context: Context, patient: str, alert_id: str, note: Annotated[Note, Transient()]
    ) -> Status:
        """Close an alert, with what was found. The holder does not do it itself."""
        caller, store = caller_of(context), Store(context.stub)
        note.check()
        ids = check_patient(patient), check_digest(alert_id, "alert_id")
        entry = await store.get(AlertEntry, ObjectType.ALERT, *ids)
        if entry is None:
            raise refuse(Code.NOT_FOUND, "there is no alert with this id", 404)
        if entry.status != _OPEN:
            raise refuse(Code.ALREADY_DONE, "this alert is resolved already", 409)
        if entry.holder_msp == caller.msp_id:
            raise refuse(Code.NOT_AUTHORISED, "another organisation than the holder resolves it")
        resolved = AlertEntry(
            holder_msp=entry.holder_msp,
            status=_RESOLVED,
            raised_at=entry.raised_at,
            msp_id=entry.msp_id,
        )
        store.put(ObjectType.ALERT, *ids, entry=resolved)
        put_note(store, caller, patient, alert_id, Kind.ALERT_RESOLVED, note)
        log(context, store, caller, Kind.ALERT_RESOLVED, patient, ref=alert_id)
        return Status(status=_RESOLVED)
