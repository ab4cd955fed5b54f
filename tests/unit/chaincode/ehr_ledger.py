"""The health-record contract on a ledger in memory, and people who call it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from medfab_chaincode.ehr import EhrContract
from medfab_chaincode.testing import (
    Collection,
    EndorseError,
    EvaluateError,
    Identity,
    Ledger,
    Transaction,
    majority_of,
)

HOSPITAL, CLINIC, REGULATOR = "HospitalMSP", "ClinicMSP", "RegulatorMSP"
ORGANIZATIONS = [HOSPITAL, CLINIC, REGULATOR]
PATIENT = "00112233445566778899aabbccddeeff"
START = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
SALT = "5a" * 16
HOUR, DAY = 3_600_000, 24 * 3_600_000

HOLDER_ENDORSES = frozenset(
    {
        "FileRecords", "AmendRecords", "WithdrawRecords", "RotateKey", "RewrapRecords",
        "PutKeyWrap", "DropKeyWraps", "EraseRecords",
    }
)  # fmt: skip
"""The functions that write to the caller's own collection alone."""


def ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


NOW = ms(START)


def new_ledger(**beginning: Any) -> Ledger:
    """As `medfab_network` deploys the contract, with everyone a custodian."""
    majority = majority_of(*ORGANIZATIONS)
    consents = Collection(name="consents", members=ORGANIZATIONS, endorsement_policy=majority)
    ledger = Ledger(EhrContract, organizations=ORGANIZATIONS, collections=[consents], **beginning)
    ledger.now = START
    return ledger


@dataclass(kw_only=True)
class Person:
    """A client of the ledger who calls by hand, with JSON."""

    ledger: Ledger
    identity: Identity
    last: Transaction | None = None
    """The last transaction committed."""

    @property
    def msp_id(self) -> str:
        return self.identity.msp_id

    async def submit(self, function: str, *args: str, **transient: Any) -> Any:
        transaction = await self.endorse(function, *args, **transient)
        assert self.ledger.commit(transaction) == ("VALID",)
        self.last = transaction
        return json.loads(transaction.result) if transaction.result else None

    async def endorse(self, function: str, *args: str, **transient: Any) -> Transaction:
        holder = [self.msp_id] if function in HOLDER_ENDORSES else None
        return await self.ledger.endorse(
            function,
            *args,
            caller=self.identity,
            transient=_encoded(transient),
            endorsing_organizations=holder,
        )

    async def evaluate(
        self, function: str, *args: str, at: str | None = None, **transient: Any
    ) -> Any:
        answer = await self.ledger.evaluate(
            function,
            *args,
            caller=self.identity,
            transient=_encoded(transient),
            target_organizations=[at] if at else None,
        )
        return json.loads(answer)


def _encoded(transient: Mapping[str, Any]) -> dict[str, bytes]:
    return {name: json.dumps(value).encode() for name, value in transient.items()}


def person(ledger: Ledger, msp_id: str, role: str, name: str = "", **more: str) -> Person:
    """Somebody with this role; `name` is what the certificate calls the person."""
    attributes = {"medfab.role": role}
    subject = {"patient": "medfab.patient", "representative": "medfab.representative"}
    if name:
        attributes[subject.get(role, "medfab.practitioner")] = name
    attributes |= {f"medfab.{key}": value for key, value in more.items()}
    return Person(
        ledger=ledger, identity=Identity(msp_id, f"{role} {name} of {msp_id}", attributes)
    )


class World:
    """A hospital that holds records, a clinic that wants them, and a patient of the hospital."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or new_ledger()
        self.patient = person(self.ledger, HOSPITAL, "patient", PATIENT)
        self.filer = person(self.ledger, HOSPITAL, "practitioner", "dr-hill")
        self.asker = person(self.ledger, CLINIC, "practitioner", "dr-cole", functions="physician")
        self.rescuer = person(
            self.ledger, CLINIC, "practitioner", "dr-swift", functions="physician, emergency"
        )
        self.auditor = person(self.ledger, REGULATOR, "auditor", "ms-gray")
        self.officer = person(self.ledger, HOSPITAL, "privacy-officer", "mr-stern")
        self.registrar = person(self.ledger, HOSPITAL, "registrar", "ms-desk")

    def pass_time(self, milliseconds: int) -> None:
        self.ledger.now += timedelta(milliseconds=milliseconds)

    @property
    def now(self) -> int:
        return ms(self.ledger.now)

    async def register(self) -> None:
        await self.patient.submit("RegisterPatient")

    async def file(self, *items: dict[str, Any], by: Person | None = None) -> Any:
        filer = by or self.filer
        return await filer.submit("FileRecords", PATIENT, records={"items": list(items)})

    async def grant(self, **terms: Any) -> str:
        granted = await self.patient.submit("GrantConsent", consent=permit(self.now, **terms))
        return str(granted["consent_id"])

    async def deny(self, **rule: Any) -> str:
        terms = {"type": "deny", "rule": rule, "salt": SALT}
        granted = await self.patient.submit("GrantConsent", consent=terms)
        return str(granted["consent_id"])

    async def ask(self, by: Person | None = None, **request: Any) -> Any:
        asker = by or self.asker
        return await asker.submit("RequestAccess", PATIENT, request=ask(**request))

    async def read(self, request_id: str, *, by: Person | None = None, at: str = HOSPITAL) -> Any:
        reader = by or self.asker
        return await reader.evaluate("ReadRecords", PATIENT, request_id, at, at=at)

    async def ids(self, request_id: str, *, by: Person | None = None) -> list[str]:
        """The ids of what a permit lets out, without their leading zeros."""
        released = await self.read(request_id, by=by)
        return [record["id"].lstrip("0") for record in released["records"]]


def record(number: int, kind: str = "Observation", *categories: str, **more: Any) -> dict[str, Any]:
    """An item of `FileRecords`; `labels` overrides its labels."""
    labels = {
        "resource_type": kind,
        "categories": list(categories),
        "confidentiality": "N",
        "reference": f"{kind}/{number}",
        **more.pop("labels", {}),
    }
    return {
        "id": f"{number:064x}",
        "labels": labels,
        "resource": json.dumps({"resourceType": kind, "id": str(number)}),
        "salt": SALT,
        **more,
    }


LAB = record(1, "Observation", "laboratory")
VITAL = record(2, "Observation", "vital-signs")
CONDITION = record(3, "Condition")


def permit(now: int = NOW, **more: Any) -> dict[str, Any]:
    """Terms that let the clinic treat with laboratory results for a day; rule fields override."""
    outside: dict[str, Any] = {
        name: more.pop(name) for name in ("exceptions", "redisclosure", "source") if name in more
    }
    rule = {
        "recipients": [{"msp_id": CLINIC}],
        "purposes": ["TREAT"],
        "categories": ["laboratory"],
        "not_after": now + DAY,
        **more,
    }
    return {"type": "permit", "rule": rule, "salt": SALT, **outside}


def ask(**more: Any) -> dict[str, Any]:
    """A request for laboratory results, to treat."""
    return {"purpose": "TREAT", "categories": ["laboratory"], "salt": SALT, **more}


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Expect a refusal of the contract with this code."""
    with pytest.raises((EndorseError, EvaluateError)) as caught:
        yield
    assert caught.value.chaincode is not None, caught.value
    assert caught.value.chaincode.code == code, caught.value
