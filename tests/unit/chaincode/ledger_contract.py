"""A contract that does a little of everything, for the tests of the shim."""

import asyncio
import sys
from typing import NoReturn

from medfab_chaincode import (
    Context,
    Contract,
    ContractError,
    PeerError,
    StreamLostError,
    evaluate,
    submit,
)


class Ledger(Contract):
    name = "ledger"

    def __init__(self) -> None:
        self.seen: list[BaseException] = []
        self.entered = asyncio.Event()
        self.released = asyncio.Event()

    @submit("Mix")
    async def mix(self, context: Context) -> list[str]:
        """Read and write in every way; the result must not depend on batching."""
        stub = context.stub
        public = await stub.get_states(["a", "b", "absent", "c", "a"])
        private = await stub.get_private_data_many("secrets", ["s", "absent"])
        digest = await stub.get_private_data_hash("secrets", "s")
        for value in (b"first", b"second", b"last"):
            stub.put_state("a", value)
        stub.put_state("b", b"new")
        stub.delete_state("b")
        stub.delete_state("c")
        stub.put_private_data("secrets", "s", b"newer")
        stub.put_private_data("secrets", "a", b"the same key, elsewhere")
        stub.delete_private_data("secrets", "t")
        stub.purge_private_data("secrets", "u")
        stub.set_event("overwritten", b"")
        stub.set_event("mixed", b"payload")
        return [repr(value) for value in (*public, *private, digest)]

    @evaluate("Get")
    async def get(self, context: Context, key: str) -> bytes | None:
        return await context.stub.get_state(key)

    @submit("Put")
    def put(self, context: Context, key: str, value: bytes) -> None:
        context.stub.put_state(key, value)

    @submit("Swap")
    async def swap(self, context: Context, key: str, value: str) -> str:
        """Several requests at once; answers with what was there."""
        stub = context.stub
        same, before, there = await asyncio.gather(
            stub.get_state(key), stub.get_private_data("secrets", key), stub.get_states([key])
        )
        stub.put_state(key, value.encode())
        stub.put_private_data("secrets", key, value.encode())
        return f"{same!r} {before!r} {there!r} {context.transaction_id} {context.channel_id}"

    @evaluate("Range")
    async def range(self, context: Context, start: str, end: str) -> list[str]:
        return [item.key async for item in context.stub.get_state_by_range(start, end)]

    @evaluate("First")
    async def first(self, context: Context, way: str) -> str | None:
        """Leave a range after its first result, in one of three ways."""
        results = context.stub.get_state_by_range("", "")
        if way == "with":
            async with results:
                async for item in results:
                    return item.key
        async for item in results:
            if way == "aclose":
                await results.aclose()
                assert [left async for left in results] == []
            return item.key
        return None

    @evaluate("Composite")
    async def composite(self, context: Context, collection: str, kind: str) -> list[list[str]]:
        stub = context.stub
        results = (
            stub.get_private_data_by_partial_composite_key(collection, kind, ["x"])
            if collection
            else stub.get_state_by_partial_composite_key(kind, ["x"])
        )
        return [stub.split_composite_key(item.key)[1] async for item in results]

    @submit("Refuse")
    async def refuse(self, context: Context) -> NoReturn:
        context.stub.put_state("never", b"written")
        context.stub.set_event("never", b"")
        raise ContractError("no, thank you", code="NO_THANKS", status=409)

    @submit("Crash")
    async def crash(self, context: Context, how: str, secret: str) -> None:
        context.stub.put_state("never", secret.encode())
        if how == "exit":
            sys.exit(secret)
        if how == "cancel":
            raise asyncio.CancelledError(secret)
        if how == "float":
            return [1.5]  # type: ignore[return-value]
        if how == "task":
            await self.leave_a_task_behind(secret)
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise RuntimeError(f"cannot stand {secret}") from error

    @staticmethod
    async def leave_a_task_behind(secret: str) -> None:
        async def fail() -> NoReturn:
            raise KeyError(secret)

        asyncio.ensure_future(fail())  # noqa: RUF006  nobody keeps it
        await asyncio.sleep(0)

    @evaluate("Catch")
    async def catch(self, context: Context) -> str:
        """What a refused read looks like, and that the transaction can go on."""
        try:
            await context.stub.get_private_data("secrets", "s")
        except PeerError as error:
            return f"{error.request}: {error.reason}"
        return "no error"

    @evaluate("Wait")
    async def wait(self, context: Context) -> bytes | None:
        """Wait for the peer's answer; keeps the error that ends it."""
        self.entered.set()
        try:
            return await context.stub.get_state("slow")
        except StreamLostError as error:
            self.seen.append(error)
            raise

    @submit("Hold")
    async def hold(self, context: Context) -> str:
        """Stay in flight until the test releases it."""
        self.entered.set()
        await self.released.wait()
        context.stub.put_state("held", b"1")
        return "done"

    @evaluate("Impatient")
    async def impatient(self, context: Context) -> list[bytes | None]:
        """Give up on one read, then make another: answers must not be mixed up."""
        try:
            await asyncio.wait_for(context.stub.get_state("a"), timeout=0.001)
        except TimeoutError:
            return [None, await context.stub.get_state("b")]
        raise AssertionError("the peer was too fast")

    @evaluate("Stray")
    async def stray(self, context: Context) -> str:
        """Return with a request under way and another one queued."""
        self.stray_tasks = [
            asyncio.ensure_future(context.stub.get_private_data("secrets", "a")),
            asyncio.ensure_future(context.stub.get_state("b")),
        ]
        await asyncio.sleep(0)  # they begin
        await asyncio.sleep(0)  # the read of public state is sent to the queue
        return "returned"

    @evaluate("Where")
    async def where(self, context: Context) -> str:
        return context.stub.peer_msp_id

    @evaluate("Who")
    async def who(self, context: Context, secret: str) -> str:
        """Everything that has a `repr` and might show too much."""
        assert context.transient["secret"] == secret.encode()
        return f"{context.transient!r} {context!r} {context.stub!r} {context.timestamp}"
