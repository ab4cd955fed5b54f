"""What the contract receives, keeps and answers, as frozen dataclasses.

Times are whole milliseconds since 1970 UTC, so that decisions sort. An empty list in a consent or
request means "any"; where that would be too wide, :meth:`check` refuses it. Refusals name the
field, never its value.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from medfab_chaincode import InvalidArgumentError

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_MSP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PSEUDONYM = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SALT = re.compile(r"[0-9a-f]{32,128}")

MAX_BATCH = 1000
"""Records in one ``FileRecords``: no more than one multiple read of the peer answers."""

_TIMES = range(253_402_300_800_000)  # what date types can hold: others break the patient's lists

_MAX_LIST = 16  # entries of a list in a consent or request: bounds the work of a decision


class Purpose(StrEnum):
    """Purposes of use (HL7 v3 ActReason) a consent can name; break-glass is never one of them."""

    TREATMENT = "TREAT"
    EMERGENCY_TREATMENT = "ETREAT"
    PAYMENT = "HPAYMT"
    OPERATIONS = "HOPERAT"
    RESEARCH = "HRESCH"
    CLINICAL_TRIAL = "CLINTRCH"
    PUBLIC_HEALTH = "PUBHLTH"
    PATIENT_REQUEST = "PATRQT"


class ConsentType(StrEnum):
    """Does the consent allow or forbid?"""

    PERMIT = "permit"
    DENY = "deny"


class ConsentStatus(StrEnum):
    """State of a consent; a revoked one never becomes active again."""

    ACTIVE = "active"
    REVOKED = "revoked"


class Verdict(StrEnum):
    """Outcome of an access request."""

    PERMIT = "permit"
    DENY = "deny"


def _require(condition: bool, field: str, expected: str) -> None:
    if not condition:
        raise InvalidArgumentError.at(field, f"expected {expected}")


def _require_match(pattern: re.Pattern[str], value: str, field: str, expected: str) -> None:
    _require(pattern.fullmatch(value) is not None, field, expected)


def _require_codes(values: Sequence[str], field: str) -> None:
    _require(len(values) <= _MAX_LIST, field, f"at most {_MAX_LIST} entries")
    _require(len(set(values)) == len(values), field, "no entry twice")
    for value in values:
        _require_match(_CODE, value, field, "codes of letters, digits and hyphens")


def check_patient(patient: str) -> str:
    """Return ``patient`` if it has a pseudonym's form."""
    _require_match(_PSEUDONYM, patient, "patient", "32 lower-case hex digits")
    return patient


def check_transaction_id(value: str, field: str) -> str:
    """Return ``value`` if it has a transaction id's form."""
    _require_match(_DIGEST, value, field, "64 lower-case hex digits")
    return value


def check_msp_id(value: str, field: str) -> str:
    """Return ``value`` if it can be an organisation's MSP id (and part of a collection name)."""
    _require_match(_MSP_ID, value, field, "an MSP id")
    return value


# --- records -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What a record is, as far as consents can speak of it; made by the holder's client."""

    resource_type: str
    categories: tuple[str, ...]
    """Observation categories (``laboratory``, ``vital-signs``…); empty: the record has none."""
    security: tuple[str, ...]
    """Codes of ``meta.security``; anything above ``N`` is withheld."""
    period_start: str | None = None
    """When the finding applies (FHIR dateTime); None: not stated."""
    period_end: str | None = None
    authored: str | None = None
    """When it was recorded (FHIR dateTime); None: not stated."""


@dataclass(frozen=True, kw_only=True)
class RecordItem:
    """One record to file; ``id`` is keyed (HMAC), ``resource`` is text the contract never reads."""

    id: str
    labels: Labels
    resource: str
    salt: str


