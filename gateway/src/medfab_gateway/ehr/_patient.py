# Made by scripts/make_sync.py from _patient_async.py: change that, and run it.
"""The patient's client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from medfab_gateway._contract import Contract
from medfab_gateway.ehr import _answers, _wire
from medfab_gateway.ehr._consents.model import ConsentTerms, ConsentType, Recipient, Rule
from medfab_gateway.ehr._consents.reading import read_consent
from medfab_gateway.ehr._consents.writing import write_consent
from medfab_gateway.ehr._documents import DocumentStore
from medfab_gateway.ehr._ehr import Ehr
from medfab_gateway.ehr._fhir_time import between, to_milliseconds
from medfab_gateway.ehr._keys.sealed_box import PrivateKey
from medfab_gateway.ehr._records import KEY_TIMEOUT, Records
from medfab_gateway.ehr._types import (
    Access,
    AccessDecision,
    Acting,
    Appointment,
    Consent,
    ConsentHistory,
    ConsentStatus,
    ConsentVersion,
    Disclosure,
    Erasure,
    Explanation,
    Filing,
    Holder,
    LogRow,
    Purpose,
    ReadResult,
    TraceStep,
)
from medfab_gateway.ehr._validation import FhirVersion

FhirConsent: TypeAlias = bytes | str | Mapping[str, Any]


class Patient:
    """What a patient does: accepts holders, consents, revokes, sees who asked, reads, is forgotten.

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
    ``acting``: a guardian or representative acts for this patient; None: patients for themselves.
    ``private_key``, ``documents``: to read sealed records and documents.
    All methods raise the errors of :class:`Contract`'s; ``error.chaincode.code`` says why the
    contract refused.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        custodians: Sequence[str] | None = None,
        acting: Acting | None = None,
        private_key: PrivateKey | None = None,
        documents: DocumentStore | None = None,
    ) -> None:
        self._ehr = Ehr(contract, custodians=custodians, acting=acting)
        self._records = Records(self._ehr, private_key=private_key, documents=documents)

    # --- holders ---------------------------------------------------------------------------

    def register(self) -> None:
        """Bind the pseudonym in the certificate to its organisation (``ALREADY_REGISTERED``)."""
        self._ehr.submit("RegisterPatient")

    def holders(self) -> tuple[Holder, ...]:
        """Every organisation that holds, or wants to hold, records; with open alerts."""
        return self._ehr.rows(Holder, "ListHolders")

    def accept_holder(self, holder_msp: str) -> None:
        """Let an organisation file records: nothing of it counts before."""
        self._ehr.submit("AnswerHolder", holder_msp, "accept")

    def reject_holder(self, holder_msp: str) -> None:
        """Let an organisation file no (more) records."""
        self._ehr.submit("AnswerHolder", holder_msp, "reject")

    # --- consents --------------------------------------------------------------------------

    def grant(
        self,
        *,
        grantee_msp: str | None,
        practitioner: str | None = None,
        role: str | None = None,
        purposes: Sequence[Purpose | str],
        categories: Sequence[str] = (),
        resource_types: Sequence[str] = (),
        security_labels: Sequence[str] = (),
        type: ConsentType = ConsentType.PERMIT,
        not_before: datetime | None = None,
        not_after: datetime | None,
        redisclosure: bool = False,
    ) -> ConsentVersion:
        """Grant, or with ``type=ConsentType.DENY`` forbid, access: a consent of one rule.

        A record is meant if it has one of ``categories`` and one of ``resource_types``, where an
        empty list asks for nothing. A permit needs ``grantee_msp``, ``not_after`` and a purpose;
        in a deny None or an empty list means everybody, for ever, everything.
        ``practitioner``, ``role`` None: any of the organisation. ``security_labels`` empty: normal
        records alone. ``not_before`` None: at once. The period is from ``not_before`` until just
        before ``not_after``, in milliseconds.

        Raises ``ValueError`` for a naive datetime; refusals are ``INVALID_ARGUMENT``, which names
        the field, and ``DUPLICATE_CONSENT``.
        """
        recipient = [part for part in (grantee_msp, role, practitioner) if part is not None]
        rule = Rule(
            not_before=not_before,
            not_after=not_after,
            recipients=(Recipient(msp_id=grantee_msp, role=role, practitioner=practitioner),)
            if recipient
            else (),
            purposes=tuple(str(purpose) for purpose in purposes),
            categories=tuple(categories),
            resource_types=tuple(resource_types),
            security_labels=tuple(security_labels),
        )
        return self.grant_consent(ConsentTerms(type=type, rule=rule, redisclosure=redisclosure))

    def grant_consent(
        self,
        consent: ConsentTerms | FhirConsent,
        *,
        references: Mapping[str, Recipient] | None = None,
    ) -> ConsentVersion:
        """Grant what ``consent`` says: terms, or a FHIR Consent in R4 or R5.

        ``references``: whom the references to actors in a FHIR Consent mean. Raises
        :class:`ConsentError`, which names the element that is invalid or cannot be enforced.
        """
        entry = _wire.transient(_terms(consent, references))
        answer = self._ehr.submit("GrantConsent", transient={"consent": entry})
        return _wire.from_wire(ConsentVersion, answer)

    def amend_consent(
        self,
        consent_id: str,
        consent: ConsentTerms | FhirConsent,
        *,
        references: Mapping[str, Recipient] | None = None,
    ) -> ConsentVersion:
        """Let a consent say something else from now on; its permits end, its versions are kept."""
        entry = _wire.transient(_terms(consent, references))
        answer = self._ehr.submit("AmendConsent", consent_id, transient={"consent": entry})
        return _wire.from_wire(ConsentVersion, answer)

    def revoke(self, consent_id: str) -> ConsentVersion:
        """End a consent, for good (``NOT_FOUND``, ``ALREADY_REVOKED``)."""
        answer = self._ehr.submit("RevokeConsent", consent_id)
        return _wire.from_wire(ConsentVersion, answer)

    def consents(self) -> tuple[Consent, ...]:
        """List the patient's consents, newest first, revoked ones included."""
        return self._ehr.rows(Consent, "ListConsents")

    def consent(self, consent_id: str) -> ConsentHistory:
        """One consent with every version of its terms."""
        return self._ehr.one(ConsentHistory, "ReadConsent", consent_id)

    def export_consent(
        self, consent_id: str, *, version: FhirVersion = FhirVersion.R4, patient: str | None = None
    ) -> dict[str, Any]:
        """A consent as FHIR Consent: as it came in, or made of its terms.

        ``patient``: pseudonym to name as the subject where it is made.
        """
        history = self.consent(consent_id)
        return write_consent(
            max(history.versions, key=lambda each: each.version).terms,
            version=version,
            patient=patient,
            consent_id=history.consent_id,
            ledger_version=history.version,
            granted_at=history.granted_at,
            active=history.status is ConsentStatus.ACTIVE,
        )

    # --- who asked -------------------------------------------------------------------------

    def accesses(self) -> tuple[Access, ...]:
        """List who asked for the patient's records, newest first, denials included."""
        return self._ehr.rows(Access, "ListAccess")

    def disclosures(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Disclosure, ...]:
        """The accounting of disclosures; None: from the beginning, to now."""
        return self._ehr.rows(Disclosure, "AccountDisclosures", *between(since, until))

    def explain(self, request_id: str, *, holder_msp: str) -> Explanation:
        """Why a request was decided as it was, and what is withheld of this holder's records."""
        return self._ehr.one(
            Explanation, "ExplainAccess", request_id, holder_msp, holder=holder_msp
        )

    def log(
        self, patient: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[LogRow, ...]:
        """What everybody in the channel can see of the patient's record: the skeleton."""
        return self._ehr.rows(LogRow, "ReadLog", patient, *between(since, until))

    def filings(self, holder_msp: str) -> tuple[Filing, ...]:
        """Who filed, amended and withdrew what at a holder."""
        return self._ehr.rows(Filing, "ListFilings", holder_msp, holder=holder_msp)

    def trace(self, holder_msp: str, record_id: str) -> tuple[TraceStep, ...]:
        """All that happened to one record, in order."""
        return self._ehr.rows(TraceStep, "TraceRecord", holder_msp, record_id, holder=holder_msp)

    # --- reading the own record ------------------------------------------------------------

    def request_own(
        self,
        patient: str,
        *,
        categories: Sequence[str] = (),
        resource_types: Sequence[str] = (),
    ) -> AccessDecision:
        """Ask for the own records; both lists empty: for all. ``patient``: the own pseudonym."""
        request = _wire.transient(
            purpose=Purpose.PATIENT_REQUEST,
            categories=[*categories],
            resource_types=[*resource_types],
            public_key=self._records.public_key,
        )
        answer = self._ehr.submit("RequestOwnAccess", transient={"request": request})
        return _answers.access_decision(answer, patient=patient)

    def read(
        self, permit: AccessDecision, *, holder_msp: str, key_timeout: float = KEY_TIMEOUT
    ) -> ReadResult:
        """Read with the permit of :meth:`request_own`; as :meth:`Practitioner.read`."""
        return self._records.read(permit, holder_msp, key_timeout=key_timeout)

    # --- representatives -------------------------------------------------------------------

    def appoint(
        self,
        *,
        msp_id: str,
        person: str,
        scope: Sequence[str],
        not_after: datetime,
        may_delegate: bool = False,
        excluded_labels: Sequence[str] = (),
    ) -> str:
        """Appoint a representative; returns the appointment's id.

        ``scope``: of ``consent``, ``read``, ``audit``, ``delegate``, ``erase``.
        """
        appointment = _wire.transient(
            msp_id=msp_id,
            person=person,
            scope=[*scope],
            not_after=to_milliseconds(not_after),
            may_delegate=may_delegate,
            excluded_labels=[*excluded_labels],
        )
        answer = self._ehr.submit("AppointRepresentative", transient={"appointment": appointment})
        return _answers.text_field(answer, "appointment_id")

    def end_appointment(self, patient: str, appointment_id: str) -> None:
        """End an appointment, and what rests on it."""
        self._ehr.submit("EndAppointment", patient, appointment_id)

    def appointments(self) -> tuple[Appointment, ...]:
        """Who may act for the patient, and who could."""
        return self._ehr.rows(Appointment, "ListAppointments")

    # --- erasure ---------------------------------------------------------------------------

    def request_erasure(self) -> str:
        """Ask every holder to erase; from now on nothing is permitted. Returns the erasure's id.

        Refused with ``LEGAL_HOLD`` where somebody must keep the records.
        """
        return _answers.text_field(self._ehr.submit("RequestErasure"), "erasure_id")

    def complete_erasure(self, patient: str) -> Erasure:
        """When every holder has erased: consents and details go too; repeated until done."""
        while True:
            answer = self._ehr.submit("CompleteErasure", patient)
            if _answers.text_field(answer, "status") == "erased":
                return self.erasure(patient)

    def erasure(self, patient: str) -> Erasure:
        """How far the erasure has come."""
        return self._ehr.one(Erasure, "ReadErasure", patient)


def _terms(
    consent: ConsentTerms | FhirConsent, references: Mapping[str, Recipient] | None
) -> ConsentTerms:
    if isinstance(consent, ConsentTerms):
        return consent
    return read_consent(consent, references=references)
