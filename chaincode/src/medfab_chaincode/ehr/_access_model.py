"""Requests for access and their decisions."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ._checks import (
    check_codes,
    check_hex,
    check_list,
    check_patient,
    check_period,
    check_salt,
    check_text,
    require,
)
from ._codes import Reason
from ._consent_model import Consent, ConsentVersion, Purpose, Recipient
from ._portions import Portion, common, portions
from ._purposes import PURPOSES
from ._record_model import Labels
from ._release_model import PermittedBy, Withheld
from ._rules import record_period
from ._scopes import scope_portion

MAX_PATIENTS = 50
"""Of one batch for a worklist: each costs a range of its own."""


class Verdict(StrEnum):
    """Outcome of an access request."""

    PERMIT = "permit"
    DENY = "deny"


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """Transient ``request`` of ``RequestAccess``: what is asked for, and why."""

    purpose: Purpose
    categories: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    data_start: int | None = None
    data_end: int | None = None
    scopes: tuple[str, ...] = ()
    """SMART v2 scopes of the app that asks, as a ceiling; empty: none."""
    basis: str | None = None
    """Protocol or legal basis, where the purpose needs one."""
    public_key: str | None = None
    """Whom a data key is to be wrapped for (SPKI, hex); None: the certificate's key."""
    salt: str

    def check(self, field: str = "request", *, everything: bool = False) -> None:
        """Refuse a malformed request, or one for everything: only what is needed is asked for."""
        check_salt(self.salt, f"{field}.salt")
        check_codes(self.categories, f"{field}.categories")
        check_codes(self.resource_types, f"{field}.resource_types")
        check_period(self.data_start, self.data_end, f"{field}.data")
        check_list(self.scopes, f"{field}.scopes")
        for scope in self.scopes:
            scope_portion(scope, f"{field}.scopes")
        if self.public_key is not None:
            check_hex(self.public_key, f"{field}.public_key")
        if self.basis is not None:
            check_text(self.basis, f"{field}.basis", least=3, most=256)
        if PURPOSES[self.purpose].needs_basis:
            require(self.basis is not None, f"{field}.basis", "a basis for this purpose")
        if not everything:
            require(
                bool(self.categories or self.resource_types),
                f"{field}.categories",
                "a category or a resource type",
            )

    def portions(self) -> set[Portion]:
        """What is asked for, under the ceiling of the scopes."""
        asked = portions(self.categories, self.resource_types)
        return common(asked, self._ceiling()) if self.scopes else asked

    def covers(self, labels: Labels) -> bool:
        """Is a record with ``labels`` asked for? One of unknown time is, whatever the period."""
        first, last = record_period(labels)
        return (
            (not self.categories or not set(self.categories).isdisjoint(labels.categories))
            and (not self.resource_types or labels.resource_type in self.resource_types)
            and (self.data_end is None or first is None or first < self.data_end)
            and (self.data_start is None or last is None or last >= self.data_start)
            and (
                not self.scopes
                or any(
                    each.has(labels.categories, labels.resource_type) for each in self._ceiling()
                )
            )
        )

    def _ceiling(self) -> list[Portion]:
        read = (scope_portion(scope, "scopes") for scope in self.scopes)
        return [portion for portion in read if portion is not None]


@dataclass(frozen=True, kw_only=True)
class BatchItem:
    """One patient of a worklist."""

    patient: str
    request: AccessRequest


