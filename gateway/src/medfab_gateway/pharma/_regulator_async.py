"""The client of the authority: licenses partners, holds, recalls, sees what is pending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from medfab_gateway.pharma._answers import (
    Done,
    Notification,
    Partner,
    PendingVerification,
    Recalled,
    milliseconds,
)
from medfab_gateway.pharma._instances import Lgtin, Sgtin
from medfab_gateway.pharma._logistics_async import AsyncLogistics
from medfab_gateway.pharma._regulator_report import RecallStatus, RegulatorReport


class AsyncRegulator(AsyncLogistics):
    """Licenses trading partners, and supervises.

    ::

        regulator = AsyncRegulator(contract, msp_id="RegulatorMSP", gln=gln)
        report = await regulator.report()
        print(report.overdue_verifications, report.notifications)
    """

    async def establish(self, authorities: Sequence[str]) -> Done:
        """Name the authorities, once for a channel; as the administrator of any member."""
        return await self._submit(Done, "Establish", {"authorities": [*authorities]})

    async def register_partner(self, partner: Partner) -> Done:
        """License a trading partner; once more: with other terms, e.g. an end that is now."""
        return await self._submit(
            Done,
            "RegisterPartner",
            {
                "msp": partner.msp,
                "name": partner.name,
                "glns": [*partner.glns],
                "capacities": [*partner.capacities],
                "licence": partner.licence,
                "valid_from": milliseconds(partner.valid_from),
                "valid_to": milliseconds(partner.valid_to),
            },
        )

    async def assign_prefix(self, prefix: str, owner: str) -> Done:
        """Say whose a GS1 company prefix is."""
        return await self._submit(Done, "AssignPrefix", {"prefix": prefix, "owner": owner})

    async def recall_by_pack(
        self,
        lot: Lgtin,
        pack: Sgtin,
        *,
        reason: str,
        recall_class: int = 1,
        at: datetime | None = None,
    ) -> Recalled:
        """Recall a lot with one pack of it in hand: without the owner's secret."""
        event = self._premises.objects(
            [pack],
            "holding",
            disposition="recalled",
            lot=lot,
            at=at,
            extensions={"medfab:recallClass": recall_class, "medfab:reason": reason},
        )
        return await self._carry_out(Recalled, event)

    async def notifications(self) -> tuple[Notification, ...]:
        """What partners have told the authority about suspect and illegitimate products."""
        return await self._evaluate(tuple[Notification, ...], "ListNotifications")

    async def pending_verifications(self, owner: str) -> tuple[PendingVerification, ...]:
        """Requests to the owner of products, and which of them are overdue."""
        return await self._evaluate(tuple[PendingVerification, ...], "PendingVerifications", owner)

    async def report(self, *, at: datetime) -> RegulatorReport:
        """Partners, recalls with who holds what, overdue answers, notices. at: of the report."""
        partners = await self.partners()
        recalls = []
        for recall in await self.recalls():
            recalls.append(
                RecallStatus(
                    recall=recall,
                    holders=await self.holders(recall.tag),
                    acknowledgements=await self.acknowledgements(recall.tag),
                )
            )
        pending: list[PendingVerification] = []
        for partner in partners:
            if "manufacturer" in partner.capacities:
                pending += await self.pending_verifications(partner.msp)
        return RegulatorReport(
            at=at,
            partners=partners,
            recalls=tuple(recalls),
            verifications=tuple(pending),
            notifications=await self.notifications(),
        )
