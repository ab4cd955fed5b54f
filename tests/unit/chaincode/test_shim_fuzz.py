"""Whatever a peer sends: no crash, no hang, no wrong answer.

Each example has a transaction in flight, sends some messages that no peer should send, and then
runs a control transaction, whose answer only it can have. The budget is fixed and so are the
examples; with MEDFAB_SOAK=1 they are 10,000 and differ in each run.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import grpc.aio
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from medfab_chaincode._execution import Executor
from medfab_chaincode._handler import StreamHandler
from medfab_chaincode._observation import TransactionLog
from medfab_chaincode._router import Router
from soak import SOAK, record
from unit.chaincode.fake_peer import FakePeer, PeerRefusal, until
from unit.chaincode.ledger_contract import Ledger

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage
SECONDS = 60
EXAMPLES = 10_000 if SOAK else 300
IN_FLIGHT, ENDED = "in-flight", "ended"


@dataclass(frozen=True)
class Bytes:
    """A message that is already serialised, or never was one."""

    raw: bytes

    def SerializeToString(self) -> bytes:
        return self.raw


class Pipe:
    """Both ends of a stream in memory: `receive` and `send` for us, `read` and `write` for it."""

    def __init__(self) -> None:
        self._to_us: asyncio.Queue[bytes] = asyncio.Queue()
        self._to_peer: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(self) -> bytes:
        return await self._to_us.get()

    async def send(self, message: bytes) -> None:
        self._to_peer.put_nowait(message)

    async def read(self) -> Any:
        return await self._to_peer.get()

    async def write(self, message: bytes) -> None:
        self._to_us.put_nowait(message)

    def end(self) -> None:
        self._to_peer.put_nowait(grpc.aio.EOF)


# --- what is sent -----------------------------------------------------------------------------

short = st.binary(max_size=24)

calls = st.builds(
    lambda name, args: chaincode_pb2.ChaincodeInput(args=[name, *args]).SerializeToString(),
    st.sampled_from(
        [b"Get", b"Put", b"Mix", b"Swap", b"Range", b"Composite", b"Catch", b"Refuse", b"\xff"]
    ),
    st.lists(st.one_of(short, st.just(b"a")), max_size=3),
)

announcements = st.builds(
    lambda *values: chaincode_pb2.ChaincodeAdditionalParams(
        use_write_batch=values[0],
        max_size_write_batch=values[1],
        use_get_multiple_keys=values[2],
        max_size_get_multiple_keys=values[3],
    ).SerializeToString(),
    *(st.booleans(), st.integers(0, 2**32 - 1)) * 2,
)

several = st.builds(
    lambda values: chaincode_shim_pb2.GetStateMultipleResult(values=values).SerializeToString(),
    st.lists(short, max_size=3),
)

results = st.builds(
    lambda values, more: chaincode_shim_pb2.QueryResponse(
        results=[chaincode_shim_pb2.QueryResultBytes(resultBytes=value) for value in values],
        has_more=more,
        id="no such iterator",
    ).SerializeToString(),
    st.lists(short, max_size=3),
    st.booleans(),
)

messages = st.builds(
    lambda kind, payload, transaction_id, channel_id: ChaincodeMessage(
        type=kind, payload=payload, txid=transaction_id, channel_id=channel_id
    ),
    st.sampled_from([*ChaincodeMessage.Type.values(), 26, 99, -1, 2**31 - 1]),
    st.one_of(short, calls, announcements, several, results),
    st.sampled_from(["", IN_FLIGHT, ENDED, "unknown", "other"]),
    st.sampled_from(["", "care", "supply"]),
)

whole = messages.map(lambda message: bytes(message.SerializeToString()))
truncated = st.builds(lambda raw, length: raw[:length], whole, st.integers(0, 40))
hostile = st.lists(
    st.builds(
        lambda raw, times: [Bytes(raw)] * times,
        st.one_of(whole, truncated, st.binary(max_size=60)),
        st.integers(1, 2),
    ),
    max_size=8,
)


# --- what must hold all the same --------------------------------------------------------------


def test_no_message_of_a_peer_breaks_the_chaincode() -> None:
    settings(max_examples=EXAMPLES, deadline=None, derandomize=not SOAK)(one_attack)()
    record("fuzzed messages of a peer", examples=EXAMPLES, crashes_hangs_wrong_answers=0)


@given(hostile)
def one_attack(groups: list[list[Bytes]]) -> None:
    sent = [message for group in groups for message in group]
    trouble: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: trouble.append(what))
        async with asyncio.timeout(SECONDS):
            executor = Executor(Router([Ledger()]))
            survived = await attack(executor, sent)
            # What is no message ends the stream, and nothing else does.
            assert survived is not any(ends_the_stream(message.raw) for message in sent)
            assert survived or await attack(executor, [])

    asyncio.run(run())
    assert trouble == []


async def attack(executor: Executor, sent: list[Bytes]) -> bool:
    """Send, then check; False if the chaincode ended the stream."""
    pipe = Pipe()
    peer = FakePeer(pipe, batching=True)
    handler = StreamHandler(pipe, chaincode_id="x", executor=executor, observer=TransactionLog())
    serving = asyncio.create_task(handler.run())
    reading = asyncio.create_task(peer.run())
    serving.add_done_callback(lambda _: pipe.end())
    try:
        await peer.ready.wait()
        peer.ledger["", "k"] = peer.ledger["secrets", "k"] = b"before"
        ended = await swap(peer, ENDED, "first")
        assert ended == expected("before", ENDED)
        peer.asked, peer.delay = asyncio.Queue(), 0.001
        flying = asyncio.create_task(swap(peer, IN_FLIGHT, "second"))
        await peer.asked.get()  # it waits for an answer, which is not among the following
        for message in sent:
            peer.send(message)
        outcome = await flying
        if not any(addresses(message.raw) for message in sent):
            assert outcome in (expected("first", IN_FLIGHT), None if serving.done() else "-")
        # Whatever it did to the ledger: the control transaction has keys of its own.
        if serving.done():
            return False
        peer.ledger["", "own"] = peer.ledger["secrets", "own"] = b"mine"
        control = await swap(peer, "control", "yours", key="own")
        if control is None:
            await serving
            return False
        assert control == expected("mine", "control")
        assert peer.ledger["", "own"] == b"yours"
        await until(lambda: not handler._running)
        return True
    finally:
        serving.cancel()
        reading.cancel()
        await asyncio.gather(serving, reading, return_exceptions=True)


async def swap(peer: FakePeer, transaction_id: str, value: str, key: str = "k") -> str | None:
    """Run one transaction; None if the stream ended under it."""
    with contextlib.suppress(PeerRefusal):
        result = await peer.invoke("Swap", key, value, transaction_id=transaction_id)
        return f"{result.status} {result.payload.decode()}"
    return None


def expected(value: str, transaction_id: str) -> str:
    old = value.encode()
    return f"200 {old!r} {old!r} {[old]!r} {transaction_id} care"


def addresses(raw: bytes) -> bool:
    """Whether this is a message for the transaction in flight: its answer is then the peer's."""
    with contextlib.suppress(DecodeError):
        message = ChaincodeMessage.FromString(raw)
        return (message.txid, message.channel_id) == (IN_FLIGHT, "care")
    return False


def ends_the_stream(raw: bytes) -> bool:
    try:
        message = ChaincodeMessage.FromString(raw)
        if message.type == ChaincodeMessage.READY:
            chaincode_pb2.ChaincodeAdditionalParams.FromString(message.payload)
    except DecodeError:
        return True
    return False
