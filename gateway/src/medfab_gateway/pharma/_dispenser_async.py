"""The client of a pharmacy or hospital: dispenses to patients."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from medfab_gateway.pharma._answers import Done
from medfab_gateway.pharma._instances import Sgtin
from medfab_gateway.pharma._logistics_async import AsyncLogistics
from medfab_gateway.pharma._plan import REVERSING


class AsyncDispenser(AsyncLogistics):
    """Dispenses packs, whole or in parts, and takes that back.

    ::

        dispenser = AsyncDispenser(contract, msp_id="PharmacyMSP", gln=gln)
        verdict = await dispenser.verify(code, purpose="dispense")
        if verdict.verified:
            await dispenser.dispense(code.identifier)
    """

    async def dispense(
        self,
        pack: Sgtin,
        *,
        doses: int | None = None,
        supplied: bool = False,
        at: datetime | None = None,
    ) -> Done:
        """Give a pack to a patient. doses: of a pack with several, how many; None: what is left.

        supplied: EU FMD's state for what a hospital or exporter supplies, not a pharmacy.
        """
        extensions: dict[str, Any] = {}
        if doses is not None:
            extensions["medfab:doses"] = doses
        if supplied:
            extensions["medfab:supplied"] = True
        event = self._premises.objects(
            [pack],
            "dispensing",
            disposition="dispensed" if doses is None else "partially_dispensed",
            at=at,
            extensions=extensions,
        )
        return await self._carry_out(Done, event)

    async def reverse(self, pack: Sgtin, *, at: datetime | None = None) -> Done:
        """Take a dispensing back: at the same premises, within ten days, an unopened pack."""
        return await self._carry_out(Done, self._premises.objects([pack], REVERSING, at=at))
