"""A holder's data keys on the ledger: the first one, new ones, and wraps for permits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from medfab_gateway import _aio
from medfab_gateway.ehr import _wire
from medfab_gateway.ehr._ehr_async import AsyncEhr
from medfab_gateway.ehr._keys.envelope import DataKey, rewrap
from medfab_gateway.ehr._keys.key_store import KeyStore
from medfab_gateway.ehr._keys.sealed_box import load_public_key
from medfab_gateway.ehr._sealing import Seal, wrap_for
from medfab_gateway.errors import GatewayError

_AT_ONCE = 500  # seals in one transaction


@dataclass(frozen=True, kw_only=True)
class StaleRecord:
    """A record whose key is still under an earlier data key."""

    id: str
    seal: Seal


@dataclass(frozen=True, kw_only=True)
class KeyState:
    """What the ledger says about a patient's key at a holder."""

    key_id: str | None
    rotated_at: datetime | None = None
    rotation_due: bool = False
    stale_records: tuple[StaleRecord, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _PermitKey:
    public_key: str | None
    expires_at: datetime | None = None
    in_force: bool


class AsyncDataKeys:
    """The keys of one holder: ``msp_id``; ``keys``: where they are."""

    def __init__(self, ehr: AsyncEhr, *, msp_id: str, keys: KeyStore) -> None:
        self._ehr = ehr
        self._msp_id = msp_id
        self._keys = keys

    async def state(self, patient: str) -> KeyState:
        """As the holder's peer has it."""
        try:
            return await self._ehr.one(KeyState, "ReadKeyState", patient, holder=self._msp_id)
        except GatewayError as error:
            if error.chaincode is None or error.chaincode.code != "NO_RECORDS":
                raise
        return KeyState(key_id=None)

    async def current(self, patient: str) -> DataKey:
        """The key to seal with: made on the ledger where there is none, anew where it is due."""
        state = await self.state(patient)
        if state.key_id is None or state.rotation_due:
            return await self.rotate(patient)
        return await _aio.in_background(self._keys.get, patient, state.key_id)

    async def rotate(self, patient: str) -> DataKey:
        """Make a new key, put every record's key under it, and destroy the older ones.

        Who still has a permit in force is given the new key; the others' wraps are purged.
        What breaks off in the middle is taken up by the next call: older keys stay until nothing
        is under them.
        """
        state = await self.state(patient)
        key = DataKey.new()
        await _aio.in_background(self._keys.add, patient, key)
        entry = _wire.transient(key_id=key.key_id, previous=state.key_id)
        await self._ehr.submit("RotateKey", patient, transient={"key": entry}, holder=self._msp_id)
        await self.rewrap(patient, key)
        await self._wrap_again(patient, key)
        return key

    async def rewrap(self, patient: str, key: DataKey) -> int:
        """Put every record's key under ``key``, the current one; returns how many were not."""
        total = 0
        while True:
            state = await self.state(patient)
            stale = state.stale_records[:_AT_ONCE]
            if not stale:
                break
            items = await _aio.in_background(self._rewrapped, patient, stale, key)
            entry = _wire.transient(items=items)
            answer = await self._ehr.submit(
                "RewrapRecords", patient, transient={"wraps": entry}, holder=self._msp_id
            )
            total += int(json.loads(answer)["changed"])
        for key_id in self._keys.key_ids(patient):
            if key_id != key.key_id:
                await _aio.in_background(self._keys.forget, patient, key_id)
        return total

    async def wrap(self, patient: str, request_id: str) -> bool:
        """Seal the data key to the requester of a permit; False if it is not in force any more."""
        key = await self.current(patient)
        if not await self._wrap(patient, request_id, key):
            return False
        known = await _aio.in_background(self._keys.permits, patient)
        await _aio.in_background(self._keys.set_permits, patient, [*known, request_id])
        return True

    async def _wrap_again(self, patient: str, key: DataKey) -> None:
        kept: list[str] = []
        over: list[str] = []
        for request_id in await _aio.in_background(self._keys.permits, patient):
            in_force = await self._wrap(patient, request_id, key)
            (kept if in_force else over).append(request_id)
        if over:
            entry = _wire.transient(ids=over)
            await self._ehr.submit(
                "DropKeyWraps", patient, transient={"requests": entry}, holder=self._msp_id
            )
        if kept or over:
            await _aio.in_background(self._keys.set_permits, patient, kept)

    async def _wrap(self, patient: str, request_id: str, key: DataKey) -> bool:
        permit = await self._ehr.one(_PermitKey, "ReadPermitKey", patient, request_id)
        if not permit.in_force or permit.public_key is None:
            return False
        recipient = load_public_key(permit.public_key)
        wrap = wrap_for(key, recipient, patient=patient, request_id=request_id)
        await self._ehr.submit(
            "PutKeyWrap",
            patient,
            request_id,
            transient={"wrap": _wire.transient(wrap)},
            holder=self._msp_id,
        )
        return True

    def _rewrapped(
        self, patient: str, stale: tuple[StaleRecord, ...], key: DataKey
    ) -> list[StaleRecord]:
        items = []
        for record in stale:
            old = self._keys.get(patient, record.seal.key_id)
            wrapped = rewrap(record.seal.wrapped_key, old, key, record_id=record.id)
            items.append(
                StaleRecord(id=record.id, seal=Seal(key_id=key.key_id, wrapped_key=wrapped))
            )
        return items
