"""Patients and practitioners with the ehr clients, in front of a ledger in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import grpc

from medfab_chaincode import testing
from medfab_chaincode.testing import Identity, Ledger, Transaction
from medfab_gateway import AsyncContract
from medfab_gateway.errors import ChaincodeFailure, EndorseError


def patient(msp_id: str, pseudonym: str) -> Identity:
    attributes = {"medfab.role": "patient", "medfab.patient": pseudonym}
    return Identity(msp_id, f"patient of {msp_id}", attributes)


def practitioner(msp_id: str, name: str, *, issuer: str = "") -> Identity:
    attributes = {"medfab.role": "practitioner", "medfab.practitioner": name}
    return Identity(msp_id, name, attributes, issuer=issuer)


@dataclass
class Caller:
    """Stands where an `AsyncContract` does, and asks the ledger."""

    ledger: Ledger
    identity: Identity
    last: Transaction | None = None
    organizations: Sequence[str] | None = None
    """Those named in the last call."""

    @property
    def contract(self) -> AsyncContract:
        return cast(AsyncContract, self)

    async def submit(
        self,
        name: str,
        *args: str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        retry: object = None,  # there is nothing to wait for
    ) -> bytes:
        transaction = await self._endorse(name, args, transient or {}, endorsing_organizations)
        assert self.ledger.commit(transaction) == ("VALID",)
        return transaction.result

    async def evaluate(
        self,
        name: str,
        *args: str,
        target_organizations: Sequence[str] | None = None,
        retry: object = None,
    ) -> bytes:
        transaction = await self._endorse(name, args, {}, target_organizations)
        assert not transaction.writes
        assert not transaction.private_writes
        return transaction.result

    async def _endorse(
        self,
        name: str,
        args: Sequence[str],
        transient: Mapping[str, bytes],
        organizations: Sequence[str] | None,
    ) -> Transaction:
        self.organizations = organizations
        try:
            self.last = await self.ledger.endorse(
                name,
                *args,
                caller=self.identity,
                transient=transient,
                endorsing_organizations=organizations,
            )
        except testing.EndorseError as error:
            refusal = ChaincodeFailure.parse(error.details[0].message)
            raise EndorseError(
                str(error), code=grpc.StatusCode[error.code], chaincode=refusal
            ) from error
        return self.last
