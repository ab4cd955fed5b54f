"""The contract `pharma` on the real network, called as the people of `pharma_world`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from integration.conftest import Consortium, on_free_ports
from medfab_gateway import AsyncContract, RetryOptions
from medfab_gateway.errors import CommitError, EndorseError, EvaluateError
from medfab_network import Network, load_topology
from pharma_world import (
    MAKER,
    PHARMACY,
    REGULATOR,
    WHOLESALER,
    Person,
    Refused,
    endorsers,
    found,
)

TOPOLOGY = Path(__file__).parent / "supply_chain.yaml"
CHANNEL, CHAINCODE = "supply", "pharma"
TRADERS = (MAKER, WHOLESALER, PHARMACY)
ORGANIZATIONS = {
    MAKER: "manufacturer",
    WHOLESALER: "distributor",
    PHARMACY: "pharmacy",
    REGULATOR: "regulator",
}
CONFLICTS = frozenset(
    # The second: the key's policy changed in the same block, before this transaction.
    {"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT", "ENDORSEMENT_POLICY_FAILURE"}
)


class OnNetwork:
    """Calls that wait for the block, and ask again while another peer is a block behind."""

    def __init__(self, consortium: Consortium, *, patience: frozenset[str] = frozenset()) -> None:
        """patience: refusals after which to ask again, while a peer is a block behind."""
        self.consortium = consortium
        self.committed = 0
        self.invalid: Counter[str] = Counter()
        """Validation codes of transactions that came to nothing."""
        self._retry = RetryOptions(
            attempts=10,
            different_answers=True,
            chaincode_codes=patience,
            validation_codes=frozenset(),
        )

    async def contract(self, who: Person) -> AsyncContract:
        user = (who.role or "guest") + ("2" if who.name else "")
        return await self.consortium.contract(ORGANIZATIONS[who.msp], user, CHANNEL, CHAINCODE)

    async def submit(self, who: Person, function: str, given: dict[str, Any]) -> Any:
        contract = await self.contract(who)
        transient = {"input": json.dumps(given).encode()}
        for attempt in range(40):
            try:
                result = await contract.submit(
                    function,
                    transient=transient,
                    endorsing_organizations=endorsers(who, function),
                    retry=self._retry,
                )
            except EndorseError as error:
                raise _refused(error) from error
            except CommitError as error:
                self.invalid[error.code] += 1
                if error.code not in CONFLICTS or attempt == 39:
                    raise
            else:
                self.committed += 1
                return json.loads(result) if result else None
        raise AssertionError("not reached")

    async def evaluate(self, who: Person, function: str, *args: str) -> Any:
        try:
            result = await (await self.contract(who)).evaluate(function, *args)
        except EvaluateError as error:
            raise _refused(error) from error
        return json.loads(result) if result else None

    async def ask(
        self, who: Person, function: str, given: dict[str, Any] | None, *args: str
    ) -> str:
        """Run a function without submitting it; the code of its refusal, or `ok`."""
        transient = {} if given is None else {"input": json.dumps(given).encode()}
        try:
            await (await self.contract(who)).evaluate(function, *args, transient=transient)
        except EvaluateError as error:
            refusal = error.chaincode
            if refusal is None:
                raise
            return refusal.code or ""
        return "ok"

    async def level(self) -> None:
        await self.consortium.level(CHANNEL)


class InStep(OnNetwork):
    """As that, for one caller at a time: each call finds all peers at the same block."""

    async def submit(self, who: Person, function: str, given: dict[str, Any]) -> Any:
        answer = await super().submit(who, function, given)
        await self.level()
        return answer


@asynccontextmanager
async def supply_network(directory: Path) -> AsyncIterator[Consortium]:
    """The supply chain, running and with its master data."""
    topology = on_free_ports(load_topology(TOPOLOGY))
    async with Network(directory, topology).running() as network, AsyncExitStack() as stack:
        consortium = Consortium(network, stack)
        await found(InStep(consortium), TRADERS)
        yield consortium


def _refused(error: EndorseError | EvaluateError) -> Exception:
    refusal = error.chaincode
    if refusal is None or refusal.code in ("", "INTERNAL"):
        return error
    return Refused(refusal.code or "", refusal.message)
