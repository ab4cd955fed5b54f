"""What a consent says about one record: pure functions of rule, requester, purpose and labels.

Unknown counts against release: a permit must be sure to cover a record, a deny need only possibly
do so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ._consent_model import ConsentType, Purpose, Recipient, Rule, Terms
from ._record_model import Confidentiality, Labels

# FHIR says what such a record is about by its category alone: without one it could be anything.
_CATEGORISED_TYPES = frozenset({"DiagnosticReport", "Observation"})

_RANKS = {each.value: each.rank for each in Confidentiality}
_NORMAL, _RESTRICTED = Confidentiality.NORMAL.rank, Confidentiality.RESTRICTED.rank

PART_2 = frozenset({"ETH", "ETHUD", "OPIOIDUD"})
"""Labels of substance use disorder records (42 CFR Part 2)."""


@dataclass(frozen=True, kw_only=True)
class Requester:
    """Who asks, as their certificate says."""

    msp_id: str
    practitioner: str
    """Id of the person; of a patient: the pseudonym."""
    role: str = "practitioner"
    functions: frozenset[str] = frozenset()


def addresses(rule: Rule, requester: Requester) -> bool:
    """Does the rule mean this requester?"""
    return not rule.recipients or any(_is(each, requester) for each in rule.recipients)


def in_period(rule: Rule, now: int) -> bool:
    """Start inclusive, end exclusive."""
    return (rule.not_before is None or rule.not_before <= now) and (
        rule.not_after is None or now < rule.not_after
    )


def allows_purpose(rule: Rule, purpose: Purpose) -> bool:
    """Does the rule mean this purpose?"""
    return not rule.purposes or purpose in rule.purposes


def applies(rule: Rule, requester: Requester, purpose: Purpose, now: int) -> bool:
    """Does the rule mean this requester, purpose and time, whatever the record?"""
    return addresses(rule, requester) and allows_purpose(rule, purpose) and in_period(rule, now)


def permits(rule: Rule, labels: Labels) -> bool:
    """Is the record surely one of those that a permit's rule is about?"""
    return (
        (not rule.categories or not set(rule.categories).isdisjoint(labels.categories))
        and (bool(labels.categories) or not _needs_category(labels) or bool(rule.instances))
        and (not rule.resource_types or labels.resource_type in rule.resource_types)
        and _labels_permitted(rule, labels)
        and _references_match(rule, labels)
        and (_has_no_period(rule) or _within(rule, labels))
    )


def denies(rule: Rule, labels: Labels) -> bool:
    """Is the record possibly one of those that a deny's rule is about?"""
    return (
        (
            not rule.categories
            or not set(rule.categories).isdisjoint(labels.categories)
            or (_needs_category(labels) and not labels.categories)
        )
        and (not rule.resource_types or labels.resource_type in rule.resource_types)
        and _labels_denied(rule, labels)
        and _references_match(rule, labels)
        and (_has_no_period(rule) or _overlaps(rule, labels))
    )


def verdict(
    terms: Terms, requester: Requester, purpose: Purpose, now: int, labels: Labels
) -> ConsentType | None:
    """What one consent says about one record; None: nothing."""
    matching = {
        exception.type
        for exception in terms.exceptions
        if _covers(
            exception.type, exception.rule.within(terms.rule), requester, purpose, now, labels
        )
    }
    for first in (ConsentType.DENY, ConsentType.PERMIT):
        if first in matching:
            return first
    root = _covers(terms.type, terms.rule, requester, purpose, now, labels)
    return terms.type if root else None


def _covers(
    kind: ConsentType, rule: Rule, requester: Requester, purpose: Purpose, now: int, labels: Labels
) -> bool:
    about = permits if kind is ConsentType.PERMIT else denies
    return applies(rule, requester, purpose, now) and about(rule, labels)


def confidentiality(labels: Labels) -> Confidentiality:
    """The record's confidentiality; an unlabelled one is restricted."""
    return labels.confidentiality or Confidentiality.RESTRICTED


def is_part_2(labels: Labels) -> bool:
    """Is it a record of substance use disorder treatment?"""
    return not PART_2.isdisjoint(labels.sensitivity)


def labels_beyond(rules: Iterable[Rule], labels: Labels) -> bool:
    """Is it by its labels that none of these permits covers the record?"""
    return not any(_labels_permitted(rule, labels) for rule in rules)


def _is(recipient: Recipient, requester: Requester) -> bool:
    return (
        recipient.msp_id in (None, requester.msp_id)
        and recipient.practitioner in (None, requester.practitioner)
        and (recipient.role in (None, requester.role) or recipient.role in requester.functions)
    )


def _needs_category(labels: Labels) -> bool:
    return labels.resource_type in _CATEGORISED_TYPES


def _labels_permitted(rule: Rule, labels: Labels) -> bool:
    ranks = [_RANKS[code] for code in rule.security_labels if code in _RANKS]
    named = {code for code in rule.security_labels if code not in _RANKS}
    ceiling = max(ranks) if ranks else _RESTRICTED if named else _NORMAL
    return (
        confidentiality(labels).rank <= ceiling
        and named.issuperset(labels.sensitivity)
        and (bool(ranks) or not named or not named.isdisjoint(labels.sensitivity))
    )


def _labels_denied(rule: Rule, labels: Labels) -> bool:
    if not rule.security_labels:
        return True
    ranks = [_RANKS[code] for code in rule.security_labels if code in _RANKS]
    return (bool(ranks) and confidentiality(labels).rank >= min(ranks)) or not set(
        rule.security_labels
    ).isdisjoint(labels.sensitivity)


def _references_match(rule: Rule, labels: Labels) -> bool:
    return (
        (not rule.authors or not set(rule.authors).isdisjoint(labels.authors))
        and (not rule.instances or labels.reference in rule.instances)
        and (not rule.related or not set(rule.related).isdisjoint(labels.related))
    )


def _has_no_period(rule: Rule) -> bool:
    return rule.data_start is None and rule.data_end is None


def record_period(labels: Labels) -> tuple[int | None, int | None]:
    """First and last millisecond of what the record is about; None: open, or not known."""
    if labels.period_start is None and labels.period_end is None:
        return labels.authored, labels.authored
    last = None if labels.period_end is None else labels.period_end - 1
    return labels.period_start, last


def _within(rule: Rule, labels: Labels) -> bool:
    first, last = record_period(labels)
    return (rule.data_start is None or (first is not None and first >= rule.data_start)) and (
        rule.data_end is None or (last is not None and last < rule.data_end)
    )


def _overlaps(rule: Rule, labels: Labels) -> bool:
    first, last = record_period(labels)
    return (rule.data_end is None or first is None or first < rule.data_end) and (
        rule.data_start is None or last is None or last >= rule.data_start
    )
