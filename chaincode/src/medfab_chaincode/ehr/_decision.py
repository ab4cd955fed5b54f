"""May this requester have these portions, now? A pure function of consents and request.

Permits are intersected with what is asked; a deny that covers a portion takes it away, and every
deny that applies is kept as exclusions, because a record may carry several categories and a deny
of one is enough.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product, starmap

from ._codes import Reason
from ._model import (
    AccessRequest,
    Consent,
    ConsentStatus,
    ConsentTerms,
    ConsentType,
    ConsentVersion,
    Labels,
    Portion,
)

PERMIT_MILLISECONDS = 3_600_000
"""How long a permit lasts at most; a consent that ends earlier ends it earlier."""

# FHIR says what such a record is about by its category alone: without one it could be anything.
_CATEGORISED_TYPES = frozenset({"DiagnosticReport", "Observation"})

# v3-Confidentiality up to normal. R, V and every sensitivity label (HIV, PSY, ETH…) are above.
_OPEN_LABELS = frozenset({"U", "L", "M", "N"})


@dataclass(frozen=True, kw_only=True)
class Requester:
    """Who asks, as their certificate says."""

    msp_id: str
    practitioner: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The outcome; with ``reason`` other than ``permitted`` everything else is empty."""

    reason: Reason
    portions: tuple[Portion, ...] = ()
    exclusions: tuple[Portion, ...] = ()
    consents: tuple[ConsentVersion, ...] = ()
    """The permits used, in order of id."""
    expires_at: int | None = None
    """First millisecond at which the permit is over; None: a denial."""

    @property
    def permitted(self) -> bool:
        """Is anything granted?"""
        return self.reason is Reason.PERMITTED


def decide(
    consents: Iterable[Consent], request: AccessRequest, requester: Requester, now: int
) -> Decision:
    """Decide on ``request`` at ``now`` (milliseconds): deny by default, and deny over permit."""
    addressed = [consent for consent in consents if _addresses(consent.terms, requester)]
    permits = [consent for consent in addressed if consent.terms.type is ConsentType.PERMIT]
    if not permits:
        return Decision(reason=Reason.NO_CONSENT)
    permits = [consent for consent in permits if _is_active(consent)]
    if not permits:
        return Decision(reason=Reason.CONSENT_REVOKED)
    current = [consent for consent in permits if _in_period(consent.terms, now)]
    if not current:
        over = any(_is_over(consent.terms, now) for consent in permits)
        return Decision(reason=Reason.CONSENT_EXPIRED if over else Reason.CONSENT_NOT_STARTED)
    current = [consent for consent in current if _allows(consent.terms, request)]
    if not current:
        return Decision(reason=Reason.PURPOSE_NOT_PERMITTED)
    granted = {consent.id: _common_portions(consent.terms, request) for consent in current}
    if not any(granted.values()):
        return Decision(reason=Reason.PORTION_NOT_PERMITTED)

    denies = [
        consent.terms
        for consent in addressed
        if consent.terms.type is ConsentType.DENY
        and _is_active(consent)
        and _in_period(consent.terms, now)
        and _allows(consent.terms, request)
    ]
    remaining = {
        consent_id: {
            portion for portion in portions if not any(_covers(terms, portion) for terms in denies)
        }
        for consent_id, portions in granted.items()
    }
    used = [consent for consent in current if remaining[consent.id]]
    if not used:
        return Decision(reason=Reason.DENIED_BY_PATIENT)
    ends = [consent.terms.not_after for consent in used if consent.terms.not_after is not None]
    return Decision(
        reason=Reason.PERMITTED,
        portions=_in_order(set().union(*remaining.values())),
        exclusions=_in_order({portion for terms in denies for portion in _portions(terms)}),
        consents=tuple(
            ConsentVersion(consent_id=consent.id, version=consent.entry.version)
            for consent in sorted(used, key=lambda consent: consent.id)
        ),
        expires_at=min([now + PERMIT_MILLISECONDS, *ends]),
    )


def releases(portions: Sequence[Portion], exclusions: Sequence[Portion], labels: Labels) -> bool:
    """Does a grant of ``portions`` without ``exclusions`` let a record with ``labels`` out?"""
    if labels.resource_type in _CATEGORISED_TYPES and not labels.categories:
        return False
    if not _OPEN_LABELS.issuperset(labels.security):
        return False
    return any(portion.matches(labels) for portion in portions) and not any(
        portion.matches(labels) for portion in exclusions
    )


def _addresses(terms: ConsentTerms, requester: Requester) -> bool:
    return terms.grantee_msp in (None, requester.msp_id) and terms.practitioner in (
        None,
        requester.practitioner,
    )


def _is_active(consent: Consent) -> bool:
    return consent.entry.status is ConsentStatus.ACTIVE


def _is_over(terms: ConsentTerms, now: int) -> bool:
    return terms.not_after is not None and now >= terms.not_after


def _in_period(terms: ConsentTerms, now: int) -> bool:
    return (terms.not_before is None or terms.not_before <= now) and not _is_over(terms, now)


def _allows(terms: ConsentTerms, request: AccessRequest) -> bool:
    return not terms.purposes or request.purpose in terms.purposes


def _covers(terms: ConsentTerms, portion: Portion) -> bool:
    return (not terms.categories or portion.category in terms.categories) and (
        not terms.resource_types or portion.resource_type in terms.resource_types
    )


def _common_portions(terms: ConsentTerms, request: AccessRequest) -> set[Portion]:
    categories = _common(terms.categories, request.categories)
    resource_types = _common(terms.resource_types, request.resource_types)
    return set(starmap(Portion, product(categories, resource_types)))


def _portions(terms: ConsentTerms) -> set[Portion]:
    return set(
        starmap(Portion, product(terms.categories or [None], terms.resource_types or [None]))
    )


def _common(one: Sequence[str], other: Sequence[str]) -> set[str | None]:
    """Intersect two lists of which an empty one means any."""
    if one and other:
        return {entry for entry in one if entry in other}
    return {*(one or other)} or {None}


def _in_order(portions: set[Portion]) -> tuple[Portion, ...]:
    return tuple(
        sorted(portions, key=lambda portion: (portion.category or "", portion.resource_type or ""))
    )
