"""A contract that emits events, for `test_events*.py`: served by the network."""

from __future__ import annotations

from medfab_chaincode import Context, Contract, submit


class Emitter(Contract):
    name = "emitter"

    @submit("Emit")
    def emit(self, context: Context, name: str, payload: str) -> None:
        context.stub.put_state(name, payload.encode())
        context.stub.set_event(name, payload.encode())

    @submit("Quiet")
    def quiet(self, context: Context, key: str) -> None:
        """Write, and emit nothing."""
        context.stub.put_state(key, b"1")

    @submit("Touch")
    async def touch(self, context: Context, key: str) -> None:
        """Write what was read: of two at the same time, one is invalid."""
        await context.stub.get_state(key)
        context.stub.put_state(key, context.transaction_id.encode())
        context.stub.set_event("touched", b"")

    @submit("PutPrivate")
    def put_private(self, context: Context, collection: str, key: str, value: str) -> None:
        context.stub.put_private_data(collection, key, value.encode())
