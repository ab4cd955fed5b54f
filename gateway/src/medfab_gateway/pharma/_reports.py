"""What became of the events of a document."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class Outcome(enum.StrEnum):
    """What became of one event."""

    CAPTURED = "captured"
    """Its transition is on the ledger."""
    RECORDED = "recorded"
    """It moves nothing; that it was captured is on the ledger."""
    REPEATED = "repeated"
    """It was captured before, and changed nothing now."""
    REFUSED = "refused"
    """Nothing of it is on the ledger; `message` says why."""


@dataclass(frozen=True, kw_only=True)
class EventOutcome:
    """One event of a document."""

    index: int
    event_id: str
    """The CBV event hash."""
    step: str
    outcome: Outcome
    function: str | None = None
    """Of the contract."""
    transaction_id: str | None = None
    code: str | None = None
    """Of the refusal, e.g. `NOT_HOLDER`."""
    message: str | None = None

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "index": self.index,
            "event_id": self.event_id,
            "step": self.step,
            "outcome": str(self.outcome),
            "function": self.function,
            "transaction_id": self.transaction_id,
            "code": self.code,
            "message": self.message,
        }


@dataclass(frozen=True, kw_only=True)
class CaptureReport:
    """All events of a document, in order."""

    events: tuple[EventOutcome, ...]

    def count(self, outcome: Outcome) -> int:
        """How many events came out so."""
        return sum(event.outcome is outcome for event in self.events)

    @property
    def complete(self) -> bool:
        """Whether no event was refused."""
        return not self.count(Outcome.REFUSED)

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        counts = {str(outcome): self.count(outcome) for outcome in Outcome}
        return {**counts, "events": [event.as_document() for event in self.events]}
