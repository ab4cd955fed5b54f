"""Functions that erase a patient: purge at each holder, then at the custodians; E1.

What stays is the skeleton: pseudonym, who asked when, how it was decided.
"""

import hashlib
from dataclasses import replace
from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, canonical_json, evaluate, submit

from ._access_model import AccessEntry
from ._appointment_model import Acting, AppointmentEntry, Scope, Status
from ._caller import (
    ANYBODY,
    PATIENT,
    PATIENTS,
    PRACTITIONERS,
    REPRESENTATIVE,
    SKELETON,
    Caller,
    caller_of,
)
from ._checks import check_digest, check_list, check_patient, check_salt, refuse, require
from ._codes import Code, FilingKind, Kind
from ._consent_model import ConsentEntry
from ._erasure_model import (
    Destroyed,
    Erasable,
    ErasedHolder,
    ErasedPortion,
    ErasureCertificate,
    ErasureEntry,
    ErasureRequested,
    Progress,
    Purged,
)
from ._folder import put_receipt, receipts_of, records_of
from ._holders import AlertEntry, HolderEntry, HolderStatus
from ._holds import check_no_hold
from ._keys import CONSENTS_COLLECTION, ObjectType, implicit_collection, number_part
from ._log import LogRow, log, now_of
from ._record_model import RecordVersion
from ._recovery import ApprovalEntry
from ._store import ACTIVE, ERASED, ERASING, PatientEntry, Store
from ._subject import subject_of

MAX_PURGED = 500
"""Private keys that one transaction purges."""