@dataclass(frozen=True, kw_only=True)
class FilingBatch:
    """Transient ``records`` of ``FileRecords``."""

    items: tuple[RecordItem, ...]

    def check(self) -> None:
        """Refuse an empty, oversized or malformed batch."""
        _require(0 < len(self.items) <= MAX_BATCH, "records.items", f"1 to {MAX_BATCH} items")
        ids = {item.id for item in self.items}
        _require(len(ids) == len(self.items), "records.items", "no id twice")
        for index, item in enumerate(self.items):
            path = f"records.items[{index}]"
            _require_match(_DIGEST, item.id, f"{path}.id", "64 lower-case hex digits")
            _require_match(_SALT, item.salt, f"{path}.salt", "at least 32 lower-case hex digits")
            _require(bool(item.resource), f"{path}.resource", "text")
            _require_match(
                _CODE, item.labels.resource_type, f"{path}.labels.resource_type", "a type name"
            )


@dataclass(frozen=True, kw_only=True)
class Filed:
    """Answer of ``FileRecords``: counts alone, because a submit's answer is in the block."""

    filed: int
    unchanged: int


@dataclass(frozen=True, kw_only=True)
class Released:
    """Answer of ``ReadRecords``, an evaluate: the permitted resources as filed."""

    holder: str
    resources: tuple[str, ...]
    withheld: int
    """Records of this holder that the permit does not cover."""


# --- patients and consents ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PatientEntry:
    """Public: the organisation whose certificates speak for this pseudonym."""

    home_msp: str
    registered_at: int
    status: str


@dataclass(frozen=True, kw_only=True)
class ConsentTerms:
    """Transient ``consent`` of ``GrantConsent``, and what is kept of it (private)."""

    type: ConsentType
    purposes: tuple[Purpose, ...]
    categories: tuple[str, ...]
    resource_types: tuple[str, ...]
    salt: str
    grantee_msp: str | None = None
    """Recipient's organisation; None (in a deny only): everybody."""
    practitioner: str | None = None
    """Recipient's practitioner id; None: any practitioner of the organisation."""
    not_before: int | None = None
    """First millisecond of validity; None: from the grant on."""
    not_after: int | None = None
    """First millisecond after validity; None (in a deny only): until revoked."""

    def check(self, now: int) -> None:
        """Refuse terms that are malformed, over already, or a permit for anything or anyone."""
        _require_match(_SALT, self.salt, "consent.salt", "at least 32 lower-case hex digits")
        _require_codes(self.purposes, "consent.purposes")
        _require_codes(self.categories, "consent.categories")
        _require_codes(self.resource_types, "consent.resource_types")
        if self.grantee_msp is not None:
            check_msp_id(self.grantee_msp, "consent.grantee_msp")
        if self.practitioner is not None:
            _require(bool(self.grantee_msp), "consent.practitioner", "a grantee_msp with it")
            _require(0 < len(self.practitioner) <= 128, "consent.practitioner", "1 to 128 letters")
        for name, moment in (("not_before", self.not_before), ("not_after", self.not_after)):
            in_range = moment is None or moment in _TIMES
            _require(in_range, f"consent.{name}", "milliseconds since 1970, until the year 9999")
        if self.not_after is not None:
            _require(self.not_after > now, "consent.not_after", "a time to come")
            start = self.not_before if self.not_before is not None else now
            _require(self.not_after > start, "consent.not_after", "a time after not_before")
        if self.type is ConsentType.PERMIT:
            _require(self.grantee_msp is not None, "consent.grantee_msp", "one in a permit")
            _require(self.not_after is not None, "consent.not_after", "an end in a permit")
            _require(bool(self.purposes), "consent.purposes", "at least one in a permit")
            _require(
                bool(self.categories or self.resource_types),
                "consent.categories",
                "a category or a resource type in a permit",
            )

    def repeats(self, other: "ConsentTerms") -> bool:
        """Same statement, whatever the period and salt: revoking one would leave the other."""
        return (
            (self.type, self.grantee_msp, self.practitioner)
            == (other.type, other.grantee_msp, other.practitioner)
            and set(self.purposes) == set(other.purposes)
            and set(self.categories) == set(other.categories)
            and set(self.resource_types) == set(other.resource_types)
        )


