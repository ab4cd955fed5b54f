"""Disclosures and patients' notifications, in SQL: a projection of the public skeleton.

    Consumer("care", channel="care", ..., projections=[HealthRecords()])

or, in ``consumers.toml``, ``use = "health-records"``. It has what every member of the channel can
read: who asked for whose record when, and how it was decided; never purposes, portions or names,
which the patient has by ``AsyncPatient.disclosures``. `ehr_accounting` is what was permitted,
with the flag of break-glass, `ehr_notifications` what a patient must be told of, for a service that
sends it and marks nothing here: it keeps the last ``(at, id)`` it has sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from medfab_gateway.consumers import (
    BOOLEAN,
    INTEGER,
    TEXT,
    Operation,
    Projection,
    Table,
    View,
    Written,
    composite,
    on_write,
    optional,
)

_ACCESSES = Table(
    "ehr_accesses",
    {
        "patient": TEXT,
        "request_id": TEXT,
        "requester_msp": TEXT,
        "requester": TEXT,
        "decision": TEXT,
        "reason": TEXT,
        "decided_at": INTEGER,
        "expires_at": optional(INTEGER),
        "accountable": BOOLEAN,
    },
    key=["patient", "request_id"],
    indexes=[["patient", "decided_at"]],
)

_NOTIFICATIONS = Table(
    "ehr_notifications",
    {
        "patient": TEXT,
        "at": INTEGER,
        "id": TEXT,
        "kind": TEXT,
        "msp_id": TEXT,
        "ref": TEXT,
        "urgent": BOOLEAN,
    },
    key=["patient", "at", "id"],
    indexes=[["urgent", "at"]],
)

_URGENT = frozenset({"glass-broken", "tamper-reported", "shared-onward", "recovery-requested"})


class HealthRecords(Projection):
    """Tables ``ehr_accesses`` and ``ehr_notifications``; view ``ehr_accounting``."""

    name: ClassVar[str] = "health-records"
    version: ClassVar[int] = 1
    chaincode: str | None = "ehr"
    tables: ClassVar[Sequence[Table]] = (_ACCESSES, _NOTIFICATIONS)
    views: ClassVar[Sequence[View]] = (
        View(
            name="ehr_accounting",
            query="SELECT patient, decided_at, requester_msp, requester, reason, accountable, "
            "request_id FROM ehr_accesses WHERE decision = 'permit'",
        ),
    )

    @on_write(composite("access", "patient", "request_id"))
    def access(self, write: Written) -> Iterator[Operation]:
        """A decision; break-glass is accountable whatever its purpose."""
        if write.is_delete:
            yield _ACCESSES.delete(patient=write["patient"], request_id=write["request_id"])
            return
        entry = write.json()
        yield _ACCESSES.put(
            patient=write["patient"],
            request_id=write["request_id"],
            requester_msp=entry["requester_msp"],
            requester=entry["requester"],
            decision=entry["decision"],
            reason=entry["reason"],
            decided_at=entry["decided_at"],
            expires_at=entry["expires_at"],
            accountable=entry["reason"] == "break-glass",
        )

    @on_write(composite("log", "patient", "era", "at", "id"))
    def happened(self, write: Written) -> Iterator[Operation]:
        """A row of the log."""
        yield from _notification(write)

    @on_write(composite("log-after", "patient", "era", "at", "id"))
    def happened_after_erasure(self, write: Written) -> Iterator[Operation]:
        """A row of the log of a patient who has been erased."""
        yield from _notification(write)


def _notification(write: Written) -> Iterator[Operation]:
    if write.is_delete:
        return
    row = write.json()
    yield _NOTIFICATIONS.put(
        patient=write["patient"],
        at=int(write["at"]),
        id=write["id"],
        kind=row["kind"],
        msp_id=row["msp_id"],
        ref=row["ref"],
        urgent=row["kind"] in _URGENT,
    )
