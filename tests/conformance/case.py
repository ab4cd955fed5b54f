"""One row of the comparison, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from conformance.calls import Call
from conformance.consortium import IMPLEMENTATIONS
from conformance.observed import Observed, same_payload

OFFICIAL = ("go", "node")

STATUS = {"INTERNAL": 500, "INVALID_ARGUMENT": 400, "REFUSED": 400, "UNKNOWN_FUNCTION": 404}
"""The code of a refusal of our contract API → the status that belongs to it."""

Outcome = Mapping[str, Sequence[Observed]]
"""What each implementation has shown, call by call."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Calls whose outcomes are compared, one by one, between the implementations."""

    name: str
    calls: tuple[Call, ...]
    among: tuple[str, ...] = IMPLEMENTATIONS
    """Who takes part: the others have no such function, for the reason in `why`."""
    follows: str | None = None
    """`go` or `node`: the two disagree, and ours is like this one, for the reason in `why`."""
    departs: Mapping[str, str] = field(default_factory=dict)
    """`ours` or `raw` → what its last call shows: its answer, or the code (raw: the words) of its
    refusal. It is unlike both official ones, on purpose, for the reason in `why`."""
    code: str = "INTERNAL"
    """Where the official ones refuse: the code of the refusal of our contract API."""
    words: bool = False
    """Where they refuse: the words are the peer's, or the contract's own, and the same for all."""
    exact: bool = False
    """The payload is compared byte by byte, even if it is JSON."""
    view: Callable[[str], str] = str
    """What of a payload is compared."""
    why: str = ""
    """What each of the official ones does, and why ours does as it does; `docs/conformance.md`
    has it word by word."""

    def judge(self, observed: Outcome) -> dict[str, str]:
        """Of each implementation that is not as it should be: in what way."""
        wrong = {
            each: f"no answer: {shown.message}"
            for each in self.among
            for shown in observed[each]
            if not shown.status
        }
        if wrong:
            return wrong
        official = [each for each in OFFICIAL if each in self.among]
        if len(official) == 2:
            difference = self._difference(observed["go"], observed["node"])
            if difference and self.follows is None:
                wrong["node"] = f"not like Go, and nothing says why: {difference}"
            if not difference and self.follows is not None:
                wrong["node"] = "like Go now: the case says that they disagree"
        reference = observed[self.follows or official[0]]
        for each in self.among:
            if each in OFFICIAL:
                continue
            departure = self.departs.get(each)
            difference = self._difference(reference, observed[each], ours=each == "ours")
            if departure is not None:
                difference = _departure(departure, difference, observed[each][-1])
            if difference:
                wrong[each] = difference
        return wrong

    def _difference(
        self, reference: Sequence[Observed], other: Sequence[Observed], *, ours: bool = False
    ) -> str:
        for number, (one, two) in enumerate(zip(reference, other, strict=True)):
            difference = self._one_difference(one, two, ours=ours)
            if difference:
                return f"call {number + 1}: {difference}"
        return ""

    def _wrong_refusal(self, reference: Observed, ours: Observed) -> str:
        """Our contract API has its own form: a code, its status, and the words of the contract."""
        if (ours.code, ours.status) != (self.code, STATUS[self.code]):
            return f"the code {ours.code} with status {ours.status}: {ours.message}"
        if self.words and self.code == "REFUSED" and ours.message != reference.message:
            return f"{reference.message!r} and {ours.message!r}"
        return ""

    def _one_difference(self, one: Observed, two: Observed, *, ours: bool) -> str:
        if one.refused and two.refused:
            if ours:
                return self._wrong_refusal(one, two)
            if two.status != one.status:
                return f"status {one.status} and {two.status}"
            if self.words and two.message != one.message:
                return f"{one.message!r} and {two.message!r}"
            return ""
        first, second = self.view(one.payload), self.view(two.payload)
        if not (first == second if self.exact else same_payload(first, second)):
            return f"{first[:300] or one.message!r} and {second[:300] or two.message!r}"
        for what in ("status", "message", "event", "validation", "read_write_sets"):
            if getattr(one, what) != getattr(two, what):
                return f"{what} {getattr(one, what)} and {getattr(two, what)}"
        return ""


def _departure(declared: str, difference: str, observed: Observed) -> str:
    if not difference:
        return "like the official ones now: the case says that it departs"
    if observed.refused and observed.status != STATUS.get(observed.code or "", 500):
        return f"departs with status {observed.status}"
    found = observed.code or observed.message if observed.refused else observed.payload
    return "" if found == declared else f"departs by {found!r}, not by {declared!r}"
