"""The holder's process that gives keys to those who have a permit, and takes them away again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medfab_gateway._contract_async import AsyncContract
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway.ehr._data_keys_async import AsyncDataKeys
from medfab_gateway.ehr._ehr_async import AsyncEhr
from medfab_gateway.ehr._keys.key_store import KeyStore
from medfab_gateway.errors import GatewayError

_log = logging.getLogger(__name__)

_PERMITTED = frozenset({"access-permitted", "glass-broken", "shared-onward"})
_REVOKED = frozenset({"consent-revoked", "consent-amended"})


@dataclass(frozen=True, kw_only=True)
class AgentStep:
    """What the agent did about one event."""

    kind: str
    patient: str
    ref: str
    done: str
    """``wrapped``, ``rotated``, ``nothing`` or ``refused: <code>``."""


class AsyncKeyAgent:
    """Wraps the data keys of one holder.

    ::

        agent = AsyncKeyAgent(contract, msp_id="HospitalMSP", keys=keys)
        async with contract.chaincode_events() as events:
            async for event in events:
                await agent.handle(event)

    ``contract``: the contract ``ehr`` on a gateway of a key agent or practitioner of the holder.
    """

    def __init__(
        self,
        contract: AsyncContract,
        *,
        msp_id: str,
        keys: KeyStore,
        custodians: Sequence[str] | None = None,
    ) -> None:
        ehr = AsyncEhr(contract, custodians=custodians)
        self._keys = AsyncDataKeys(ehr, msp_id=msp_id, keys=keys)

    async def wrap(self, patient: str, request_id: str) -> bool:
        """Give the requester of a permit the key; False if the permit is not in force."""
        return await self._keys.wrap(patient, request_id)

    async def rotate(self, patient: str) -> None:
        """Make a new data key, and put the records under it: earlier wraps open nothing more."""
        await self._keys.rotate(patient)

    async def handle(
        self, event: CommittedEvent, *, report: Callable[[AgentStep], None] | None = None
    ) -> None:
        """Do what an event of the contract asks for: a key for a permit, a new one after a revoke.

        Where the holder has no sealed records of the patient, nothing. What the contract refuses
        (the permit is over, the patient erased) is no error. ``report`` is told of each step.
        """
        for row in _rows(event):
            done = await self._done(str(row["kind"]), str(row["patient"]), str(row["id"]))
            if done is not None and report is not None:
                report(
                    AgentStep(kind=row["kind"], patient=row["patient"], ref=row["id"], done=done)
                )

    async def _done(self, kind: str, patient: str, ref: str) -> str | None:
        if kind not in _PERMITTED | _REVOKED:
            return None
        try:
            state = await self._keys.state(patient)
            if state.key_id is None:
                return "nothing"
            if kind in _PERMITTED:
                return "wrapped" if await self._keys.wrap(patient, ref) else "nothing"
            if not state.rotation_due:
                return "nothing"
            await self._keys.rotate(patient)
        except GatewayError as error:
            if error.chaincode is None:
                raise
            _log.info("the contract refused a key: %s", error.chaincode.code)
            return f"refused: {error.chaincode.code}"
        return "rotated"


def _rows(event: CommittedEvent) -> list[dict[str, str]]:
    payload = json.loads(event.payload)
    rows: list[dict[str, str]] = payload.get("rows", [payload])
    return rows