@dataclass(frozen=True, kw_only=True)
class RequestBatch:
    """Transient ``requests`` of ``RequestAccessBatch``."""

    items: tuple[BatchItem, ...]

    def check(self) -> None:
        """Refuse an empty or oversized batch, or one that names a patient twice."""
        field = "requests.items"
        require(0 < len(self.items) <= MAX_PATIENTS, field, f"1 to {MAX_PATIENTS} items")
        check_list([item.patient for item in self.items], field, most=MAX_PATIENTS)
        for index, item in enumerate(self.items):
            check_patient(item.patient, f"{field}[{index}].patient")
            item.request.check(f"{field}[{index}].request")


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """Transient ``emergency`` of ``BreakGlass``."""

    reason: str
    categories: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    include_part2: bool = False
    """42 CFR Part 2 records too; said, recorded, and shown to the patient."""
    public_key: str | None = None
    salt: str

    def request(self) -> AccessRequest:
        """What is asked for."""
        return AccessRequest(
            purpose=Purpose.BREAK_GLASS,
            categories=self.categories,
            resource_types=self.resource_types,
            public_key=self.public_key,
            salt=self.salt,
        )

    def check(self) -> None:
        """Refuse a malformed emergency, or one without a reason."""
        self.request().check("emergency", everything=True)
        check_text(self.reason, "emergency.reason", least=10)


@dataclass(frozen=True, kw_only=True)
class OnwardShare:
    """Transient ``share`` of ``ShareOnward``."""

    recipient: Recipient
    purpose: Purpose
    categories: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    basis: str | None = None
    salt: str


@dataclass(frozen=True, kw_only=True)
class AccessEntry:
    """Public: that an access was asked for, and how it was decided."""

    requester_msp: str
    requester: str
    """SHA-256 (hex) of the requester's client id."""
    decision: Verdict
    reason: Reason
    """The public one; the exact reason is in the details."""
    decided_at: int
    expires_at: int | None
    """First millisecond at which the permit is over; None: a denial."""
    consents: tuple[ConsentVersion, ...]
    """Each consent that the permit rests on, at the version decided upon."""


@dataclass(frozen=True, kw_only=True)
class AccessDetails:
    """Private: what was asked and why it was decided so, in the custodians' collection."""

    request: AccessRequest
    practitioner: str
    reason: Reason
    salt: str
    """Unknown to the requester: see :func:`details_salt`."""
    role: str = "practitioner"
    functions: tuple[str, ...] = ()
    public_key: str | None = None
    text: str | None = None
    """The reason given for breaking the glass."""
    include_part2: bool = False
    excluded_labels: tuple[str, ...] = ()
    """What a representative's appointment keeps from the representative."""
    appointment_id: str | None = None
    shared_to: Recipient | None = None
    """Of an onward share: who is to get it."""
    shared_from: str | None = None
    """Of an onward share: the permit under which the sharer got it."""
    portions: tuple[Portion, ...] = ()
    """Of the first slice; nothing reads it."""
    exclusions: tuple[Portion, ...] = ()


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
    reason: Reason
    expires_at: int | None


@dataclass(frozen=True, kw_only=True)
class PatientDecision:
    """One row of the answer of ``RequestAccessBatch``."""

    patient: str
    request_id: str
    decision: Verdict
    reason: Reason
    expires_at: int | None


@dataclass(frozen=True, kw_only=True)
class AccessView:
    """One row of ``ListAccess``."""

    request_id: str
    requester_msp: str
    practitioner: str
    role: str
    purpose: Purpose
    categories: tuple[str, ...]
    resource_types: tuple[str, ...]
    decision: Verdict
    reason: Reason
    decided_at: int
    expires_at: int | None
    consents: tuple[ConsentVersion, ...]
    text: str | None
    include_part2: bool
    shared_to: Recipient | None


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """One row of ``AccountDisclosures``."""

    request_id: str
    at: int
    recipient_msp: str
    practitioner: str
    role: str
    purpose: Purpose
    categories: tuple[str, ...]
    resource_types: tuple[str, ...]
    decision: Verdict
    reason: Reason
    basis: str | None
    accountable: bool


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Answer of ``ExplainAccess``, for the patient alone."""

    decision: Verdict
    reason: Reason
    consents: tuple[ConsentVersion, ...]
    permitted_by: tuple[PermittedBy, ...]
    withheld_by: tuple[Withheld, ...]
