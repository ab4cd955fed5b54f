"""What an authority reads, and keeps for six years."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medfab_gateway.pharma._answers import (
    Acknowledgement,
    Holding,
    Notification,
    Partner,
    PendingVerification,
    Recall,
)


@dataclass(frozen=True, kw_only=True)
class RecallStatus:
    """A recall, and how far it has got."""

    recall: Recall
    holders: tuple[Holding, ...]
    acknowledgements: tuple[Acknowledgement, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Organisations that hold units of the lot and have not taken note of the recall."""
        known = {each.msp for each in self.acknowledgements}
        return tuple(sorted({each.msp for each in self.holders if each.count} - known))


@dataclass(frozen=True, kw_only=True)
class RegulatorReport:
    """The state of a supply channel."""

    at: datetime
    partners: tuple[Partner, ...]
    recalls: tuple[RecallStatus, ...]
    verifications: tuple[PendingVerification, ...]
    notifications: tuple[Notification, ...]

    @property
    def overdue_verifications(self) -> tuple[PendingVerification, ...]:
        """What was not answered within 24 hours."""
        return tuple(each for each in self.verifications if each.overdue)

    @property
    def lapsed_licences(self) -> tuple[Partner, ...]:
        """Partners whose licence has ended, or has not begun."""
        return tuple(p for p in self.partners if not p.valid_from <= self.at < p.valid_to)

    def as_document(self) -> dict[str, Any]:
        """For JSON: times in ISO 8601."""
        return {
            **_plain(self),
            "overdue_verifications": len(self.overdue_verifications),
            "lapsed_licences": [partner.msp for partner in self.lapsed_licences],
            "recalls": [
                {**_plain(each), "missing_acknowledgements": list(each.missing)}
                for each in self.recalls
            ],
        }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
