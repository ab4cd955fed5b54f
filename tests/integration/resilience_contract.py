"""The smallest contract that shows what became of a transaction: for the tests of resilience."""

from __future__ import annotations

from medfab_chaincode import Context, Contract, evaluate, submit


class Resilience(Contract):
    name = "resilience"

    @submit("Put")
    def put(self, context: Context, key: str) -> str:
        """Writes a key of its own; answers with the transaction id."""
        context.stub.put_state(key, b"x")
        return context.stub.transaction_id

    @submit("Increment")
    async def increment(self, context: Context, key: str) -> int:
        """Reads and writes one key: of two at the same time, one is invalid."""
        value = int(await context.stub.get_state(key) or b"0") + 1
        context.stub.put_state(key, str(value).encode())
        return value

    @evaluate("Read")
    async def read(self, context: Context, key: str) -> int:
        """The value of a counter; 0 where there is none."""
        return int(await context.stub.get_state(key) or b"0")
