"""May this requester have something of this, now; and may this record go out? Pure functions.

A request is decided without the records, which only their holder has: is there a permit for any
of what is asked that no deny takes away as a whole? The permit pins the consents found. At release
each record is judged by the pinned consents' permits and all present denies.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ._access_model import AccessRequest
from ._codes import Reason
from ._consent_model import (
    Consent,
    ConsentStatus,
    ConsentType,
    ConsentVersion,
    Purpose,
    Rule,
    Terms,
)
from ._portions import Portion, common, portions
from ._purposes import PURPOSES
from ._record_model import Labels, RecordStatus
from ._rules import (
    Requester,
    addresses,
    allows_purpose,
    applies,
    confidentiality,
    denies,
    in_period,
    is_part_2,
    labels_beyond,
    verdict,
)

PERMIT_MILLISECONDS = 3_600_000
"""How long a permit lasts at most; a consent that ends earlier ends it earlier."""

BREAK_GLASS_MILLISECONDS = 900_000
"""How long a broken glass stays open."""

NOT_REQUESTED, NOT_PERMITTED, LABEL = "not-requested", "not-permitted", "label"
"""Why a record is withheld, as the requester is told; also `RecordStatus.ENTERED_IN_ERROR`."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The outcome; with a reason that permits nothing everything else is empty."""

    reason: Reason
    consents: tuple[ConsentVersion, ...] = ()
    """The consents that permit, in order of id."""
    expires_at: int | None = None
    """First millisecond at which the permit is over; None: a denial."""

    @property
    def permitted(self) -> bool:
        """Is anything granted?"""
        return self.reason.permits


def decide(
    consents: Iterable[Consent], request: AccessRequest, requester: Requester, now: int
) -> Decision:
    """Decide on ``request`` at ``now`` (milliseconds): deny by default, and deny over permit."""
    if requester.role not in PURPOSES[request.purpose].roles:
        return Decision(reason=Reason.ROLE_NOT_FOR_PURPOSE)
    consents = list(consents)
    found = [
        (consent, rule)
        for consent in consents
        for rule in _permit_rules(consent.terms)
        if addresses(rule, requester)
    ]
    if not found:
        return Decision(reason=Reason.NO_CONSENT)
    found = [(consent, rule) for consent, rule in found if is_active(consent)]
    if not found:
        return Decision(reason=Reason.CONSENT_REVOKED)
    current = [(consent, rule) for consent, rule in found if in_period(rule, now)]
    if not current:
        over = any(rule.not_after is not None and now >= rule.not_after for _, rule in found)
        return Decision(reason=Reason.CONSENT_EXPIRED if over else Reason.CONSENT_NOT_STARTED)
    current = [each for each in current if allows_purpose(each[1], request.purpose)]
    if not current:
        return Decision(reason=Reason.PURPOSE_NOT_PERMITTED)
    asked = request.portions()
    granted = [
        (consent, rule, common(asked, portions(rule.categories, rule.resource_types)))
        for consent, rule in current
    ]
    if not any(shared for _, _, shared in granted):
        return Decision(reason=Reason.PORTION_NOT_PERMITTED)
    bars = [
        rule
        for consent in consents
        if is_active(consent)
        for rule in _whole_denies(consent.terms)
        if applies(rule, requester, request.purpose, now)
    ]
    used = [
        (consent, rule)
        for consent, rule, shared in granted
        if any(not any(_bars(bar, portion) for bar in bars) for portion in shared)
    ]
    if not used:
        return Decision(reason=Reason.DENIED_BY_PATIENT)
    ends = [rule.not_after for _, rule in used if rule.not_after is not None]
    pinned = {consent.id: consent.at_version for consent, _ in used}
    return Decision(
        reason=Reason.PERMITTED,
        consents=tuple(pinned[consent_id] for consent_id in sorted(pinned)),
        expires_at=min([now + PERMIT_MILLISECONDS, *ends]),
    )


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """About one record."""

    permitted_by: Consent | None = None
    """None beside a release: nobody's consent was needed."""
    withheld: str | None = None
    """Why, for the requester; None: released."""
    exactly: str | None = None
    """Why, for the patient."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """What one read is judged by."""

    request: AccessRequest
    requester: Requester
    consents: Sequence[Consent]
    """All of the patient's."""
    pinned: frozenset[ConsentVersion]
    now: int
    include_part2: bool = False
    excluded_labels: frozenset[str] = frozenset()

    def judge(self, labels: Labels, status: RecordStatus) -> Judgement:
        """Does this record go out?"""
        if status is not RecordStatus.CURRENT:
            return _withheld(RecordStatus.ENTERED_IN_ERROR)
        if not self.request.covers(labels):
            return _withheld(NOT_REQUESTED)
        if self.request.purpose is Purpose.BREAK_GLASS:
            return self._in_emergency(labels)
        if self.request.purpose is Purpose.PATIENT_REQUEST:
            kept = sorted(self.excluded_labels.intersection(_label_codes(labels)))
            return _withheld(LABEL, f"label:{kept[0]}") if kept else Judgement()
        return self._by_consent(labels)

    def _in_emergency(self, labels: Labels) -> Judgement:
        if is_part_2(labels) and not self.include_part2:
            return _withheld(LABEL, _exact_label(labels))
        for consent in self.consents:
            barred = is_active(consent) and any(
                Purpose.BREAK_GLASS in rule.purposes
                and applies(rule, self.requester, Purpose.BREAK_GLASS, self.now)
                and denies(rule, labels)
                for rule in deny_rules(consent.terms)
            )
            if barred:
                return _withheld(NOT_PERMITTED, f"denied-by:{consent.id}")
        return Judgement()

    def _by_consent(self, labels: Labels) -> Judgement:
        permits = []
        for consent in self.consents:
            if not is_active(consent):
                continue
            said = verdict(consent.terms, self.requester, self.request.purpose, self.now, labels)
            if said is ConsentType.DENY:
                return _withheld(NOT_PERMITTED, f"denied-by:{consent.id}")
            if said is ConsentType.PERMIT and consent.at_version in self.pinned:
                permits.append(consent)
        if permits:
            return Judgement(permitted_by=min(permits, key=lambda consent: consent.id))
        rules = [
            rule
            for consent in self.consents
            if is_active(consent) and consent.at_version in self.pinned
            for rule in _permit_rules(consent.terms)
            if applies(rule, self.requester, self.request.purpose, self.now)
        ]
        if labels_beyond(rules, labels):
            return _withheld(LABEL, _exact_label(labels))
        return _withheld(NOT_PERMITTED)


