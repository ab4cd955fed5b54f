"""Stands for the first slice of `ehr`: writes the state that it wrote, for the upgrade from it."""

from __future__ import annotations

from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, submit


class FirstSlice(Contract):
    """Under the name and version of that time."""

    name = "ehr"

    @submit("Put")
    async def put(
        self, context: Context, collection: str, values: Annotated[dict[str, str], Transient()]
    ) -> None:
        """Write keys and values to a collection; without a name to the public state."""
        for key, value in values.items():
            if collection:
                context.stub.put_private_data(collection, key, value.encode())
            else:
                context.stub.put_state(key, value.encode())
