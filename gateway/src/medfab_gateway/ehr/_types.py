"""What the health-record clients take and answer. Times are aware datetimes in UTC.

Patients, requests, consents, appointments are named by ids; none of these says anything about a
person. What describes a person or a record is left out of every ``repr``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from medfab_gateway.ehr._consents.model import ConsentException, ConsentTerms, ConsentType, Rule


class Purpose(StrEnum):
    """Purposes of use (HL7 v3 ActReason)."""

    TREATMENT = "TREAT"
    EMERGENCY_TREATMENT = "ETREAT"
    BREAK_GLASS = "BTG"
    PAYMENT = "HPAYMT"
    OPERATIONS = "HOPERAT"
    RESEARCH = "HRESCH"
    CLINICAL_TRIAL = "CLINTRCH"
    PUBLIC_HEALTH = "PUBHLTH"
    PATIENT_REQUEST = "PATRQT"


class ConsentStatus(StrEnum):
    """State of a consent."""

    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True)
class Acting:
    """For whom a representative acts, and by which appointment."""

    patient: str
    appointment_id: str


# --- filing ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class FilingProgress:
    """How far a filing has come."""

    records: int
    """Records committed so far, unchanged ones included."""
    of_records: int
    transactions: int
    of_transactions: int


@dataclass(frozen=True, kw_only=True)
class FilingResult:
    """What a filing did."""

    filed: int
    """Records that are new on file."""
    unchanged: int
    """Records that were there already, with the same content."""
    transactions: int
    documents: int = 0
    """Of the new ones, those that went to the document store."""


@dataclass(frozen=True, kw_only=True)
class FiledRecord:
    """A record that a filing was about."""

    id: str
    version: int
    reason: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Filing:
    """Somebody filed, amended, withdrew or erased at a holder."""

    filing_id: str
    kind: str
    practitioner: str = field(repr=False)
    at: datetime
    filed: int = 0
    unchanged: int = 0
    records: tuple[FiledRecord, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Holder:
    """An organisation that holds records of the patient."""

    holder_msp: str
    status: str
    """``pending``, ``live``, ``rejected`` or ``erased``."""
    since: datetime
    open_alerts: int = 0
    """Reports of tampering that are not resolved."""


@dataclass(frozen=True, kw_only=True)
class TraceStep:
    """One thing that happened to a record."""

    at: datetime
    kind: str
    """``filed``, ``amended``, ``withdrawn``, ``access-permitted``, ``access-denied``,
    ``glass-broken``, ``shared-onward`` or ``erased``."""
    msp_id: str
    practitioner: str | None = field(default=None, repr=False)
    purpose: str | None = None
    ref: str | None = None


# --- consents ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Consent:
    """A consent of the patient, at its present version."""

    consent_id: str
    status: ConsentStatus
    version: int
    granted_at: datetime
    changed_at: datetime
    type: ConsentType
    rule: Rule
    exceptions: tuple[ConsentException, ...] = ()
    redisclosure: bool = False
    source: str | None = field(default=None, repr=False)

    @property
    def terms(self) -> ConsentTerms:
        """What it says."""
        return ConsentTerms(
            type=self.type,
            rule=self.rule,
            exceptions=self.exceptions,
            redisclosure=self.redisclosure,
            source=self.source,
        )


@dataclass(frozen=True, kw_only=True)
class NumberedTerms:
    """What a consent said at one version."""

    version: int
    terms: ConsentTerms


@dataclass(frozen=True, kw_only=True)
class ConsentHistory:
    """A consent with all its versions."""

    consent_id: str
    status: ConsentStatus
    version: int
    granted_at: datetime
    changed_at: datetime
    versions: tuple[NumberedTerms, ...]


@dataclass(frozen=True, kw_only=True)
class ConsentVersion:
    """A consent at one version."""

    consent_id: str
    version: int


# --- access ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AccessDecision:
    """The committed answer to an access request."""

    patient: str
    request_id: str
    permitted: bool
    reason: str
    """``permitted``, ``no-consent``, ``break-glass``, ``suspended`` or ``not-a-member``."""
    expires_at: datetime | None
    """When the permit is over; None: a denial."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many records were withheld for a reason."""

    reason: str
    records: int


@dataclass(frozen=True, kw_only=True)
class PermittedBy:
    """How many records a consent let out."""

    consent_id: str
    version: int
    records: int


@dataclass(frozen=True, kw_only=True)
class ReleasedRecord:
    """One record, opened and checked."""

    id: str
    """On the ledger: what amendments and tamper reports name."""
    version: int
    text: str = field(repr=False)
    """JSON of the resource, in the characters it was filed with."""


