"""Consents as they are received, kept and listed: one canonical model for every form of FHIR's.

An empty list or None leaves a dimension open. Times are whole milliseconds since 1970 UTC. What it
means is in `_rules`; docs/design/ehr.md has the reasons.
"""

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from medfab_chaincode import parse_state

from ._checks import (
    MAX_LIST,
    check_codes,
    check_list,
    check_msp_id,
    check_period,
    check_person,
    check_references,
    check_salt,
    check_text,
    check_time,
    require,
)

MAX_SOURCE = 65_536


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


class ConsentType(StrEnum):
    """Does a consent, or one of its exceptions, allow or forbid?"""

    PERMIT = "permit"
    DENY = "deny"


class ConsentStatus(StrEnum):
    """State of a consent; a revoked one never becomes active again."""

    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Whoever has all that is named."""

    msp_id: str | None = None
    role: str | None = None
    """One of the certificate's functions (``medfab.functions``), or its role."""
    practitioner: str | None = None

    def check(self, field: str) -> None:
        """Refuse a malformed recipient, or one that is nobody in particular."""
        if self.msp_id is not None:
            check_msp_id(self.msp_id, f"{field}.msp_id")
        if self.role is not None:
            check_person(self.role, f"{field}.role")
        if self.practitioner is not None:
            check_person(self.practitioner, f"{field}.practitioner")
        named = (self.msp_id, self.role, self.practitioner)
        require(any(part is not None for part in named), field, "an organisation, role or person")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """To whom, for what, when, and of which records."""

    not_before: int | None = None
    not_after: int | None = None
    """First millisecond after validity."""
    recipients: tuple[Recipient, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    categories: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    security_labels: tuple[str, ...] = ()
    data_start: int | None = None
    data_end: int | None = None
    authors: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    related: tuple[str, ...] = ()

    def within(self, root: "Rule") -> "Rule":
        """This exception's rule, with the root's word where it has none of its own."""
        return replace(
            root,
            **{
                name: value
                for name in self.__dataclass_fields__
                if (value := getattr(self, name)) not in (None, ())
            },
        )

    def check(self, field: str) -> None:
        """Refuse a malformed rule."""
        check_time(self.not_before, f"{field}.not_before")
        check_time(self.not_after, f"{field}.not_after")
        check_list(self.recipients, f"{field}.recipients")
        for index, recipient in enumerate(self.recipients):
            recipient.check(f"{field}.recipients[{index}]")
        check_list(self.purposes, f"{field}.purposes")
        check_codes(self.categories, f"{field}.categories")
        check_codes(self.resource_types, f"{field}.resource_types")
        check_codes(self.security_labels, f"{field}.security_labels")
        check_period(self.data_start, self.data_end, f"{field}.data")
        check_references(self.authors, f"{field}.authors")
        check_references(self.instances, f"{field}.instances")
        check_references(self.related, f"{field}.related")

    def check_lasts(self, field: str, now: int) -> None:
        """Refuse what is over, or ends before it begins."""
        if self.not_after is not None:
            require(self.not_after > now, f"{field}.not_after", "a time to come")
            require(
                self.not_before is None or self.not_before < self.not_after,
                f"{field}.not_after",
                "a time after not_before",
            )

    def check_permit(self, field: str) -> None:
        """Refuse a permit for anybody, for anything, or without an end."""
        require(bool(self.recipients), f"{field}.recipients", "at least one in a permit")
        for index, recipient in enumerate(self.recipients):
            where = f"{field}.recipients[{index}].msp_id"
            require(recipient.msp_id is not None, where, "an organisation in a permit")
        require(bool(self.purposes), f"{field}.purposes", "at least one in a permit")
        require(self.not_after is not None, f"{field}.not_after", "an end in a permit")


@dataclass(frozen=True, kw_only=True)
class ConsentException:
    """One level of exceptions, of either type."""

    type: ConsentType
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Transient ``consent`` of ``GrantConsent`` and ``AmendConsent``; kept as it is (private)."""

    type: ConsentType
    rule: Rule
    exceptions: tuple[ConsentException, ...] = ()
    redisclosure: bool = False
    """May a recipient pass on what it has got?"""
    source: str | None = None
    """The FHIR Consent as it came, for the way back; nobody here reads it."""
    salt: str

    def check(self, now: int) -> None:
        """Refuse terms that are malformed, over already, or permit too widely."""
        check_salt(self.salt, "consent.salt")
        if self.source is not None:
            check_text(self.source, "consent.source", most=MAX_SOURCE)
        require(
            len(self.exceptions) <= MAX_LIST, "consent.exceptions", f"at most {MAX_LIST} entries"
        )
        self.rule.check("consent.rule")
        self.rule.check_lasts("consent.rule", now)
        if self.type is ConsentType.PERMIT:
            self.rule.check_permit("consent.rule")
        for index, exception in enumerate(self.exceptions):
            field = f"consent.exceptions[{index}].rule"
            exception.rule.check(field)
            full = exception.rule.within(self.rule)
            full.check_lasts(field, now)
            if exception.type is ConsentType.PERMIT:
                full.check_permit(field)

    def repeats(self, other: "Terms") -> bool:
        """Same statement, whatever period, source and salt: one revoke would leave the other."""
        return self._statement() == other._statement()

    def _statement(self) -> object:
        exceptions = {(each.type, _statement(each.rule)) for each in self.exceptions}
        return self.type, self.redisclosure, _statement(self.rule), frozenset(exceptions)


def _statement(rule: Rule) -> object:
    timeless = replace(rule, not_before=None, not_after=None)
    values = (getattr(timeless, name) for name in Rule.__dataclass_fields__)
    return tuple(frozenset(value) if isinstance(value, tuple) else value for value in values)


@dataclass(frozen=True, kw_only=True)
class _FirstTerms:
    """Terms as the first slice of this contract kept them."""

    type: ConsentType
    purposes: tuple[Purpose, ...]
    categories: tuple[str, ...]
    resource_types: tuple[str, ...]
    salt: str
    grantee_msp: str | None = None
    practitioner: str | None = None
    not_before: int | None = None
    not_after: int | None = None


def parse_terms(data: bytes) -> Terms:
    """Read stored terms, of this form or of the first slice's."""
    if "rule" in json.loads(data):
        return parse_state(Terms, data)
    first = parse_state(_FirstTerms, data)
    named = first.grantee_msp is not None or first.practitioner is not None
    recipient = Recipient(msp_id=first.grantee_msp, practitioner=first.practitioner)
    rule = Rule(
        not_before=first.not_before,
        not_after=first.not_after,
        recipients=(recipient,) if named else (),
        purposes=first.purposes,
        categories=first.categories,
        resource_types=first.resource_types,
    )
    return Terms(type=first.type, rule=rule, salt=first.salt)


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
    terms: Terms

    @property
    def at_version(self) -> "ConsentVersion":
        """The id with the version it has now."""
        return ConsentVersion(consent_id=self.id, version=self.entry.version)


@dataclass(frozen=True, kw_only=True)
class ConsentVersion:
    """Answer of ``GrantConsent``, ``AmendConsent`` and ``RevokeConsent``; part of decisions."""

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
    rule: Rule
    exceptions: tuple[ConsentException, ...]
    redisclosure: bool
    source: str | None


@dataclass(frozen=True, kw_only=True)
class TermsVersion:
    """One version of a consent in ``ReadConsent``."""

    version: int
    terms: Terms


@dataclass(frozen=True, kw_only=True)
class ConsentHistory:
    """Answer of ``ReadConsent``: every version, oldest first."""

    consent_id: str
    status: ConsentStatus
    version: int
    granted_at: int
    changed_at: int
    versions: tuple[TermsVersion, ...]
