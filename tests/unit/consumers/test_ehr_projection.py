"""Disclosures and notifications in SQL, from the public skeleton alone."""

from __future__ import annotations

from typing import Any

from made_blocks import Ledger, Tx
from medfab_gateway.consumers import Store, composite_key, replay
from medfab_gateway.ehr.projection import HealthRecords

PATIENT, OTHER = "0" * 32, "1" * 32


def access(request_id: str, decision: str, reason: str, *, patient: str = PATIENT) -> Tx:
    entry = {
        "requester_msp": "ClinicMSP",
        "requester": "c" * 64,
        "decision": decision,
        "reason": reason,
        "decided_at": 1_767_323_045_678,
        "expires_at": None if decision == "deny" else 1_767_326_645_678,
        "consents": [],
    }
    return Tx(chaincode="ehr", writes={composite_key("access", patient, request_id): entry})


def happened(kind: str, at: int, *, object_type: str = "log") -> Tx:
    row = {"kind": kind, "msp_id": "ClinicMSP", "client": "c" * 64, "ref": "r1"}
    key = composite_key(object_type, PATIENT, "0056", f"{at:015}", f"id-{at}")
    return Tx(chaincode="ehr", writes={key: row})


def project(ledger: Ledger, store: Store) -> list[Any]:
    letters = replay(ledger.blocks, [HealthRecords()], store, channel="care", msp_id="HospitalMSP")
    return [letter.error for letter in letters]


def test_decisions_are_rows_and_permits_are_the_accounting(store: Store) -> None:
    ledger = Ledger()
    ledger.add(
        access("r1", "deny", "no-consent"),
        access("r2", "permit", "permitted"),
        access("r3", "permit", "break-glass"),
        access("r4", "permit", "permitted", patient=OTHER),
    )
    assert project(ledger, store) == []
    rows = store.query("SELECT request_id, decision FROM ehr_accesses ORDER BY request_id")
    assert rows == [("r1", "deny"), ("r2", "permit"), ("r3", "permit"), ("r4", "permit")]
    accounting = store.query(
        "SELECT patient, request_id, accountable FROM ehr_accounting ORDER BY request_id"
    )
    assert [(patient, request, bool(flag)) for patient, request, flag in accounting] == [
        (PATIENT, "r2", False),
        (PATIENT, "r3", True),
        (OTHER, "r4", False),
    ]


def test_patients_are_told_what_happens_and_urgently_what_matters(store: Store) -> None:
    ledger = Ledger()
    ledger.add(happened("access-denied", 5), happened("glass-broken", 7))
    ledger.add(happened("erasure-completed", 9, object_type="log-after"))
    assert project(ledger, store) == []
    rows = store.query("SELECT at, id, kind, urgent FROM ehr_notifications ORDER BY at")
    assert [(at, id_, kind, bool(urgent)) for at, id_, kind, urgent in rows] == [
        (5, "id-5", "access-denied", False),
        (7, "id-7", "glass-broken", True),
        (9, "id-9", "erasure-completed", False),
    ]
