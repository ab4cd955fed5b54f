"""The pharma clients on the contract itself, on a ledger in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import grpc

from medfab_chaincode import testing
from medfab_gateway import AsyncContract, RetryOptions
from medfab_gateway.errors import ChaincodeFailure, EndorseError, EvaluateError
from medfab_gateway.pharma import AsyncDispenser, AsyncLogistics, AsyncManufacturer, LotKeys
from medfab_gateway.pharma.identifiers import Gln
from pharma_world import (
    MAKER,
    PHARMACY,
    PREFIXES,
    REGULATOR,
    WHOLESALER,
    InMemory,
    Person,
    found,
    gln,
    identity,
)

KEYS = LotKeys(bytes.fromhex("5e" * 32))
__all__ = ["KEYS", "MAKER", "PHARMACY", "PREFIXES", "REGULATOR", "WHOLESALER", "Memory", "gln"]


class _Contract:
    """Calls the ledger in memory as a gateway's contract does."""

    def __init__(self, memory: Memory, who: Person) -> None:
        self._memory = memory
        self._who = who

    async def submit(
        self,
        name: str,
        *args: str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        result: Callable[[bytes], Any] = bytes,
        retry: RetryOptions | None = None,
    ) -> Any:
        self._memory.submits.append(name)
        if self._memory.fail_at is not None and len(self._memory.submits) > self._memory.fail_at:
            raise EndorseError("the peer is gone", code=grpc.StatusCode.UNAVAILABLE)
        async with self._memory.lock:
            try:
                answer = await self._memory.ledger.submit(
                    name,
                    *args,
                    caller=identity(self._who),
                    transient=transient or {},
                    endorsing_organizations=endorsing_organizations,
                )
            except testing.EndorseError as error:
                raise EndorseError(
                    str(error), code=grpc.StatusCode.ABORTED, chaincode=_failure(error)
                ) from error
        return result(answer)

    async def evaluate(
        self, name: str, *args: str, result: Callable[[bytes], Any] = bytes, **_: object
    ) -> Any:
        try:
            answer = await self._memory.ledger.evaluate(name, *args, caller=identity(self._who))
        except testing.EvaluateError as error:
            raise EvaluateError(
                str(error), code=grpc.StatusCode.UNKNOWN, chaincode=_failure(error)
            ) from error
        return result(answer)


class Memory:
    """A supply chain whose people have clients."""

    def __init__(self) -> None:
        self.world = InMemory()
        self.ledger = self.world.ledger
        self.lock = asyncio.Lock()
        self.submits: list[str] = []
        """Names of the functions submitted by clients."""
        self.fail_at: int | None = None
        """After so many submits the network is gone."""

    @classmethod
    async def founded(cls) -> Memory:
        memory = cls()
        await found(memory.world)
        return memory

    def contract(self, msp: str, role: str = "operator", name: str = "") -> AsyncContract:
        return cast(AsyncContract, _Contract(self, Person(msp, role, name)))

    def manufacturer(self) -> AsyncManufacturer:
        return AsyncManufacturer(
            self.contract(MAKER), msp_id=MAKER, gln=Gln(gln(MAKER)), lot_keys=KEYS
        )

    def logistics(self, msp: str = WHOLESALER, role: str = "operator") -> AsyncLogistics:
        return AsyncLogistics(self.contract(msp, role), msp_id=msp, gln=Gln(gln(msp)))

    def dispenser(self) -> AsyncDispenser:
        return AsyncDispenser(self.contract(PHARMACY), msp_id=PHARMACY, gln=Gln(gln(PHARMACY)))


def _failure(error: testing.LedgerError) -> ChaincodeFailure | None:
    chaincode = getattr(error, "chaincode", None)
    if chaincode is None:
        return None
    return ChaincodeFailure(status=chaincode.status, code=chaincode.code, message=chaincode.message)