class Erasure(Contract):
    """The patient's wish to be forgotten, and its proof."""

    @submit("RequestErasure", access=PATIENTS)
    async def request_erasure(
        self, context: Context, acting: Annotated[Acting | None, Transient()]
    ) -> ErasureRequested:
        """Begin the erasure: from now on nothing is permitted, filed or granted."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.ERASE)
        await check_no_hold(store, subject.patient)
        id_ = context.transaction_id
        entry = ErasureEntry(erasure_id=id_, status=ERASING, requested_at=now_of(context))
        store.put(ObjectType.ERASURE, subject.patient, entry=entry)
        store.put(ObjectType.PATIENT, subject.patient, entry=replace(subject.entry, status=ERASING))
        log(context, store, subject.caller, Kind.ERASURE_REQUESTED, subject.patient)
        return ErasureRequested(erasure_id=id_)

    @evaluate("ListErasable", access=PRACTITIONERS)
    async def list_erasable(self, context: Context, patient: str) -> Erasable:
        """List what the caller's organisation still holds; evaluate it there."""
        caller, stub = caller_of(context), context.stub
        await _erasing(Store(stub), check_patient(patient))
        collection = implicit_collection(caller.msp_id)
        wraps = [
            stub.split_composite_key(item.key)[1][1]
            async for item in stub.get_private_data_by_partial_composite_key(
                collection, ObjectType.WRAP, [patient]
            )
        ]
        return Erasable(
            records=tuple(
                [
                    RecordVersion(id=id_, version=record.version)
                    async for id_, record, _ in records_of(stub, caller.msp_id, patient)
                ]
            ),
            wraps=tuple(wraps),
            filings=tuple(
                [
                    id_
                    async for id_, receipt in receipts_of(stub, caller.msp_id, patient)
                    if receipt.kind is not FilingKind.ERASED
                ]
            ),
        )

    @submit("EraseRecords", access=PRACTITIONERS)
    async def erase_records(
        self, context: Context, patient: str, records: Annotated[ErasedPortion, Transient()]
    ) -> Purged:
        """Purge a portion of what the caller's organisation holds, history included.

        Endorsed by that organisation alone. A private range is forbidden beside writes, so the
        ids come from ``ListErasable``.
        """
        caller, stub = caller_of(context), context.stub
        keys = _portion_keys(records)
        store = Store(stub)
        await _erasing(store, check_patient(patient))
        await check_no_hold(store, patient)
        if records.last:
            keys += [(ObjectType.FOLDER, ()), (ObjectType.DATA_KEY, ())]
        collection = implicit_collection(caller.msp_id)
        for object_type, parts in keys:
            key = stub.create_composite_key(object_type, [patient, *parts])
            stub.purge_private_data(collection, key)
        put_receipt(context, caller, patient, FilingKind.ERASED, salt=records.salt)
        return Purged(purged=len(keys))

    @submit("ConfirmErasure", access=PRACTITIONERS)
    async def confirm_erasure(
        self, context: Context, patient: str, destroyed: Annotated[Destroyed, Transient()]
    ) -> Status:
        """State that the caller's organisation holds nothing any more.

        Every endorser sees for itself that the folder's hash is gone; what was off the chain is
        the holder's word, under its signature.
        """
        caller, store = caller_of(context), Store(context.stub)
        check_salt(destroyed.salt, "destroyed.salt")
        require(destroyed.documents >= 0, "destroyed.documents", "a count")
        if destroyed.digest is not None:
            check_digest(destroyed.digest, "destroyed.digest")
        await _erasing(store, check_patient(patient))
        await _check_gone(store, caller.msp_id, patient)
        entry = HolderEntry(
            status=HolderStatus.ERASED,
            since=now_of(context),
            documents=destroyed.documents,
            digest=destroyed.digest,
        )
        store.put(ObjectType.HOLDER, patient, caller.msp_id, entry=entry)
        log(context, store, caller, Kind.HOLDER_ERASED, patient)
        return Status(status=HolderStatus.ERASED)

    @submit("CompleteErasure", access=SKELETON)
    async def complete_erasure(
        self, context: Context, patient: str, acting: Annotated[Acting | None, Transient()]
    ) -> Progress:
        """Purge what the custodians keep, a portion a call; the last call makes the certificate.

        Refused while a holder's folder is there.
        """
        store = Store(context.stub)
        caller = await _completer(context, store, patient, acting)
        entry, erasure = await _erasing(store, patient)
        await check_no_hold(store, patient)
        holders = [
            parts[1] async for parts, _ in store.rows(HolderEntry, ObjectType.HOLDER, patient)
        ]
        for msp_id in sorted({entry.home_msp, *holders}):
            await _check_gone(store, msp_id, patient)
        left = [key for key in await _custodians_keys(store, patient) if key > erasure.cursor]
        for key in left[:MAX_PURGED]:
            context.stub.purge_private_data(CONSENTS_COLLECTION, key)
        if len(left) > MAX_PURGED:
            moved = replace(erasure, cursor=left[MAX_PURGED - 1])
            store.put(ObjectType.ERASURE, patient, entry=moved)
            return Progress(status=ERASING, remaining=len(left) - MAX_PURGED)
        rows, digest = await _log_digest(store, patient)
        certified = replace(
            erasure,
            status=ERASED,
            completed_at=now_of(context),
            cursor="",
            log_rows=rows,
            log_digest=digest,
        )
        store.put(ObjectType.ERASURE, patient, entry=certified)
        store.put(ObjectType.PATIENT, patient, entry=replace(entry, status=ERASED))
        kind = Kind.ERASURE_COMPLETED
        log(context, store, caller, kind, patient, ref=erasure.erasure_id, erased=True)
        return Progress(status=ERASED, remaining=0)

    @evaluate("ReadErasure", access=ANYBODY)
    async def read_erasure(self, context: Context, patient: str) -> ErasureCertificate:
        """Show how far an erasure is, or its certificate, and whether the log still fits it."""
        store = Store(context.stub)
        erasure = await store.get(ErasureEntry, ObjectType.ERASURE, check_patient(patient))
        if erasure is None:
            raise refuse(Code.NOT_FOUND, "nobody has asked for this patient's erasure", 404)
        rows, digest = await _log_digest(store, patient)
        return ErasureCertificate(
            erasure_id=erasure.erasure_id,
            patient=patient,
            status=erasure.status,
            requested_at=erasure.requested_at,
            completed_at=erasure.completed_at,
            holders=tuple(
                [
                    ErasedHolder(
                        holder_msp=parts[1],
                        status=holder.status,
                        erased_at=holder.since,
                        documents=holder.documents,
                        digest=holder.digest,
                    )
                    async for parts, holder in store.rows(HolderEntry, ObjectType.HOLDER, patient)
                ]
            ),
            log_rows=erasure.log_rows,
            log_digest=erasure.log_digest,
            verified=(rows, digest) == (erasure.log_rows, erasure.log_digest),
        )


