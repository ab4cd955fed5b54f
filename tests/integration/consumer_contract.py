"""A contract with what consumers follow, for `test_consumers*.py`: served by the network."""

from __future__ import annotations

from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, evaluate, submit


class Consumed(Contract):
    name = "consumed"

    @submit("Put")
    def put(self, context: Context, item: str, value: int) -> None:
        """Sets an item, and tells of it."""
        key = context.stub.create_composite_key("item", [item])
        context.stub.put_state(key, str(value).encode())
        context.stub.set_event("Put", str(value).encode())

    @submit("Touch")
    async def touch(self, context: Context, item: str) -> None:
        """Write what was read: of two at the same time, one is invalid."""
        key = context.stub.create_composite_key("item", [item])
        await context.stub.get_state(key)
        context.stub.put_state(key, b"0")

    @submit("Remove")
    def remove(self, context: Context, item: str) -> None:
        context.stub.delete_state(context.stub.create_composite_key("item", [item]))

    @submit("Keep")
    def keep(
        self, context: Context, name: str, secret: Annotated[str, Transient("secret")]
    ) -> None:
        """Into the private data of the caller's organisation."""
        context.stub.put_private_data(_own(context), f"secret-{name}", secret.encode())

    @submit("Purge")
    def purge(self, context: Context, name: str) -> None:
        context.stub.purge_private_data(_own(context), f"secret-{name}")

    @evaluate("Read")
    async def read(self, context: Context, name: str) -> dict[str, str]:
        """The key and value of a secret, at the peer of whose it is; nothing where it is gone."""
        key = f"secret-{name}"
        value = await context.stub.get_private_data(_own(context), key)
        return {} if value is None else {key: value.decode()}


def _own(context: Context) -> str:
    return f"_implicit_org_{context.client_identity.msp_id}"
