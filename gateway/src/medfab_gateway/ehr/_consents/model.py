"""The canonical consent: what the contract decides by, whatever FHIR version it came in.

An empty tuple means "any", None "not limited". An exception inherits from the consent's rule each
dimension that it leaves empty. Of one consent, for one record and one requester: an exception of
type deny that matches denies; else one of type permit permits; else the rule, if it matches, says
what the consent's type says; else the consent is silent. Of all consents: deny beats permit, and
nothing is no.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ConsentType(StrEnum):
    """Does a consent allow or forbid?"""

    PERMIT = "permit"
    DENY = "deny"

    @property
    def opposite(self) -> ConsentType:
        """The other one."""
        return ConsentType.DENY if self is ConsentType.PERMIT else ConsentType.PERMIT


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Who may receive; what is None is not limited, but something must be said."""

    msp_id: str | None = None
    """An organisation; a permit names one."""
    role: str | None = None
    """One of the functions, or the role, in the recipient's certificate."""
    practitioner: str | None = None
    """Id of one person, as in the certificate."""

    def __post_init__(self) -> None:
        if self.msp_id is self.role is self.practitioner is None:
            raise ValueError("a recipient has an organisation, a role or a practitioner's id")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Who, for what, when, and which records; every dimension must match."""

    not_before: datetime | None = None
    not_after: datetime | None = None
    """The first moment at which it no longer holds."""
    recipients: tuple[Recipient, ...] = ()
    purposes: tuple[str, ...] = ()
    """Of HL7 v3 ActReason, e.g. ``TREAT``."""
    categories: tuple[str, ...] = ()
    """Of observation-category, e.g. ``laboratory``."""
    resource_types: tuple[str, ...] = ()
    security_labels: tuple[str, ...] = ()
    """Confidentiality (``N``, ``R``…) and sensitivities (``PSY``, ``HIV``…)."""
    data_start: datetime | None = None
    """Records about this time on…"""
    data_end: datetime | None = None
    """…and before this."""
    authors: tuple[str, ...] = ()
    """References, ``Practitioner/7``, to who wrote a record."""
    instances: tuple[str, ...] = ()
    """References, ``Observation/7``, to single records."""
    related: tuple[str, ...] = ()
    """References, ``Encounter/7``, that a record must contain."""


@dataclass(frozen=True, kw_only=True)
class ConsentException:
    """Where a consent says something else than by its rule."""

    type: ConsentType
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class ConsentTerms:
    """A consent: a rule, and one level of exceptions from it."""

    type: ConsentType
    rule: Rule
    exceptions: tuple[ConsentException, ...] = ()
    redisclosure: bool = False
    """May a recipient pass on what was received? It is not a part of FHIR Consent: see
    :func:`read_consent`."""
    source: str | None = field(default=None, repr=False)
    """The FHIR Consent that it was read from, as JSON; None: it was made without one."""
