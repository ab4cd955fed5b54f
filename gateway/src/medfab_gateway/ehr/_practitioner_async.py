"""The client of a professional who needs records that others hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from medfab_gateway._contract_async import AsyncContract
from medfab_gateway.ehr import _answers, _wire
from medfab_gateway.ehr._documents import DocumentStore
from medfab_gateway.ehr._ehr_async import AsyncEhr
from medfab_gateway.ehr._fhir_time import to_milliseconds
from medfab_gateway.ehr._keys.sealed_box import PrivateKey
from medfab_gateway.ehr._records_async import KEY_TIMEOUT, AsyncRecords
from medfab_gateway.ehr._types import (
    AccessDecision,
    OnwardRecipient,
    Purpose,
    ReadResult,
    RecordVersion,
)


class AsyncPractitioner:
    """Asks for access, and reads what was permitted.

    ::

        practitioner = AsyncPractitioner(contract)
        decision = await practitioner.request_access(
            patient, purpose=Purpose.TREATMENT, categories=["laboratory"]
        )
        if decision.permitted:
            result = await practitioner.read(decision, holder_msp="HospitalMSP")

    ``contract``: the contract ``ehr`` on a gateway of the practitioner. ``custodians``: MSP ids of
    the organisations asked to endorse, a majority of the custodians; None: the gateway peer
    chooses. ``private_key``: opens sealed records; None: only records that are not sealed can be
    read. ``documents``: the store that holders keep large records in.
    """

    def __init__(
        self,
        contract: AsyncContract,
        *,
        custodians: Sequence[str] | None = None,
        private_key: PrivateKey | None = None,
        documents: DocumentStore | None = None,
    ) -> None:
        self._ehr = AsyncEhr(contract, custodians=custodians)
        self._records = AsyncRecords(self._ehr, private_key=private_key, documents=documents)

    async def request_access(
        self,
        patient: str,
        *,
        purpose: Purpose | str,
        categories: Sequence[str] = (),
        resource_types: Sequence[str] = (),
        data_start: datetime | None = None,
        data_end: datetime | None = None,
        scopes: Sequence[str] = (),
        basis: str | None = None,
    ) -> AccessDecision:
        """Ask for records with one of ``categories`` and one of ``resource_types``.

        An empty list asks for nothing in particular, but not both may be empty, unless ``scopes``
        (SMART v2, ``patient/Observation.rs``), which are a ceiling, say what is wanted.
        ``data_start``, ``data_end``: only records about that time. ``basis``: the protocol or law
        that research and public health need. The answer is on the ledger when this returns, a
        denial included; a denial is no error. Raises the errors of :meth:`AsyncContract.submit`.
        """
        request = self._request(
            purpose, categories, resource_types, data_start, data_end, scopes, basis
        )
        answer = await self._ehr.submit(
            "RequestAccess", patient, transient={"request": _wire.transient(request)}
        )
        return _answers.access_decision(answer, patient=patient)

    async def request_access_batch(
        self,
        patients: Sequence[str],
        *,
        purpose: Purpose | str,
        categories: Sequence[str] = (),
        resource_types: Sequence[str] = (),
    ) -> tuple[AccessDecision, ...]:
        """Ask for the same of several patients, 50 at most, in one transaction: a worklist."""
        request = self._request(purpose, categories, resource_types, None, None, (), None)
        items = [
            {"patient": patient, "request": json.loads(_wire.transient(request))}
            for patient in patients
        ]
        answer = await self._ehr.submit(
            "RequestAccessBatch", transient={"requests": _wire.plain({"items": items})}
        )
        return tuple(
            _answers.access_decision(json.dumps(row), patient=row["patient"])
            for row in json.loads(answer)
        )

    async def break_glass(
        self,
        patient: str,
        *,
        reason: str,
        categories: Sequence[str] = (),
        resource_types: Sequence[str] = (),
        include_part2: bool = False,
    ) -> AccessDecision:
        """Open a record in an emergency, without consent: for minutes, with notice and review.

        Needs the function ``emergency`` in the certificate. ``reason``: what the patient and the
        reviewer will read. Both lists empty: everything, except records of substance use treatment
        (42 CFR Part 2), which need ``include_part2``, said on the record.
        """
        emergency = _wire.transient(
            reason=reason,
            categories=[*categories],
            resource_types=[*resource_types],
            include_part2=include_part2,
            public_key=self._records.public_key,
        )
        answer = await self._ehr.submit("BreakGlass", patient, transient={"emergency": emergency})
        return _answers.access_decision(answer, patient=patient)

    async def read(
        self, permit: AccessDecision, *, holder_msp: str, key_timeout: float = KEY_TIMEOUT
    ) -> ReadResult:
        """Read at a peer of ``holder_msp`` what ``permit`` covers; may be repeated until it ends.

        Sealed records are opened with ``private_key``; for the holder's key agent, which wraps the
        key after the permit, this waits ``key_timeout`` seconds at most.

        Raises :class:`EvaluateError`, whose ``chaincode.code`` is ``NOT_PERMITTED``,
        ``PERMIT_EXPIRED``, ``CONSENT_REVOKED``, ``NO_RECORDS`` or ``DATA_UNAVAILABLE``;
        :class:`HolderUnavailableError` where no peer of the holder answers; :class:`DataKeyError`
        where the key is not there; :class:`TamperError` where something is not what was filed: it
        has been reported to the patient then, and ``intact`` has the rest.
        """
        return await self._records.read(permit, holder_msp, key_timeout=key_timeout)

    async def history(
        self, permit: AccessDecision, *, holder_msp: str, record_id: str
    ) -> tuple[RecordVersion, ...]:
        """Every version of a record that ``permit`` covers."""
        return await self._records.history(permit, holder_msp, record_id)

    async def share_onward(
        self,
        permit: AccessDecision,
        *,
        recipient: OnwardRecipient,
        purpose: Purpose | str,
        categories: Sequence[str] = (),
        resource_types: Sequence[str] = (),
        basis: str | None = None,
    ) -> AccessDecision:
        """Ask whether what was read may be passed on, and put it on record.

        The answer is a decision for ``recipient``; where it is a denial, passing it on would break
        the obligation ``NORDSLCD``.
        """
        share = _wire.transient(
            recipient=_wire.to_wire(recipient),
            purpose=purpose,
            categories=[*categories],
            resource_types=[*resource_types],
            basis=basis,
        )
        answer = await self._ehr.submit(
            "ShareOnward", permit.patient, permit.request_id, transient={"share": share}
        )
        return _answers.access_decision(answer, patient=permit.patient)

    def _request(
        self,
        purpose: Purpose | str,
        categories: Sequence[str],
        resource_types: Sequence[str],
        data_start: datetime | None,
        data_end: datetime | None,
        scopes: Sequence[str],
        basis: str | None,
    ) -> Mapping[str, object]:
        return {
            "purpose": purpose,
            "categories": [*categories],
            "resource_types": [*resource_types],
            "data_start": to_milliseconds(data_start),
            "data_end": to_milliseconds(data_end),
            "scopes": [*scopes] or None,
            "basis": basis,
            "public_key": self._records.public_key,
        }
