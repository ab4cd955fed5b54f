# Made by scripts/make_sync.py from _auditor_async.py: change that, and run it.
"""The client of auditors and privacy officers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from medfab_gateway._contract import Contract
from medfab_gateway.ehr import _answers, _wire
from medfab_gateway.ehr._ehr import Ehr
from medfab_gateway.ehr._fhir_time import between
from medfab_gateway.ehr._types import Erasure, LogRow, Review, Sanction


class Auditor:
    """Sees the skeleton of what happened, never contents; reviews, holds, suspends.

    ::

        auditor = Auditor(contract)
        for row in auditor.log(patient):
            print(row.at, row.kind, row.msp_id)
        for review in auditor.reviews():
            auditor.close_review(review.patient, review.review_id, text="justified")

    ``contract``: the contract ``ehr`` on a gateway of an auditor or privacy officer.
    ``custodians``: as of :class:`Patient`.
    """

    def __init__(self, contract: Contract, *, custodians: Sequence[str] | None = None) -> None:
        self._ehr = Ehr(contract, custodians=custodians)

    def log(
        self, patient: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[LogRow, ...]:
        """Every event about a patient: who, when, of which kind; never which portions or why."""
        return self._ehr.rows(LogRow, "ReadLog", patient, *between(since, until))

    def reviews(self) -> tuple[Review, ...]:
        """Broken glasses that nobody has looked at yet, oldest due first.

        What is overdue is escalated first: the contract has no clock of its own.
        """
        self.escalate_reviews()
        return self._ehr.rows(Review, "ListReviews")

    def close_review(self, patient: str, review_id: str, *, text: str) -> None:
        """Say that a break-glass was looked at, and with what result."""
        self._ehr.submit(
            "CloseReview", patient, review_id, transient={"note": _wire.transient(text=text)}
        )

    def escalate_reviews(self) -> int:
        """Escalate what is overdue; returns how many that were."""
        return _answers.count(self._ehr.submit("EscalateReviews"), "escalated")

    def report_violation(
        self,
        offender_msp: str,
        *,
        text: str,
        person: str | None = None,
        patient: str | None = None,
        request_id: str | None = None,
    ) -> str:
        """Suspend an organisation, or one person of it, at once; returns the case's id."""
        violation = _wire.transient(
            person=person, patient=patient, request_id=request_id, text=text
        )
        answer = self._ehr.submit(
            "ReportViolation", offender_msp, transient={"violation": violation}
        )
        return _answers.text_field(answer, "case_id")

    def approve_reinstatement(self, case_id: str) -> str:
        """Agree to end a suspension; two organisations must. Returns the case's status."""
        return _answers.text_field(self._ehr.submit("ApproveReinstatement", case_id), "status")

    def sanctions(self) -> tuple[Sanction, ...]:
        """Who is, and who was, suspended."""
        return self._ehr.rows(Sanction, "ListSanctions")

    def resolve_alert(self, patient: str, alert_id: str, *, text: str) -> None:
        """Say that a report of tampering was looked into, and with what result."""
        self._ehr.submit(
            "ResolveAlert", patient, alert_id, transient={"note": _wire.transient(text=text)}
        )

    def place_hold(self, patient: str, *, text: str) -> str:
        """Forbid the erasure of a patient's records; returns the hold's id."""
        answer = self._ehr.submit(
            "PlaceHold", patient, transient={"note": _wire.transient(text=text)}
        )
        return _answers.text_field(answer, "hold_id")

    def release_hold(self, patient: str, hold_id: str, *, text: str) -> None:
        """End a hold that the own organisation placed."""
        self._ehr.submit(
            "ReleaseHold", patient, hold_id, transient={"note": _wire.transient(text=text)}
        )

    def complete_erasure(self, patient: str) -> Erasure:
        """As :meth:`Patient.complete_erasure`."""
        while True:
            answer = self._ehr.submit("CompleteErasure", patient)
            if _answers.text_field(answer, "status") == "erased":
                return self.erasure(patient)

    def erasure(self, patient: str) -> Erasure:
        """How far an erasure has come, and whether this peer can prove it."""
        return self._ehr.one(Erasure, "ReadErasure", patient)
