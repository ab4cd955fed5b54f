"""What the health-record clients take and answer. Times are aware datetimes in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from medfab_gateway.ehr._consents.model import ConsentType as ConsentType


class Purpose(StrEnum):
    """Purposes of use (HL7 v3 ActReason)."""

    TREATMENT = "TREAT"
    EMERGENCY_TREATMENT = "ETREAT"
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


@dataclass(frozen=True, kw_only=True)
class Consent:
    """A consent of the patient. An empty tuple means any (in a deny only)."""

    consent_id: str
    status: ConsentStatus
    version: int
    granted_at: datetime
    changed_at: datetime
    type: ConsentType
    grantee_msp: str | None
    """None (in a deny only): everybody."""
    practitioner: str | None
    """None: any practitioner of the organisation."""
    purposes: tuple[Purpose, ...]
    categories: tuple[str, ...]
    resource_types: tuple[str, ...]
    not_before: datetime | None
    """None: from the grant on."""
    not_after: datetime | None
    """None (in a deny only): until revoked."""


@dataclass(frozen=True, kw_only=True)
class ConsentVersion:
    """A consent that was granted or revoked."""

    consent_id: str
    version: int


@dataclass(frozen=True, kw_only=True)
class AccessDecision:
    """The committed answer to an access request."""

    patient: str
    request_id: str
    permitted: bool
    reason: str
    """``permitted`` or ``no-consent``."""
    expires_at: datetime | None
    """When the permit is over; None: a denial."""


@dataclass(frozen=True, kw_only=True)
class ReadResult:
    """What a holder released."""

    holder_msp: str
    resources: tuple[str, ...] = field(repr=False)
    """JSON of each resource, in the characters it was filed with."""
    withheld: int
    """How many of the holder's records about the patient the permit does not cover."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """Somebody asked for the patient's records."""

    request_id: str
    requester_msp: str
    practitioner: str
    purpose: Purpose
    categories: tuple[str, ...]
    resource_types: tuple[str, ...]
    permitted: bool
    reason: str
    """The exact one: ``permitted``, ``no-consent``, ``consent-revoked``, ``consent-not-started``,
    ``consent-expired``, ``purpose-not-permitted``, ``portion-not-permitted`` or
    ``denied-by-patient``."""
    decided_at: datetime
    expires_at: datetime | None
    """When the permit is over; None: a denial."""
