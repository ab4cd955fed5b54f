"""Reading records with a permit: released by the contract, opened and checked here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from medfab_gateway import _aio
from medfab_gateway.ehr import _retries, _wire
from medfab_gateway.ehr._documents import DocumentStore
from medfab_gateway.ehr._ehr_async import AsyncEhr
from medfab_gateway.ehr._keys.envelope import DataKey
from medfab_gateway.ehr._keys.sealed_box import PrivateKey, public_key_hex
from medfab_gateway.ehr._sealing import Seal, Wrap, open_record, open_wrap
from medfab_gateway.ehr._types import (
    AccessDecision,
    Counted,
    PermittedBy,
    ReadResult,
    RecordVersion,
    ReleasedRecord,
)
from medfab_gateway.ehr.errors import DataKeyError, TamperError

KEY_TIMEOUT = 15.0
"""Seconds to wait for the holder's key agent, which wraps the key after the permit."""

_INTERVAL = 0.25


@dataclass(frozen=True, kw_only=True)
class _Record:
    id: str
    version: int
    resource: str
    seal: Seal | None = None


@dataclass(frozen=True, kw_only=True)
class _Released:
    holder: str
    records: tuple[_Record, ...]
    withheld: int
    withheld_by: tuple[Counted, ...] = ()
    permitted_by: tuple[PermittedBy, ...] = ()
    obligations: tuple[str, ...] = ()
    wrap: Wrap | None = None


@dataclass(frozen=True, kw_only=True)
class _Version:
    version: int
    status: str
    resource: str
    seal: Seal | None = None
    reason: str | None = None
    filed_at: int | None = None


class AsyncRecords:
    """Reads for one client; ``private_key`` None: sealed records cannot be opened."""

    def __init__(
        self,
        ehr: AsyncEhr,
        *,
        private_key: PrivateKey | None,
        documents: DocumentStore | None,
    ) -> None:
        self._ehr = ehr
        self._private_key = private_key
        self._documents = documents

    @property
    def public_key(self) -> str | None:
        """What a request names as the key to wrap for; None: the one of the certificate."""
        if self._private_key is None:
            return None
        return public_key_hex(self._private_key.public_key())

    async def read(
        self, permit: AccessDecision, holder_msp: str, *, key_timeout: float
    ) -> ReadResult:
        """Release, open and check."""
        released = await self._released(permit, holder_msp, key_timeout)
        keys = self._data_keys(released, permit)
        opened = []
        failure: TamperError | None = None
        for record in released.records:
            try:
                text = await self._open(record.id, record.resource, record.seal, keys)
            except TamperError as error:
                error.observed = error.observed or _digest(record.resource)
                error.alert_id = await self._report(permit.patient, holder_msp, record.id, error)
                failure = failure or error
            else:
                opened.append(ReleasedRecord(id=record.id, version=record.version, text=text))
        result = ReadResult(
            holder_msp=released.holder,
            records=tuple(opened),
            withheld=released.withheld,
            withheld_by=released.withheld_by,
            permitted_by=released.permitted_by,
            obligations=released.obligations,
        )
        if failure is not None:
            failure.intact = result
            raise failure
        return result

    async def history(
        self, permit: AccessDecision, holder_msp: str, record_id: str
    ) -> tuple[RecordVersion, ...]:
        """Every version of a released record, the first one first."""
        released = await self._released(permit, holder_msp, KEY_TIMEOUT)
        keys = self._data_keys(released, permit)
        versions = _wire.rows(
            _Version,
            await self._ehr.evaluate(
                "ReadRecordHistory",
                permit.patient,
                permit.request_id,
                holder_msp,
                record_id,
                holder=holder_msp,
            ),
        )
        return tuple(
            [
                RecordVersion(
                    version=each.version,
                    status=each.status,
                    text=await self._open(record_id, each.resource, each.seal, keys),
                    reason=each.reason,
                    filed_at=_wire.moment(each.filed_at),
                )
                for each in versions
            ]
        )

    async def _released(
        self, permit: AccessDecision, holder_msp: str, key_timeout: float
    ) -> _Released:
        """The contract's answer, with the wrap if sealed records are in it."""
        waited = 0.0
        while True:
            answer = await self._ehr.evaluate(
                "ReadRecords",
                permit.patient,
                permit.request_id,
                holder_msp,
                holder=holder_msp,
                retry=_retries.READ_JUST_PERMITTED if permit.permitted else None,
            )
            released = _wire.from_wire(_Released, answer)
            # After a new data key, the wrap of the old one opens nothing: the next is on its way.
            needed = {record.seal.key_id for record in released.records if record.seal is not None}
            given = {released.wrap.key_id} if released.wrap is not None else set()
            if needed <= given:
                return released
            if self._private_key is None:
                raise DataKeyError(
                    "the records are sealed, and this client has no private key to open them: "
                    "give one, and ask for access anew"
                )
            if waited >= key_timeout:
                raise DataKeyError(
                    f"{holder_msp} has not given the key of this permit: its key agent must run "
                    "(`medfab ehr keys serve`). The permit stays good until it expires; read again"
                )
            await _aio.sleep(_INTERVAL)
            waited += _INTERVAL

    def _data_keys(self, released: _Released, permit: AccessDecision) -> dict[str, DataKey]:
        if released.wrap is None or self._private_key is None:
            return {}
        key = open_wrap(
            released.wrap,
            self._private_key,
            patient=permit.patient,
            request_id=permit.request_id,
        )
        return {key.key_id: key}

    async def _open(
        self, record_id: str, resource: str, seal: Seal | None, keys: dict[str, DataKey]
    ) -> str:
        def opened() -> str:
            return open_record(resource, seal, keys, record_id=record_id, documents=self._documents)

        # Documents come from afar; opening a small record takes microseconds.
        return await _aio.in_background(opened) if self._documents is not None else opened()

    async def _report(
        self, patient: str, holder_msp: str, record_id: str, error: TamperError
    ) -> str:
        report = _wire.transient(
            record_id=record_id,
            kind=error.kind,
            expected=error.expected or _UNKNOWN,
            observed=error.observed or _UNKNOWN,
        )
        answer = await self._ehr.submit(
            "ReportTamper", patient, holder_msp, transient={"tamper": report}
        )
        alert_id: str = json.loads(answer)["alert_id"]
        return alert_id


_UNKNOWN = "0" * 64


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
