"""A contract for the tests of growth and replacement: public, private and shared state."""

from __future__ import annotations

from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, evaluate, submit


class Growth(Contract):
    name = "growth"

    @submit("Put")
    def put(self, context: Context, key: str) -> None:
        """Into the state that everybody has."""
        context.stub.put_state(key, key.encode())

    @submit("Keep")
    def keep(self, context: Context, key: str, value: Annotated[str, Transient()]) -> None:
        """Into the private data of the caller's organisation, and into the state that it did."""
        context.stub.put_private_data(_own(context), key, value.encode())

    @submit("Share")
    def share(self, context: Context, key: str, value: Annotated[str, Transient()]) -> None:
        """Into the collection of both organisations."""
        context.stub.put_private_data("shared", key, value.encode())

    @evaluate("Kept")
    async def kept(self, context: Context, key: str) -> str:
        return ((await context.stub.get_private_data(_own(context), key)) or b"").decode()

    @evaluate("Shared")
    async def shared(self, context: Context, key: str) -> str:
        return ((await context.stub.get_private_data("shared", key)) or b"").decode()

    @evaluate("Got")
    async def got(self, context: Context, key: str) -> str:
        return ((await context.stub.get_state(key)) or b"").decode()


def _own(context: Context) -> str:
    return f"_implicit_org_{context.client_identity.msp_id}"
