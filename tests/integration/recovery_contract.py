"""Public and private writes, for the tests of rotation, backup and restore."""

from __future__ import annotations

from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, evaluate, submit


class Recovery(Contract):
    name = "recovery"

    @submit("Put")
    def put(self, context: Context, key: str) -> None:
        """Writes a key of its own."""
        context.stub.put_state(key, b"x")

    @evaluate("Read")
    async def read(self, context: Context, key: str) -> bool:
        """Whether it is there."""
        return await context.stub.get_state(key) is not None

    @submit("Keep")
    def keep(
        self,
        context: Context,
        collection: str,
        name: str,
        secret: Annotated[str, Transient("secret")],
    ) -> None:
        """Into a collection of private data."""
        context.stub.put_private_data(collection, name, secret.encode())

    @evaluate("Show")
    async def show(self, context: Context, collection: str, name: str) -> str:
        """The private data; nothing where this peer has none."""
        value = await context.stub.get_private_data(collection, name)
        return "" if value is None else value.decode()
