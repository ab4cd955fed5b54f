# Made by scripts/make_sync.py from _regulator_async.py: change that, and run it.
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
from medfab_gateway.pharma._logistics import Logistics
from medfab_gateway.pharma._regulator_report import RecallStatus, RegulatorReport


class Regulator(Logistics):
    """Licenses trading partners, and supervises.

    ::

        regulator = Regulator(contract, msp_id="RegulatorMSP", gln=gln)
        report = regulator.report()
        print(report.overdue_verifications, report.notifications)
    """

    def establish(self, authorities: Sequence[str]) -> Done:
        """Name the authorities, once for a channel; as the administrator of any member."""
        return self._submit(Done, "Establish", {"authorities": [*authorities]})

    def register_partner(self, partner: Partner) -> Done:
        """License a trading partner; once more: with other terms, e.g. an end that is now."""
        return self._submit(
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

    def assign_prefix(self, prefix: str, owner: str) -> Done:
        """Say whose a GS1 company prefix is."""
        return self._submit(Done, "AssignPrefix", {"prefix": prefix, "owner": owner})

    def recall_by_pack(
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
        return self._carry_out(Recalled, event)

    def notifications(self) -> tuple[Notification, ...]:
        """What partners have told the authority about suspect and illegitimate products."""
        return self._evaluate(tuple[Notification, ...], "ListNotifications")

    def pending_verifications(self, owner: str) -> tuple[PendingVerification, ...]:
        """Requests to the owner of products, and which of them are overdue."""
        return self._evaluate(tuple[PendingVerification, ...], "PendingVerifications", owner)

    def report(self, *, at: datetime) -> RegulatorReport:
        """Partners, recalls with who holds what, overdue answers, notices. at: of the report."""
        partners = self.partners()
        recalls = []
        for recall in self.recalls():
            recalls.append(
                RecallStatus(
                    recall=recall,
                    holders=self.holders(recall.tag),
                    acknowledgements=self.acknowledgements(recall.tag),
                )
            )
        pending: list[PendingVerification] = []
        for partner in partners:
            if "manufacturer" in partner.capacities:
                pending += self.pending_verifications(partner.msp)
        return RegulatorReport(
            at=at,
            partners=partners,
            recalls=tuple(recalls),
            verifications=tuple(pending),
            notifications=self.notifications(),
        )
