"""The client of auditors and privacy officers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from medfab_gateway._contract_async import AsyncContract
from medfab_gateway.ehr import _answers, _wire
from medfab_gateway.ehr._ehr_async import AsyncEhr
from medfab_gateway.ehr._fhir_time import between
from medfab_gateway.ehr._types import Erasure, LogRow, Review, Sanction


class AsyncAuditor:
    """Sees the skeleton of what happened, never contents; reviews, holds, suspends.

    ::

        auditor = AsyncAuditor(contract)
        for row in await auditor.log(patient):
            print(row.at, row.kind, row.msp_id)
        for review in await auditor.reviews():
            await auditor.close_review(review.patient, review.review_id, text="justified")

    ``contract``: the contract ``ehr`` on a gateway of an auditor or privacy officer.
    ``custodians``: as of :class:`AsyncPatient`.
    """

    def __init__(self, contract: AsyncContract, *, custodians: Sequence[str] | None = None) -> None:
        self._ehr = AsyncEhr(contract, custodians=custodians)

    async def log(
        self, patient: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[LogRow, ...]:
        """Every event about a patient: who, when, of which kind; never which portions or why."""
        return await self._ehr.rows(LogRow, "ReadLog", patient, *between(since, until))

    async def reviews(self) -> tuple[Review, ...]:
        """Broken glasses that nobody has looked at yet, oldest due first.

        What is overdue is escalated first: the contract has no clock of its own.
        """
        await self.escalate_reviews()
        return await self._ehr.rows(Review, "ListReviews")

    async def close_review(self, patient: str, review_id: str, *, text: str) -> None:
        """Say that a break-glass was looked at, and with what result."""
        await self._ehr.submit(
            "CloseReview", patient, review_id, transient={"note": _wire.transient(text=text)}
        )

    async def escalate_reviews(self) -> int:
        """Escalate what is overdue; returns how many that were."""
        return _answers.count(await self._ehr.submit("EscalateReviews"), "escalated")

    async def report_violation(
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
        answer = await self._ehr.submit(
            "ReportViolation", offender_msp, transient={"violation": violation}
        )
        return _answers.text_field(answer, "case_id")

    async def approve_reinstatement(self, case_id: str) -> str:
        """Agree to end a suspension; two organisations must. Returns the case's status."""
        return _answers.text_field(
            await self._ehr.submit("ApproveReinstatement", case_id), "status"
        )

    async def sanctions(self) -> tuple[Sanction, ...]:
        """Who is, and who was, suspended."""
        return await self._ehr.rows(Sanction, "ListSanctions")

    async def resolve_alert(self, patient: str, alert_id: str, *, text: str) -> None:
        """Say that a report of tampering was looked into, and with what result."""
        await self._ehr.submit(
            "ResolveAlert", patient, alert_id, transient={"note": _wire.transient(text=text)}
        )

    async def place_hold(self, patient: str, *, text: str) -> str:
        """Forbid the erasure of a patient's records; returns the hold's id."""
        answer = await self._ehr.submit(
            "PlaceHold", patient, transient={"note": _wire.transient(text=text)}
        )
        return _answers.text_field(answer, "hold_id")

    async def release_hold(self, patient: str, hold_id: str, *, text: str) -> None:
        """End a hold that the own organisation placed."""
        await self._ehr.submit(
            "ReleaseHold", patient, hold_id, transient={"note": _wire.transient(text=text)}
        )

    async def complete_erasure(self, patient: str) -> Erasure:
        """As :meth:`AsyncPatient.complete_erasure`."""
        while True:
            answer = await self._ehr.submit("CompleteErasure", patient)
            if _answers.text_field(answer, "status") == "erased":
                return await self.erasure(patient)

    async def erasure(self, patient: str) -> Erasure:
        """How far an erasure has come, and whether this peer can prove it."""
        return await self._ehr.one(Erasure, "ReadErasure", patient)
