"""The contract of `test_shim_load.py`, served by the network."""

from __future__ import annotations

import asyncio

from medfab_chaincode import Context, Contract, submit


class Load(Contract):
    name = "load"

    @submit("Put")
    async def put(self, context: Context, key: str, value: str) -> list[str]:
        """Read and write; the answer has what only this transaction knows."""
        stub = context.stub
        before = await asyncio.gather(stub.get_state(key), stub.get_state(f"{key}-copy"))
        stub.put_state(key, value.encode())
        stub.put_state(f"{key}-copy", value.encode())
        return [context.transaction_id, key, value, *("" if old is None else "!" for old in before)]
