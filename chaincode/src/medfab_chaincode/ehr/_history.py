"""Functions that show what happened: to patients with its details, to auditors without (M1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, evaluate

from ._access_model import AccessDetails, AccessEntry, AccessView, Disclosure, Verdict
from ._appointment_model import Acting, Scope
from ._caller import PATIENT, PATIENTS, REPRESENTATIVE, SKELETON, caller_of
from ._checks import check_digest, check_msp_id, check_patient, parse_time, refuse, require
from ._codes import Code, Kind, Reason
from ._consent_model import Purpose
from ._folder import open_folder, receipts_of, versions_of
from ._keys import ObjectType
from ._log import LogView, read_log
from ._purposes import PURPOSES
from ._record_model import FilingView, Labels
from ._store import Store
from ._subject import Subject, subject_of

_DISCLOSING = frozenset({Kind.ACCESS_PERMITTED, Kind.GLASS_BROKEN, Kind.SHARED_ONWARD})


@dataclass(frozen=True, kw_only=True)
class TraceRow:
    """One row of ``TraceRecord``."""

    at: int
    kind: str
    msp_id: str
    practitioner: str | None
    purpose: Purpose | None
    ref: str


class History(Contract):
    """The audit trail."""

    @evaluate("ListAccess", access=PATIENTS)
    async def list_access(
        self, context: Context, acting: Annotated[Acting | None, Transient()]
    ) -> list[AccessView]:
        """List who asked for the patient's records, when, why, and what was decided."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.AUDIT)
        rows = [
            AccessView(
                request_id=request_id,
                requester_msp=entry.requester_msp,
                practitioner=details.practitioner,
                role=details.role,
                purpose=details.request.purpose,
                categories=details.request.categories,
                resource_types=details.request.resource_types,
                decision=entry.decision,
                reason=details.reason,
                decided_at=entry.decided_at,
                expires_at=entry.expires_at,
                consents=entry.consents,
                text=details.text,
                include_part2=details.include_part2,
                shared_to=details.shared_to,
            )
            for request_id, entry, details in await store.accesses(subject.patient)
        ]
        return sorted(rows, key=lambda row: (row.decided_at, row.request_id), reverse=True)

    @evaluate("AccountDisclosures", access=PATIENTS)
    async def account_disclosures(
        self,
        context: Context,
        since: str,
        until: str,
        acting: Annotated[Acting | None, Transient()],
    ) -> list[Disclosure]:
        """List what was permitted to leave its holder in a period, oldest first.

        Those that 45 CFR 164.528 asks for are flagged; all are here. Times are milliseconds since
        1970; the row of a request is from the time of its decision.
        """
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.AUDIT)
        log = await _log(store, subject.patient, since, until)
        ids = [row.id for row in log if row.kind in _DISCLOSING]
        found = await store.get_many(
            AccessEntry, [store.key(ObjectType.ACCESS, subject.patient, id_) for id_ in ids]
        )
        details = await store.access_details(subject.patient, ids)
        return [
            Disclosure(
                request_id=id_,
                at=entry.decided_at,
                recipient_msp=(each.shared_to and each.shared_to.msp_id) or entry.requester_msp,
                practitioner=(each.shared_to and each.shared_to.practitioner) or each.practitioner,
                role=each.role,
                purpose=each.request.purpose,
                categories=each.request.categories,
                resource_types=each.request.resource_types,
                decision=entry.decision,
                reason=each.reason,
                basis=each.request.basis,
                accountable=PURPOSES[each.request.purpose].accountable,
            )
            for id_, entry, each in zip(ids, found, details, strict=True)
            if entry is not None
        ]

    @evaluate("ReadLog", access=SKELETON)
    async def read_log(
        self,
        context: Context,
        patient: str,
        since: str,
        until: str,
        acting: Annotated[Acting | None, Transient()],
    ) -> list[LogView]:
        """Show what kinds of thing happened about a patient, and who did them, oldest first.

        Patients see their own, after their erasure, too; auditors see everybody's.
        """
        store = Store(context.stub)
        check_patient(patient)
        if caller_of(context).role in (PATIENT, REPRESENTATIVE):
            subject = await subject_of(context, store, acting, Scope.AUDIT, erased_too=True)
            if subject.patient != patient:
                raise refuse(Code.NOT_AUTHORISED, "this is another patient's log")
        return await _log(store, patient, since, until)

    @evaluate("ListFilings", access=PATIENTS)
    async def list_filings(
        self, context: Context, holder_msp: str, acting: Annotated[Acting | None, Transient()]
    ) -> list[FilingView]:
        """List what a holder filed, amended and withdrew, oldest first; evaluate it there."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.AUDIT)
        await open_folder(context.stub, check_msp_id(holder_msp, "holder_msp"), subject.patient)
        rows = [
            FilingView(
                filing_id=id_,
                kind=receipt.kind,
                practitioner=receipt.practitioner,
                at=receipt.filed_at,
                filed=receipt.filed,
                unchanged=receipt.unchanged,
                records=receipt.records,
            )
            async for id_, receipt in receipts_of(context.stub, holder_msp, subject.patient)
        ]
        return sorted(rows, key=lambda row: (row.at, row.filing_id))

    @evaluate("TraceRecord", access=PATIENTS)
    async def trace_record(
        self,
        context: Context,
        holder_msp: str,
        record_id: str,
        acting: Annotated[Acting | None, Transient()],
    ) -> list[TraceRow]:
        """Show all that happened to one record, oldest first; evaluate it at its holder (M1).

        Of requests: those that asked for what this record is, by its labels in any version.
        """
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.AUDIT)
        check_msp_id(holder_msp, "holder_msp")
        check_digest(record_id, "record_id")
        await open_folder(context.stub, holder_msp, subject.patient)
        versions = await versions_of(context.stub, holder_msp, subject.patient, record_id)
        if not versions:
            raise refuse(Code.NOT_FOUND, "the holder has no record with this id", 404)
        rows = [
            TraceRow(
                at=receipt.filed_at,
                kind=receipt.kind,
                msp_id=holder_msp,
                practitioner=receipt.practitioner,
                purpose=None,
                ref=id_,
            )
            async for id_, receipt in receipts_of(context.stub, holder_msp, subject.patient)
            if any(record.id == record_id for record in receipt.records)
        ]
        rows += await _requests_for(store, subject, [record.labels for record in versions])
        return sorted(rows, key=lambda row: (row.at, row.ref))


async def _requests_for(store: Store, subject: Subject, labels: Iterable[Labels]) -> list[TraceRow]:
    labels = list(labels)
    return [
        TraceRow(
            at=entry.decided_at,
            kind=_kind(entry, details),
            msp_id=entry.requester_msp,
            practitioner=details.practitioner,
            purpose=details.request.purpose,
            ref=request_id,
        )
        for request_id, entry, details in await store.accesses(subject.patient)
        if any(details.request.covers(each) for each in labels)
    ]


def _kind(entry: AccessEntry, details: AccessDetails) -> Kind:
    if entry.decision is Verdict.DENY:
        return Kind.ACCESS_DENIED
    if details.shared_to is not None:
        return Kind.SHARED_ONWARD
    return Kind.GLASS_BROKEN if entry.reason is Reason.BREAK_GLASS else Kind.ACCESS_PERMITTED


async def _log(store: Store, patient: str, since: str, until: str) -> list[LogView]:
    first, last = parse_time(since, "since"), parse_time(until, "until")
    require(first < last, "until", "a time after since")
    return await read_log(store, patient, first, last)
