"""Functions that are a plain `def`: they may block, and they read through the event loop."""

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest

from medfab_chaincode import Context, Contract, ContractError, StreamLostError, evaluate, submit
from medfab_chaincode._router import Router
from unit.chaincode.conftest import Certificates, Serving
from unit.chaincode.contract_help import run, stub_of
from unit.chaincode.fake_peer import PeerRefusal, connect, until


class Blocking(Contract):
    name = "blocking"

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()
        self.lost: list[BaseException] = []

    @submit
    def copy(self, context: Context, source: str, target: str) -> list[str]:
        """Read in both ways, then write."""
        value = context.wait(context.stub.get_state(source))
        keys = [item.key for item in context.iterate(context.stub.get_state_by_range("", ""))]
        context.stub.put_state(target, value or b"nothing")
        return keys

    @evaluate
    def block(self, context: Context) -> str:
        self.entered.set()
        assert self.released.wait(timeout=10)
        return "released"

    @evaluate
    def read(self, context: Context) -> bytes | None:
        try:
            return context.wait(context.stub.get_state("slow"))
        except StreamLostError as error:
            self.lost.append(error)
            raise

    @evaluate
    def fail(self, context: Context, how: str) -> None:
        raise StopIteration("canary") if how == "stop" else ContractError("no", code="NO")

    @evaluate("waitInAsync")
    async def wait_in_async(self, context: Context) -> None:
        wanted = context.stub.get_state("a")
        try:
            context.wait(wanted)
        finally:
            wanted.close()


@pytest.fixture
def blocking() -> Iterator[Blocking]:
    contract = Blocking()
    yield contract
    contract.released.set()


async def test_reading_and_writing(
    blocking: Blocking, serving: Serving, certificates: Certificates
) -> None:
    async with (
        serving(blocking) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        peer.ledger = {("", "a"): b"1", ("", "b"): b"2", ("", "c"): b"3"}
        result = await peer.invoke("copy", "b", "d")
        assert (result.status, json.loads(result.payload)) == (200, ["a", "b", "c"])
        assert result.writes == {("", "d"): b"2"}
        assert peer.dropped == 0


async def test_a_blocking_function_holds_up_nobody(
    blocking: Blocking, serving: Serving, certificates: Certificates
) -> None:
    async with (
        serving(blocking) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        blocked = [asyncio.create_task(peer.invoke("block")) for _ in range(40)]
        await until(blocking.entered.is_set)
        assert (await peer.invoke("copy", "b", "d")).status == 200
        assert not any(task.done() for task in blocked)
        blocking.released.set()
        assert {(await task).payload for task in blocked} == {b"released"}


async def test_a_lost_stream_ends_the_wait(
    blocking: Blocking, serving: Serving, certificates: Certificates
) -> None:
    async with serving(blocking) as address:
        async with connect(address, certificates.credentials()) as peer:
            peer.silent = {"GET_STATE"}
            reading = asyncio.create_task(peer.invoke("read"))
            await peer.asked.get()
        with pytest.raises(PeerRefusal):
            await reading
        await until(lambda: bool(blocking.lost))


@pytest.mark.parametrize(("how", "kind"), [("refuse", ContractError), ("stop", RuntimeError)])
async def test_what_it_raises_arrives(
    blocking: Blocking, how: str, kind: type[BaseException]
) -> None:
    with pytest.raises(kind):
        await run(Router([blocking]), stub_of("fail", how))


async def test_waiting_is_for_plain_functions(blocking: Blocking) -> None:
    with pytest.raises(RuntimeError, match="an `async def` uses `await`"):
        await run(Router([blocking]), stub_of("waitInAsync"))
