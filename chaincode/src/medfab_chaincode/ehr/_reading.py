"""Functions that release records; evaluated at the holder: nothing gets into a block (C8, C9)."""

from collections import Counter
from typing import Annotated

from medfab_chaincode import Context, Contract, ContractError, Transient, evaluate

from ._access_model import AccessEntry, Explanation, Verdict
from ._appointment_model import Acting, Scope
from ._caller import PATIENTS, READERS
from ._checks import check_digest, check_msp_id, refuse
from ._codes import Code
from ._consent_model import ConsentVersion, Purpose
from ._data_keys import wrap_of
from ._decision import Judgement, Release
from ._folder import Folder, open_folder, records_of, versions_of
from ._holders import HolderEntry, HolderStatus
from ._keys import ObjectType
from ._log import now_of
from ._permit import Permit, permit_of
from ._purposes import NO_REDISCLOSURE, PURPOSES
from ._record_model import Labels, RecordStatus
from ._release_model import PermittedBy, RecordHistoryView, Released, ReleasedRecord, Withheld
from ._rules import Requester, is_part_2
from ._store import Store
from ._subject import subject_of

MAX_RELEASED_BYTES = 96 * 1024 * 1024
"""Of all records in one answer, as they are stored: an answer is one message, too."""


class Reading(Contract):
    """What a committed permit lets out."""

    @evaluate("ReadRecords", access=READERS)
    async def read_records(
        self, context: Context, patient: str, request_id: str, holder_msp: str
    ) -> Released:
        """Release what the caller's committed permit and the present consents both allow.

        Evaluate it at a peer of ``holder_msp``: the records are nowhere else.
        """
        store = Store(context.stub)
        permit = await permit_of(context, store, patient, request_id, holder_msp)
        await _check_live(store, permit, patient, holder_msp)
        records, size = [], 0
        tally = _Tally()
        async for id_, record, length in records_of(context.stub, holder_msp, patient):
            judgement = permit.release.judge(record.labels, record.status)
            tally.count(judgement, record.labels)
            if judgement.withheld is not None:
                continue
            size += length
            if size > MAX_RELEASED_BYTES:
                raise ContractError(
                    f"what the permit covers is more than the {MAX_RELEASED_BYTES} bytes that one "
                    "answer can hold: request access to fewer categories or resource types",
                    code=Code.TOO_LARGE,
                    status=413,
                )
            records.append(
                ReleasedRecord(
                    id=id_, version=record.version, resource=record.resource, seal=record.seal
                )
            )
        return Released(
            holder=holder_msp,
            records=tuple(records),
            withheld=tally.withheld.total(),
            withheld_by=_reasons(tally.withheld),
            permitted_by=_permitted(tally.permitted),
            obligations=_obligations(permit, tally),
            wrap=await wrap_of(context.stub, holder_msp, patient, request_id),
        )

    @evaluate("ReadRecordHistory", access=READERS)
    async def read_record_history(
        self, context: Context, patient: str, request_id: str, holder_msp: str, record_id: str
    ) -> list[RecordHistoryView]:
        """Show the versions of one record that the permit lets out, oldest first.

        Of a record that was entered in error, too: who has read it before must see that it was.
        """
        store = Store(context.stub)
        permit = await permit_of(context, store, patient, request_id, holder_msp)
        await _check_live(store, permit, patient, holder_msp)
        versions = await versions_of(
            context.stub, holder_msp, patient, check_digest(record_id, "record_id")
        )
        shown = [
            RecordHistoryView(
                version=record.version,
                status=RecordStatus.SUPERSEDED if record.version < len(versions) else record.status,
                resource=record.resource,
                seal=record.seal,
                reason=record.reason,
                filed_by=record.filed_by,
                filed_at=record.filed_at,
            )
            for record in versions
            if permit.release.judge(record.labels, RecordStatus.CURRENT).withheld is None
        ]
        if not shown:
            raise refuse(Code.NOT_FOUND, "the permit lets out no record with this id", 404)
        return shown

    @evaluate("ExplainAccess", access=PATIENTS)
    async def explain_access(
        self,
        context: Context,
        request_id: str,
        holder_msp: str,
        acting: Annotated[Acting | None, Transient()],
    ) -> Explanation:
        """Tell the patient what a decision rests on, and what it lets out and keeps now, and why.

        Evaluate it at a peer of ``holder_msp``.
        """
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.AUDIT)
        check_digest(request_id, "request_id")
        check_msp_id(holder_msp, "holder_msp")
        entry = await store.get(AccessEntry, ObjectType.ACCESS, subject.patient, request_id)
        if entry is None:
            raise refuse(Code.NOT_FOUND, "there is no request with this id", 404)
        (details,) = await store.access_details(subject.patient, [request_id])
        tally = _Tally()
        await open_folder(context.stub, holder_msp, subject.patient)
        if entry.decision is Verdict.PERMIT:
            release = Release(
                request=details.request,
                requester=Requester(
                    msp_id=entry.requester_msp,
                    practitioner=details.practitioner,
                    role=details.role,
                    functions=frozenset(details.functions),
                ),
                consents=await store.consents(subject.patient),
                pinned=frozenset(entry.consents),
                now=now_of(context),
                include_part2=details.include_part2,
                excluded_labels=frozenset(details.excluded_labels),
            )
            async for _, record, _ in records_of(context.stub, holder_msp, subject.patient):
                tally.count(release.judge(record.labels, record.status), record.labels)
        return Explanation(
            decision=entry.decision,
            reason=details.reason,
            consents=entry.consents,
            permitted_by=_permitted(tally.permitted),
            withheld_by=_reasons(tally.exactly),
        )


