"""The table that `make conformance` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from conformance.case import OFFICIAL, Case, Outcome
from conformance.cases import CASES
from conformance.consortium import IMPLEMENTATIONS

Outcomes = Mapping[tuple[str, str], Outcome]
"""By section and name of the case."""

SAME, FORM, DEPARTS, OTHER, WRONG, ABSENT = "✓", "≈", "!", "≠", "✗", "·"

_LEGEND = (
    f"{SAME} the same   {FORM} refused as well, in our form of refusals   "
    f"{OTHER} the official one that ours does not follow   {DEPARTS} ours departs from both, on "
    f"purpose   {ABSENT} has no such function   {WRONG} wrong"
)


def report(outcomes: Outcomes) -> Iterator[str]:
    """One line for each case, then how often each mark occurs."""
    counts: dict[str, Counter[str]] = {each: Counter() for each in IMPLEMENTATIONS}
    yield f"{'':58} " + " ".join(f"{each:>5}" for each in IMPLEMENTATIONS)
    for section, case in CASES:
        marks = {each: _mark(case, each, outcomes[section, case.name]) for each in IMPLEMENTATIONS}
        for each, mark in marks.items():
            counts[each][mark] += 1
        line = f"{section}: {case.name}"
        yield f"{line[:58]:58} " + " ".join(f"{marks[each]:>5}" for each in IMPLEMENTATIONS)
    for mark in (SAME, FORM, DEPARTS, OTHER, ABSENT, WRONG):
        yield f"{mark:58} " + " ".join(f"{counts[each][mark]:>5}" for each in IMPLEMENTATIONS)
    yield _LEGEND


def _mark(case: Case, implementation: str, outcome: Outcome) -> str:
    if implementation not in case.among:
        return ABSENT
    if implementation in case.judge(outcome):
        return WRONG
    if implementation in case.departs:
        return DEPARTS
    if implementation in OFFICIAL:
        return SAME if case.follows in (None, implementation) else OTHER
    in_our_form = implementation == "ours" and any(shown.refused for shown in outcome["ours"])
    return FORM if in_our_form else SAME