@dataclass(frozen=True, kw_only=True)
class ConsentEntry:
    """Public pointer to a consent: nothing of what it says."""

    status: ConsentStatus
    version: int
    granted_at: int
    changed_at: int


@dataclass(frozen=True, kw_only=True)
class Consent:
    """A consent with its terms, as a decision reads it."""

    id: str
    entry: ConsentEntry
    terms: ConsentTerms


@dataclass(frozen=True, kw_only=True)
class ConsentVersion:
    """Answer of ``GrantConsent`` and ``RevokeConsent``."""

    consent_id: str
    version: int


@dataclass(frozen=True, kw_only=True)
class ConsentView:
    """One row of ``ListConsents``."""

    consent_id: str
    status: ConsentStatus
    version: int
    granted_at: int
    changed_at: int
    type: ConsentType
    grantee_msp: str | None
    practitioner: str | None
    purposes: tuple[Purpose, ...]
    categories: tuple[str, ...]
    resource_types: tuple[str, ...]
    not_before: int | None
    not_after: int | None


# --- access ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Portion:
    """Records of a category and a resource type; None: of any."""

    category: str | None
    resource_type: str | None

    def matches(self, labels: Labels) -> bool:
        """Is a record with ``labels`` in this portion?"""
        return self.category in (None, *labels.categories) and self.resource_type in (
            None,
            labels.resource_type,
        )


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """Transient ``request`` of ``RequestAccess``."""

    purpose: Purpose
    categories: tuple[str, ...]
    resource_types: tuple[str, ...]
    salt: str

    def check(self) -> None:
        """Refuse a malformed request, or one for everything: only what is needed is asked for."""
        _require_match(_SALT, self.salt, "request.salt", "at least 32 lower-case hex digits")
        _require_codes(self.categories, "request.categories")
        _require_codes(self.resource_types, "request.resource_types")
        _require(
            bool(self.categories or self.resource_types),
            "request.categories",
            "a category or a resource type",
        )


@dataclass(frozen=True, kw_only=True)
class AccessEntry:
    """Public: that an access was asked for, and how it was decided."""

    requester_msp: str
    requester: str
    """SHA-256 (hex) of the requester's client id."""
    decision: Verdict
    reason: str
    """``permitted`` or ``no-consent``; the exact reason is in the details."""
    decided_at: int
    expires_at: int | None
    """First millisecond at which the permit is over; None: a denial."""
    consents: tuple[ConsentVersion, ...]
    """Each consent that the permit rests on, at the version decided upon."""


@dataclass(frozen=True, kw_only=True)
class AccessDetails:
    """Private: what was asked and granted, in the custodians' collection."""

    request: AccessRequest
    practitioner: str
    reason: str
    portions: tuple[Portion, ...]
    """What is granted."""
    exclusions: tuple[Portion, ...]
    """What is forbidden even where a granted portion has it."""
    salt: str
    """Unknown to the requester: see :func:`details_salt`."""


def details_salt(request: AccessRequest, consents: Iterable[Consent]) -> str:
    """Make a salt (hex) that the requester cannot compute once the patient has any consent.

    The hash of the details is in the block. With the requester's own salt alone, the requester
    would try each reason until the hash fits, and learn that, and how, the patient objected.
    """
    salts = [request.salt, *sorted(consent.terms.salt for consent in consents)]
    return hashlib.sha256("/".join(salts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class AccessDecision:
    """Answer of ``RequestAccess``; public, so without portions."""

    request_id: str
    decision: Verdict
    reason: str
    expires_at: int | None


@dataclass(frozen=True, kw_only=True)
class AccessView:
    """One row of ``ListAccess``."""

    request_id: str
    requester_msp: str
    practitioner: str
    purpose: Purpose
    categories: tuple[str, ...]
    resource_types: tuple[str, ...]
    decision: Verdict
    reason: str
    decided_at: int
    expires_at: int | None
