"""Functions about the review that every broken glass needs (C7)."""

from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, canonical_json, evaluate, submit

from ._access_model import AccessEntry
from ._appointment_model import Status
from ._caller import ANYBODY, AUDITORS, caller_of
from ._checks import check_digest, check_patient, refuse
from ._codes import Code, Kind
from ._keys import ObjectType, time_part
from ._log import Note, log, now_of, put_note, write_row
from ._store import ACTIVE, ERASED, Store

REVIEW_MILLISECONDS = 72 * 3_600_000
"""Within which a broken glass is reviewed."""

_MOST = 100  # escalated by one transaction


class ReviewStatus(StrEnum):
    """An overdue review is escalated by the next transaction that looks for it."""

    OPEN = "open"
    ESCALATED = "escalated"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class ReviewEntry:
    """Public, by due time: a broken glass that nobody has looked at yet."""

    requester_msp: str
    opened_at: int


_STATUS = {
    ObjectType.REVIEW_ESCALATED: ReviewStatus.ESCALATED,
    ObjectType.REVIEW: ReviewStatus.OPEN,
}


@dataclass(frozen=True, kw_only=True)
class ReviewView:
    """One row of ``ListReviews``."""

    patient: str
    review_id: str
    requester_msp: str
    practitioner: str
    reason: str
    include_part2: bool
    opened_at: int
    due_at: int
    status: ReviewStatus


@dataclass(frozen=True, kw_only=True)
class Escalated:
    """Answer of ``EscalateReviews``."""

    escalated: int


def open_review(store: Store, patient: str, request_id: str, requester_msp: str, now: int) -> None:
    """Open the review of a glass that is being broken."""
    due = time_part(now + REVIEW_MILLISECONDS)
    entry = ReviewEntry(requester_msp=requester_msp, opened_at=now)
    store.put(ObjectType.REVIEW, due, patient, request_id, entry=entry)


class Reviews(Contract):
    """Broken glasses are looked at by somebody else."""

    @submit("CloseReview", access=AUDITORS)
    async def close_review(
        self, context: Context, patient: str, review_id: str, note: Annotated[Note, Transient()]
    ) -> Status:
        """Close a review with what was found; another organisation's than the breaker's does it."""
        caller, store = caller_of(context), Store(context.stub)
        note.check()
        check_patient(patient)
        check_digest(review_id, "review_id")
        access = await store.get(AccessEntry, ObjectType.ACCESS, patient, review_id)
        due = time_part((access.decided_at if access else 0) + REVIEW_MILLISECONDS)
        for object_type in (ObjectType.REVIEW, ObjectType.REVIEW_ESCALATED):
            entry = await store.get(ReviewEntry, object_type, due, patient, review_id)
            if entry is not None:
                break
        else:
            raise refuse(Code.NOT_FOUND, "there is no open review with this id", 404)
        if entry.requester_msp == caller.msp_id:
            raise refuse(
                Code.NOT_AUTHORISED,
                "another organisation than the one that broke the glass does it",
            )
        store.delete(object_type, due, patient, review_id)
        forgotten, erased = await _forgotten(store, patient)
        if not forgotten:
            put_note(store, caller, patient, review_id, Kind.REVIEW_CLOSED, note)
        log(context, store, caller, Kind.REVIEW_CLOSED, patient, ref=review_id, erased=erased)
        return Status(status=ReviewStatus.CLOSED)

    @submit("EscalateReviews", access=ANYBODY)
    async def escalate_reviews(self, context: Context) -> Escalated:
        """Escalate what is overdue at this transaction's time, a hundred reviews at most."""
        caller, store, now = caller_of(context), Store(context.stub), now_of(context)
        rows: list[dict[str, object]] = []
        async with aclosing(store.rows(ReviewEntry, ObjectType.REVIEW)) as reviews:
            async for parts, entry in reviews:
                if int(parts[0]) > now or len(rows) == _MOST:
                    break
                store.delete(ObjectType.REVIEW, *parts)
                store.put(ObjectType.REVIEW_ESCALATED, *parts, entry=entry)
                _, erased = await _forgotten(store, parts[1])
                kind = Kind.REVIEW_ESCALATED
                rows.append(
                    write_row(context, store, caller, kind, parts[1], ref=parts[2], erased=erased)
                )
        if rows:
            event = {"kind": Kind.REVIEW_ESCALATED, "rows": rows}
            context.stub.set_event(Kind.REVIEW_ESCALATED, canonical_json(event))
        return Escalated(escalated=len(rows))

    @evaluate("ListReviews", access=AUDITORS)
    async def list_reviews(self, context: Context) -> list[ReviewView]:
        """List the escalated reviews, then the open ones, each by the time they are due."""
        store = Store(context.stub)
        found = [
            (status, parts, entry)
            for object_type, status in _STATUS.items()
            async for parts, entry in store.rows(ReviewEntry, object_type)
        ]
        views = []
        for status, (due, patient, review_id), entry in found:
            if (await _forgotten(store, patient))[0]:
                continue  # what is left to review has been purged
            (details,) = await store.access_details(patient, [review_id])
            views.append(
                ReviewView(
                    patient=patient,
                    review_id=review_id,
                    requester_msp=entry.requester_msp,
                    practitioner=details.practitioner,
                    reason=details.text or "",
                    include_part2=details.include_part2,
                    opened_at=entry.opened_at,
                    due_at=int(due),
                    status=status,
                )
            )
        return views


async def _forgotten(store: Store, patient: str) -> tuple[bool, bool]:
    """Has the patient's erasure begun, and is it complete?"""
    entry = await store.patient(patient)
    return (
        entry is not None and entry.status != ACTIVE,
        entry is not None and entry.status == ERASED,
    )