class _Tally:
    """Counts of one read."""

    def __init__(self) -> None:
        self.withheld: Counter[str] = Counter()
        self.exactly: Counter[str] = Counter()
        self.permitted: Counter[ConsentVersion] = Counter()
        self.redisclosure = True
        self.part_2 = False

    def count(self, judgement: Judgement, labels: Labels) -> None:
        if judgement.withheld is not None:
            self.withheld[judgement.withheld] += 1
            self.exactly[judgement.exactly or judgement.withheld] += 1
            return
        self.part_2 = self.part_2 or is_part_2(labels)
        if judgement.permitted_by is not None:
            self.permitted[judgement.permitted_by.at_version] += 1
            self.redisclosure = self.redisclosure and judgement.permitted_by.terms.redisclosure
        else:
            self.redisclosure = False


def _reasons(counts: Counter[str]) -> tuple[Withheld, ...]:
    return tuple(Withheld(reason=reason, records=counts[reason]) for reason in sorted(counts))


def _permitted(counts: Counter[ConsentVersion]) -> tuple[PermittedBy, ...]:
    return tuple(
        PermittedBy.of(consent, counts[consent])
        for consent in sorted(counts, key=lambda each: each.consent_id)
    )


def _obligations(permit: Permit, tally: _Tally) -> tuple[str, ...]:
    purpose = permit.details.request.purpose
    obligations = {*PURPOSES[purpose].obligations}
    # What patients do with their own records is theirs to decide.
    if purpose is not Purpose.PATIENT_REQUEST and (tally.part_2 or not tally.redisclosure):
        obligations.add(NO_REDISCLOSURE)
    return tuple(sorted(obligations))


async def _check_live(store: Store, permit: Permit, patient: str, holder_msp: str) -> None:
    """Release nothing of a holder whom the patient has not accepted (R2).

    A broken glass opens what is still pending: a patient in danger has no time to accept.
    """
    folder = await open_folder(store.stub, holder_msp, patient)
    entry = await store.get(HolderEntry, ObjectType.HOLDER, patient, holder_msp)
    status = await _status(store, folder, entry, patient, holder_msp)
    emergency = permit.details.request.purpose is Purpose.BREAK_GLASS
    if status is HolderStatus.PENDING and emergency:
        return
    if status is not HolderStatus.LIVE:
        raise refuse(
            Code.NOT_ACCEPTED,
            f"the patient has not accepted {holder_msp} as a holder of records",
        )


async def _status(
    store: Store, folder: Folder, entry: HolderEntry | None, patient: str, holder_msp: str
) -> HolderStatus:
    if entry is not None:
        return entry.status
    registration = await store.patient(patient)
    home = registration is not None and registration.home_msp == holder_msp
    # Opened under the first slice, which knew no acceptance.
    return HolderStatus.LIVE if home or not folder.announced else HolderStatus.PENDING