def _portion_keys(portion: ErasedPortion) -> list[tuple[ObjectType, tuple[str, ...]]]:
    field = "records"
    check_salt(portion.salt, f"{field}.salt")
    for name in ("records", "wraps", "filings"):
        check_list(getattr(portion, name), f"{field}.{name}", most=MAX_PURGED)
    keys: list[tuple[ObjectType, tuple[str, ...]]] = []
    for record in portion.records:
        check_digest(record.id, f"{field}.records")
        require(0 < record.version <= MAX_PURGED, f"{field}.records", f"1 to {MAX_PURGED} versions")
        keys.append((ObjectType.RECORD, (record.id,)))
        keys += [
            (ObjectType.RECORD_VERSION, (record.id, number_part(version)))
            for version in range(1, record.version)
        ]
    keys += [(ObjectType.WRAP, (check_digest(each, field),)) for each in portion.wraps]
    keys += [(ObjectType.FILING, (check_digest(each, field),)) for each in portion.filings]
    require(len(keys) <= MAX_PURGED, field, f"at most {MAX_PURGED} keys, earlier versions counted")
    return keys


async def _erasing(store: Store, patient: str) -> tuple[PatientEntry, ErasureEntry]:
    entry = await store.patient(patient)
    erasure = await store.get(ErasureEntry, ObjectType.ERASURE, patient)
    if entry is None or entry.status == ACTIVE or erasure is None:
        raise refuse(Code.NOT_FOUND, "nobody has asked for this patient's erasure", 404)
    if entry.status == ERASED:
        raise refuse(Code.ALREADY_DONE, "this patient's erasure is complete", 409)
    return entry, erasure


async def _check_gone(store: Store, msp_id: str, patient: str) -> None:
    key = store.key(ObjectType.FOLDER, patient)
    if await store.stub.get_private_data_hash(implicit_collection(msp_id), key) is not None:
        raise refuse(
            Code.NOT_ERASED,
            f"{msp_id} still holds records: it calls EraseRecords until nothing is left",
            409,
        )


async def _completer(context: Context, store: Store, patient: str, acting: Acting | None) -> Caller:
    caller = caller_of(context)
    check_patient(patient)
    if caller.role in (PATIENT, REPRESENTATIVE):
        subject = await subject_of(context, store, acting, Scope.ERASE, erased_too=True)
        if subject.patient != patient:
            raise refuse(Code.NOT_AUTHORISED, "this is another patient")
    return caller


async def _custodians_keys(store: Store, patient: str) -> list[str]:
    """Every private key about the patient in ``consents``, told from the public ones; in order."""
    keys = [store.key(ObjectType.SHARE, patient)]
    for object_type in (ObjectType.CONSENT, ObjectType.CONSENT_ENDED):
        async for parts, consent in store.rows(ConsentEntry, object_type, patient):
            keys.append(store.key(ObjectType.CONSENT, *parts))
            keys += [
                store.key(ObjectType.CONSENT_VERSION, *parts, number_part(version))
                for version in range(1, consent.version)
            ]
    async for parts, _ in store.rows(AccessEntry, ObjectType.ACCESS, patient):
        keys.append(store.key(ObjectType.ACCESS, *parts))
    async for parts, _ in store.rows(AppointmentEntry, ObjectType.APPOINTMENT, patient):
        keys.append(store.key(ObjectType.APPOINTMENT, *parts))
    async for parts, _ in store.rows(AlertEntry, ObjectType.ALERT, patient):
        keys.append(store.key(ObjectType.ALERT, *parts))
    async for parts, _ in store.rows(ApprovalEntry, ObjectType.RECOVERY_APPROVAL, patient):
        keys.append(store.key(ObjectType.RECOVERY_APPROVAL, *parts))
    async for _, row in store.rows(LogRow, ObjectType.LOG, patient):
        if row.kind in _WITH_NOTES:
            keys.append(store.key(ObjectType.NOTE, patient, row.ref, row.kind))
        elif row.kind is Kind.RECOVERY_REQUESTED:
            keys.append(store.key(ObjectType.RECOVERY, patient, row.ref))
    return sorted(set(keys))


_WITH_NOTES = frozenset(
    {Kind.ALERT_RESOLVED, Kind.REVIEW_CLOSED, Kind.HOLD_PLACED, Kind.HOLD_RELEASED}
)


async def _log_digest(store: Store, patient: str) -> tuple[int, str]:
    digest, rows = hashlib.sha256(), 0
    async for parts, row in store.rows(LogRow, ObjectType.LOG, patient):
        digest.update(canonical_json([parts, row]))
        rows += 1
    return rows, digest.hexdigest()
