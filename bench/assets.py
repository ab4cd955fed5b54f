"""The contract that `bench.gateway` calls: small, and the same work whoever calls it."""

from __future__ import annotations

import asyncio

from medfab_chaincode import Context, Contract, evaluate, submit


class Assets(Contract):
    name = "assets"

    @submit("Put")
    async def put(self, context: Context, key: str, value: str) -> str:
        """One read and one write."""
        await context.stub.get_state(key)
        context.stub.put_state(key, value.encode())
        return "written"

    @evaluate("Get")
    async def get(self, context: Context, key: str) -> str:
        value = await context.stub.get_state(key)
        return "" if value is None else value.decode()

    @submit("File")
    async def file(self, context: Context, key: str, value: str, organization: str) -> str:
        """Four reads, four writes, a private write and an event: a block worth reading."""
        stub = context.stub
        keys = [f"{key}/{number}" for number in range(4)]
        await asyncio.gather(*(stub.get_state(one) for one in keys))
        for one in keys:
            stub.put_state(one, value.encode())
        stub.put_private_data(f"_implicit_org_{organization}", key, value.encode())
        stub.set_event("Filed", key.encode())
        return "filed"
