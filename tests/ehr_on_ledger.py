"""The gateway's health-record clients on the contract, with a ledger in memory between them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import grpc
from cryptography.hazmat.primitives.asymmetric import x25519

from medfab_chaincode import testing
from medfab_chaincode.ehr import EhrContract
from medfab_chaincode.testing import Collection, Identity, Ledger, majority_of
from medfab_gateway import AsyncContract, CommitError, RetryOptions
from medfab_gateway._deadline import Deadline
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._retry_async import with_retry
from medfab_gateway.ehr import (
    Acting,
    AsyncAuditor,
    AsyncKeyAgent,
    AsyncPatient,
    AsyncPractitioner,
    AsyncProvider,
    DocumentStore,
    FilingKey,
    KeyStore,
    LabelPolicy,
)
from medfab_gateway.errors import (
    ChaincodeFailure,
    EndorseError,
    ErrorDetail,
    EvaluateError,
    GatewayError,
)

HOSPITAL, CLINIC, REGULATOR = "HospitalMSP", "ClinicMSP", "RegulatorMSP"
ORGANIZATIONS = [HOSPITAL, CLINIC, REGULATOR]
PATIENT = "00112233445566778899aabbccddeeff"
START = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


class MemoryContract:
    """Where `AsyncContract` stands, for one caller; what fails, fails as at the gateway."""

    def __init__(self, ledger: Ledger, identity: Identity) -> None:
        self.ledger = ledger
        self.identity = identity
        self.transients: list[Mapping[str, bytes]] = []

    async def submit(
        self,
        name: str,
        *args: str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        retry: RetryOptions | None = None,
    ) -> bytes:
        self.transients.append(transient or {})

        async def attempt() -> bytes:
            self.ledger.now += timedelta(milliseconds=1)
            try:
                return await self.ledger.submit(
                    name,
                    *args,
                    caller=self.identity,
                    transient=transient or {},
                    endorsing_organizations=endorsing_organizations,
                )
            except testing.LedgerError as error:
                raise _translated(error) from error

        return await with_retry(attempt, retry, Deadline(None))

    async def evaluate(
        self,
        name: str,
        *args: str,
        transient: Mapping[str, bytes] | None = None,
        target_organizations: Sequence[str] | None = None,
        retry: RetryOptions | None = None,
    ) -> bytes:
        async def attempt() -> bytes:
            try:
                return await self.ledger.evaluate(
                    name,
                    *args,
                    caller=self.identity,
                    transient=transient or {},
                    target_organizations=target_organizations,
                )
            except testing.LedgerError as error:
                raise _translated(error) from error

        return await with_retry(attempt, retry, Deadline(None))


def _translated(error: testing.LedgerError) -> Exception:
    if isinstance(error, testing.CommitError):
        return CommitError(code=error.code, transaction_id=error.transaction_id, block_number=0)
    kind: type[GatewayError] = (
        EvaluateError if isinstance(error, testing.EvaluateError) else EndorseError
    )
    failure = None
    if error.chaincode is not None:
        said = error.chaincode
        failure = ChaincodeFailure(status=said.status, code=said.code or "", message=said.message)
    return kind(
        str(error),
        code=grpc.StatusCode[error.code],
        details=[
            ErrorDetail(address="", msp_id=detail.msp_id, message=detail.message)
            for detail in error.details
        ],
        chaincode=failure,
    )


@dataclass(kw_only=True)
class EhrWorld:
    """A hospital that holds records, a clinic that wants them, a regulator, and a patient."""

    ledger: Ledger
    keys: KeyStore | None
    documents: DocumentStore | None
    filing_key: FilingKey
    seen_events: int = 0

    def contract(self, msp_id: str, role: str, name: str, **attributes: str) -> AsyncContract:
        subject = {"patient": "patient", "representative": "representative"}
        named = {"medfab.role": role, f"medfab.{subject.get(role, 'practitioner')}": name}
        named |= {f"medfab.{key}": value for key, value in attributes.items()}
        identity = Identity(msp_id, f"{role} {name} of {msp_id}", named)
        return cast(AsyncContract, MemoryContract(self.ledger, identity))

    def patient(self, pseudonym: str = PATIENT, **settings: Any) -> AsyncPatient:
        contract = self.contract(HOSPITAL, "patient", pseudonym)
        return AsyncPatient(contract, documents=self.documents, **settings)

    def representative(self, person: str, acting: Acting) -> AsyncPatient:
        return AsyncPatient(self.contract(CLINIC, "representative", person), acting=acting)

    def provider(self, msp_id: str = HOSPITAL) -> AsyncProvider:
        return AsyncProvider(
            self.contract(msp_id, "practitioner", "dr-hill"),
            msp_id=msp_id,
            filing_key=self.filing_key,
            keys=self.keys,
            documents=self.documents,
            labels=LabelPolicy(confidentiality="N"),
        )

    def practitioner(
        self, name: str = "dr-cole", *, private_key: Any = None, functions: str = "physician"
    ) -> AsyncPractitioner:
        return AsyncPractitioner(
            self.contract(CLINIC, "practitioner", name, functions=functions),
            private_key=private_key or x25519.X25519PrivateKey.generate(),
            documents=self.documents,
        )

    def auditor(self, role: str = "auditor", msp_id: str = REGULATOR) -> AsyncAuditor:
        return AsyncAuditor(self.contract(msp_id, role, "ms-gray"))

    def key_agent(self) -> AsyncKeyAgent:
        assert self.keys is not None
        return AsyncKeyAgent(
            self.contract(HOSPITAL, "key-agent", "agent"), msp_id=HOSPITAL, keys=self.keys
        )

    async def new_events(self) -> AsyncIterator[CommittedEvent]:
        """Events since the last call, as a stream would bring them."""
        events = self.ledger.events[self.seen_events :]
        self.seen_events = len(self.ledger.events)
        for event in events:
            yield CommittedEvent(
                block_number=0,
                transaction_id=event.transaction_id,
                chaincode_name="ehr",
                name=event.name,
                payload=event.payload,
            )

    async def run_key_agent(self) -> list[str]:
        """What the agent does about the events since the last time."""
        done: list[str] = []
        agent = self.key_agent()
        async for event in self.new_events():
            await agent.handle(event, report=lambda step: done.append(f"{step.kind}: {step.done}"))
        return done


def new_world(folder: Path | None) -> EhrWorld:
    """With a folder, records are sealed, with keys and documents there."""
    majority = majority_of(*ORGANIZATIONS)
    consents = Collection(name="consents", members=ORGANIZATIONS, endorsement_policy=majority)
    ledger = Ledger(EhrContract, organizations=ORGANIZATIONS, collections=[consents])
    ledger.now = START
    filing_key = FilingKey(secrets.token_bytes(32))
    return EhrWorld(
        ledger=ledger,
        keys=KeyStore(folder / "keys", filing_key) if folder else None,
        documents=DocumentStore(str(folder / "documents")) if folder else None,
        filing_key=filing_key,
    )
