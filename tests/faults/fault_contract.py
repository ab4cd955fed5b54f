"""The contract of the fault suite: one key for each transaction, public or private."""

from __future__ import annotations

from medfab_chaincode import Context, Contract, evaluate, submit

COLLECTION = "_implicit_org_HospitalMSP"


class Faults(Contract):
    name = "faults"

    @submit("Put")
    def put(self, context: Context, key: str) -> str:
        """A public key of its own, endorsed by a majority; answers with the transaction id."""
        context.stub.put_state(key, context.stub.transaction_id.encode())
        return context.stub.transaction_id

    @submit("PutPrivate")
    def put_private(self, context: Context, key: str) -> str:
        """A private key of the hospital's, endorsed by the hospital alone."""
        context.stub.put_private_data(COLLECTION, key, context.stub.transaction_id.encode())
        return context.stub.transaction_id

    @evaluate("Has")
    async def has(self, context: Context, key: str) -> bool:
        """Whether the public key is there."""
        return await context.stub.get_state(key) is not None

    @evaluate("HasPrivate")
    async def has_private(self, context: Context, keys: list[str]) -> list[str]:
        """Those of the private keys that this peer has no value of."""
        values = await context.stub.get_private_data_many(COLLECTION, keys)
        return [key for key, value in zip(keys, values, strict=True) if value is None]