@dataclass(frozen=True, kw_only=True)
class ReadResult:
    """What a holder released."""

    holder_msp: str
    records: tuple[ReleasedRecord, ...]
    withheld: int
    """How many of the holder's records about the patient the permit does not cover."""
    withheld_by: tuple[Counted, ...] = ()
    permitted_by: tuple[PermittedBy, ...] = ()
    obligations: tuple[str, ...] = ()
    """What the reader owes: ``NORDSLCD`` (no disclosure onward without consent), ``MINEC``…"""

    @property
    def resources(self) -> tuple[str, ...]:
        """JSON of each resource."""
        return tuple(record.text for record in self.records)


@dataclass(frozen=True, kw_only=True)
class RecordVersion:
    """A record as it was at one version."""

    version: int
    status: str
    """``current``, ``superseded`` or ``entered-in-error``."""
    text: str = field(repr=False)
    reason: str | None = field(default=None, repr=False)
    filed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OnwardRecipient:
    """To whom what was read is passed on."""

    msp_id: str
    practitioner: str = field(repr=False)
    role: str | None = None


@dataclass(frozen=True, kw_only=True)
class Access:
    """Somebody asked for the patient's records."""

    request_id: str
    requester_msp: str
    practitioner: str
    purpose: Purpose
    categories: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    decision: str
    reason: str
    """The exact one: ``permitted``, ``no-consent``, ``consent-revoked``, ``denied-by-patient``…"""
    decided_at: datetime
    expires_at: datetime | None = None
    """When the permit is over; None: a denial."""
    role: str | None = None
    consents: tuple[ConsentVersion, ...] = ()
    text: str | None = field(default=None, repr=False)
    """Why the glass was broken."""
    include_part2: bool = False
    shared_to: OnwardRecipient | None = None

    @property
    def permitted(self) -> bool:
        """Was it permitted?"""
        return self.decision == "permit"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a request was decided as it was, and what was withheld, for the patient."""

    decision: str
    reason: str
    consents: tuple[ConsentVersion, ...] = ()
    permitted_by: tuple[PermittedBy, ...] = ()
    withheld_by: tuple[Counted, ...] = ()
    """Reasons name labels (``label:PSY``) and consents (``denied-by:<id>``)."""


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """A row of the accounting of disclosures."""

    request_id: str
    at: datetime
    recipient_msp: str
    practitioner: str
    purpose: Purpose
    categories: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    decision: str
    reason: str
    accountable: bool
    """Must be in an accounting by 45 CFR 164.528; the others are listed all the same."""
    role: str | None = None
    basis: str | None = field(default=None, repr=False)
    """Legal basis or protocol that the requester named."""


@dataclass(frozen=True, kw_only=True)
class LogRow:
    """What everybody in the channel can see of one event: its skeleton."""

    at: datetime
    id: str
    kind: str
    msp_id: str
    client: str
    """SHA-256 of who did it."""
    ref: str | None = None


# --- people ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """Somebody who may act for the patient: a guardian or a representative."""

    appointment_id: str
    kind: str
    status: str
    appointed_at: datetime
    msp_id: str
    person: str = field(repr=False)
    scope: tuple[str, ...]
    """Of ``consent``, ``read``, ``audit``, ``delegate``, ``erase``."""
    not_after: datetime
    may_delegate: bool = False
    excluded_labels: tuple[str, ...] = ()
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Review:
    """A broken glass that somebody must look at."""

    patient: str
    review_id: str
    requester_msp: str
    practitioner: str = field(repr=False)
    reason: str = field(repr=False)
    include_part2: bool
    opened_at: datetime
    due_at: datetime
    status: str
    """``open`` or ``escalated``."""


@dataclass(frozen=True, kw_only=True)
class Sanction:
    """An organisation, or one person of it, that is suspended."""

    case_id: str
    offender_msp: str
    person: str | None = field(default=None, repr=False)
    status: str
    since: datetime


# --- erasure -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class HolderErasure:
    """What a holder has confirmed."""

    holder_msp: str
    status: str
    erased_at: datetime | None = None
    documents: int = 0
    digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """How far the erasure of a patient has come, as the peer that was asked can prove it."""

    erasure_id: str
    patient: str
    status: str
    requested_at: datetime
    completed_at: datetime | None = None
    holders: tuple[HolderErasure, ...] = ()
    log_rows: int = 0
    log_digest: str | None = None
    verified: bool = False
    """The peer computed the digest of the log anew, and it is this one."""
