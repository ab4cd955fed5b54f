"""Functions about violations: a report suspends at once, two others reinstate (M2)."""

from dataclasses import dataclass, replace
from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, canonical_json, evaluate, submit

from ._caller import AUDITORS, OVERSEERS, Caller, caller_of
from ._checks import (
    check_digest,
    check_msp_id,
    check_patient,
    check_person,
    check_salt,
    check_text,
    refuse,
)
from ._codes import Code
from ._keys import ObjectType
from ._log import now_of
from ._standing import ORGANISATION, SanctionEntry, subject_digest
from ._store import Store

_SUSPENDED, _REINSTATED = "suspended", "reinstated"
_PARTIES = 2


@dataclass(frozen=True, kw_only=True)
class Violation:
    """Transient ``violation``: what happened, and who did it."""

    person: str | None = None
    """Id of the practitioner; None: the whole organisation."""
    patient: str | None = None
    request_id: str | None = None
    text: str
    salt: str

    def check(self) -> None:
        """Refuse a malformed report, or one that says nothing."""
        if self.person is not None:
            check_person(self.person, "violation.person")
        if self.patient is not None:
            check_patient(self.patient, "violation.patient")
        if self.request_id is not None:
            check_digest(self.request_id, "violation.request_id")
        check_text(self.text, "violation.text", least=10)
        check_salt(self.salt, "violation.salt")


@dataclass(frozen=True, kw_only=True)
class CaseEntry:
    """Public: a suspension, and who is for ending it."""

    offender_msp: str
    subject: str
    """Digest of the person, or ``organisation``."""
    reporter_msp: str
    status: str
    since: int
    approvals: tuple[str, ...] = ()
    """Organisations, by MSP id."""


@dataclass(frozen=True, kw_only=True)
class CaseOpened:
    """Answer of ``ReportViolation``."""

    case_id: str


@dataclass(frozen=True, kw_only=True)
class CaseStatus:
    """Answer of ``ApproveReinstatement``."""

    status: str
    approvals: int


@dataclass(frozen=True, kw_only=True)
class SanctionView:
    """One row of ``ListSanctions``."""

    case_id: str
    offender_msp: str
    person: str | None
    status: str
    since: int


class Violations(Contract):
    """Who broke the rules is out until two other organisations let them in again."""

    @submit("ReportViolation", access=AUDITORS)
    async def report_violation(
        self, context: Context, offender_msp: str, violation: Annotated[Violation, Transient()]
    ) -> CaseOpened:
        """Suspend a person, or an organisation, in this very transaction."""
        caller, store = caller_of(context), Store(context.stub)
        check_msp_id(offender_msp, "offender_msp")
        violation.check()
        subject = ORGANISATION
        if violation.person is not None:
            subject = subject_digest(offender_msp, violation.person)
        if await store.get(SanctionEntry, ObjectType.SANCTION, offender_msp, subject) is not None:
            raise refuse(Code.ALREADY_DONE, "suspended already, by another report", 409)
        case_id, now = context.transaction_id, now_of(context)
        sanction = SanctionEntry(case_id=case_id, since=now)
        store.put(ObjectType.SANCTION, offender_msp, subject, entry=sanction)
        case = CaseEntry(
            offender_msp=offender_msp,
            subject=subject,
            reporter_msp=caller.msp_id,
            status=_SUSPENDED,
            since=now,
        )
        store.put(ObjectType.CASE, case_id, entry=case)
        store.put_private(ObjectType.CASE, case_id, value=violation)
        _tell(context, _SUSPENDED, case_id)
        return CaseOpened(case_id=case_id)

    @submit("ApproveReinstatement", access=AUDITORS)
    async def approve_reinstatement(self, context: Context, case_id: str) -> CaseStatus:
        """Be one of the two organisations that end a suspension; the offender's is none of them."""
        caller, store = caller_of(context), Store(context.stub)
        case = await store.get(CaseEntry, ObjectType.CASE, check_digest(case_id, "case_id"))
        if case is None:
            raise refuse(Code.NOT_FOUND, "there is no case with this id", 404)
        _check_may_approve(case, caller)
        approvals = (*case.approvals, caller.msp_id)
        ended = len(approvals) == _PARTIES
        case = replace(case, approvals=approvals, status=_REINSTATED if ended else _SUSPENDED)
        store.put(ObjectType.CASE, case_id, entry=case)
        if ended:
            store.delete(ObjectType.SANCTION, case.offender_msp, case.subject)
            _tell(context, _REINSTATED, case_id)
        return CaseStatus(status=case.status, approvals=len(approvals))

    @evaluate("ListSanctions", access=OVERSEERS)
    async def list_sanctions(self, context: Context) -> list[SanctionView]:
        """List every case, ended ones included, newest first."""
        store = Store(context.stub)
        cases = [(parts[0], case) async for parts, case in store.rows(CaseEntry, ObjectType.CASE)]
        keys = [store.key(ObjectType.CASE, case_id) for case_id, _ in cases]
        reports = await store.private_many(Violation, keys)
        rows = [
            SanctionView(
                case_id=case_id,
                offender_msp=case.offender_msp,
                person=report.person,
                status=case.status,
                since=case.since,
            )
            for (case_id, case), report in zip(cases, reports, strict=True)
        ]
        return sorted(rows, key=lambda row: (row.since, row.case_id), reverse=True)


def _check_may_approve(case: CaseEntry, caller: Caller) -> None:
    if case.status != _SUSPENDED:
        raise refuse(Code.ALREADY_DONE, "this case is closed", 409)
    if caller.msp_id == case.offender_msp:
        raise refuse(Code.NOT_AUTHORISED, "the offender's own organisation has no say in it")
    if caller.msp_id in case.approvals:
        raise refuse(Code.ALREADY_DONE, "your organisation has approved already", 409)


def _tell(context: Context, status: str, case_id: str) -> None:
    event = {"kind": status, "patient": None, "id": case_id, "at": now_of(context)}
    context.stub.set_event(status, canonical_json(event))