def is_active(consent: Consent) -> bool:
    """Not revoked."""
    return consent.entry.status is ConsentStatus.ACTIVE


def deny_rules(terms: Terms) -> list[Rule]:
    """Every rule by which this consent can deny."""
    own = [terms.rule] if terms.type is ConsentType.DENY else []
    return own + _exceptions(terms, ConsentType.DENY)


def _permit_rules(terms: Terms) -> list[Rule]:
    own = [terms.rule] if terms.type is ConsentType.PERMIT else []
    return own + _exceptions(terms, ConsentType.PERMIT)


def _whole_denies(terms: Terms) -> list[Rule]:
    """Rules that deny whole portions, whatever the record: known without the records."""
    rules = _exceptions(terms, ConsentType.DENY)
    if terms.type is ConsentType.DENY and not _exceptions(terms, ConsentType.PERMIT):
        rules.append(terms.rule)
    return [rule for rule in rules if _is_unconditional(rule)]


def _exceptions(terms: Terms, kind: ConsentType) -> list[Rule]:
    return [each.rule.within(terms.rule) for each in terms.exceptions if each.type is kind]


def _is_unconditional(rule: Rule) -> bool:
    conditions = (rule.security_labels, rule.authors, rule.instances, rule.related)
    return not any(conditions) and rule.data_start is None and rule.data_end is None


def _bars(rule: Rule, portion: Portion) -> bool:
    return (not rule.categories or portion.category in rule.categories) and (
        not rule.resource_types or portion.resource_type in rule.resource_types
    )


def _withheld(reason: str, exactly: str | None = None) -> Judgement:
    return Judgement(withheld=reason, exactly=exactly or reason)


def _label_codes(labels: Labels) -> set[str]:
    return {*labels.sensitivity, confidentiality(labels)}


def _exact_label(labels: Labels) -> str:
    return "label:" + "+".join(sorted(labels.sensitivity) or [confidentiality(labels)])
