"""The health-record contract with a function that fills the ledger, for measurements alone.

A consent is a transaction; a hundred thousand of them would measure the seeding. So one transaction
writes a thousand, each as `GrantConsent` and `FileRecords` write them.
"""

from __future__ import annotations

import hashlib
import json

from medfab_chaincode import Context, canonical_json, submit
from medfab_chaincode.ehr import EhrContract

SALT = "5a" * 16
PER_PATIENT = 10
FAR = 4_000_000_000_000


def pseudonym(number: int) -> str:
    return hashlib.sha256(f"patient {number}".encode()).hexdigest()[:32]


def consent_id(number: int) -> str:
    return hashlib.sha256(f"consent {number}".encode()).hexdigest()


def patient_entry(msp_id: str) -> bytes:
    return canonical_json(
        {"home_msp": msp_id, "registered_at": 0, "status": "active", "revoked_at": None}
    )


def consent_entry(*, active: bool = True) -> bytes:
    status, version = ("active", 1) if active else ("revoked", 2)
    return canonical_json({"status": status, "version": version, "granted_at": 0, "changed_at": 0})


def terms(number: int, grantee_msp: str) -> bytes:
    """The first of a patient's ten lets the clinic in; the others are about other things."""
    of_patient = number % PER_PATIENT
    rule = {
        "not_after": FAR,
        "recipients": [{"msp_id": grantee_msp}],
        "purposes": ["TREAT"],
        "categories": ["laboratory"] if of_patient == 0 else [f"category-{of_patient}"],
    }
    return json.dumps({"type": "permit", "rule": rule, "salt": SALT}).encode()


def record(number: int) -> bytes:
    labels = {"resource_type": "Observation", "categories": ["laboratory"], "confidentiality": "N"}
    return json.dumps({"labels": labels, "resource": f'{{"id":"{number}"}}', "salt": SALT}).encode()


class SeededEhr(EhrContract):
    """The contract, and `Seed`."""

    @submit("Seed")
    async def seed(self, context: Context, start: int, count: int) -> None:
        """Write consents `start` to `start + count`, and the patients they are of."""
        stub, msp_id = context.stub, context.client_identity.msp_id
        for number in range(start, start + count):
            patient = pseudonym(number // PER_PATIENT)
            if number % PER_PATIENT == 0:
                key = stub.create_composite_key("patient", [patient])
                stub.put_state(key, patient_entry(msp_id))
            key = stub.create_composite_key("consent", [patient, consent_id(number)])
            stub.put_state(key, consent_entry())
            stub.put_private_data("consents", key, terms(number, msp_id))

    @submit("SeedRecords")
    async def seed_records(self, context: Context, start: int, count: int) -> None:
        """Write as many records, ten of each patient, with the caller's organisation."""
        stub, msp_id = context.stub, context.client_identity.msp_id
        collection = f"_implicit_org_{msp_id}"
        for number in range(start, start + count):
            patient = pseudonym(number // PER_PATIENT)
            if number % PER_PATIENT == 0:
                folder = stub.create_composite_key("folder", [patient])
                stub.put_private_data(collection, folder, canonical_json({"opened_at": 0}))
            key = stub.create_composite_key("record", [patient, consent_id(number)])
            stub.put_private_data(collection, key, record(number))
