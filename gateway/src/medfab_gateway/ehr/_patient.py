# Made by scripts/make_sync.py from _patient_async.py: change that, and run it.
"""The patient's client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from medfab_gateway._contract import Contract
from medfab_gateway.ehr import _answers, _retries
from medfab_gateway.ehr._fhir_time import to_milliseconds
from medfab_gateway.ehr._types import Access, Consent, ConsentType, ConsentVersion, Purpose


class Patient:
    """What a patient does: registers, consents, revokes, and sees who asked.

    ::

        patient = Patient(contract, custodians=["HospitalMSP", "ClinicMSP"])
        consent = patient.grant(
            grantee_msp="ClinicMSP",
            purposes=[Purpose.TREATMENT],
            categories=["laboratory"],
            not_after=datetime.now(UTC) + timedelta(days=30),
        )
        patient.revoke(consent.consent_id)

    ``contract``: the contract ``ehr`` on a gateway of the patient. ``custodians``: MSP ids of the
    organisations asked to endorse, a majority of the custodians; None: the gateway peer chooses.
    All methods raise the errors of :class:`Contract`'s; ``error.chaincode.code`` says why the
    contract refused.
    """

    def __init__(self, contract: Contract, *, custodians: Sequence[str] | None = None) -> None:
        self._contract = contract
        self._custodians = custodians

    def register(self) -> None:
        """Bind the pseudonym in the certificate to its organisation (``ALREADY_REGISTERED``)."""
        self._submit("RegisterPatient")

    def grant(
        self,
        *,
        grantee_msp: str | None,
        practitioner: str | None = None,
        purposes: Sequence[Purpose | str],
        categories: Sequence[str] = (),
        resource_types: Sequence[str] = (),
        type: ConsentType = ConsentType.PERMIT,
        not_before: datetime | None = None,
        not_after: datetime | None,
    ) -> ConsentVersion:
        """Grant, or with ``type=ConsentType.DENY`` forbid, access.

        A record is meant if it has one of ``categories`` and one of ``resource_types``, where an
        empty list asks for nothing. A permit needs ``grantee_msp``, ``not_after``, a purpose, and
        a category or type; in a deny None or an empty list means everybody, for ever,
        everything. ``practitioner`` None: any of the organisation. ``not_before`` None: at once.
        The period is from ``not_before`` until just before ``not_after``, in milliseconds.

        Refused with ``DUPLICATE_CONSENT`` while one in force says the same.
        """
        terms = _answers.transient(
            type=type,
            grantee_msp=grantee_msp,
            practitioner=practitioner,
            purposes=[*purposes],
            categories=[*categories],
            resource_types=[*resource_types],
            not_before=to_milliseconds(not_before),
            not_after=to_milliseconds(not_after),
        )
        return _answers.consent_version(self._submit("GrantConsent", consent=terms))

    def revoke(self, consent_id: str) -> ConsentVersion:
        """End a consent, for good (``NOT_FOUND``, ``ALREADY_REVOKED``)."""
        return _answers.consent_version(self._submit("RevokeConsent", consent_id))

    def consents(self) -> tuple[Consent, ...]:
        """List the patient's consents, newest first, revoked ones included."""
        return _answers.consents(self._contract.evaluate("ListConsents"))

    def accesses(self) -> tuple[Access, ...]:
        """List who asked for the patient's records, newest first, denials included."""
        return _answers.accesses(self._contract.evaluate("ListAccess"))

    def _submit(self, name: str, *args: str, **transient: bytes) -> bytes:
        return self._contract.submit(
            name,
            *args,
            transient=transient,
            endorsing_organizations=self._custodians,
            retry=_retries.SUBMIT,
        )
