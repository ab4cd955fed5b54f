"""Reads of one tick travel together, and each succeeds or fails by itself."""

import asyncio
import contextlib

import pytest
from fabric_protos.peer import chaincode_shim_pb2

from medfab_chaincode import ChaincodeError, Context, Contract, PeerError, StreamLostError, evaluate
from medfab_chaincode._conversation import Batching, Conversation
from medfab_chaincode._reads import UNKNOWN_VALUES
from medfab_chaincode._stub import Stub
from unit.chaincode.conftest import Certificates, Serving
from unit.chaincode.fake_peer import connect

Message = chaincode_shim_pb2.ChaincodeMessage


class Line:
    """A conversation whose other end is the test."""

    def __init__(self, *, reads: int = 1000) -> None:
        self.sent: list[tuple[str, list[str]]] = []
        self.conversation = Conversation(
            channel_id="care",
            transaction_id="t",
            batching=Batching(reads=reads),
            send=self._take,
        )
        self.stub = Stub(self.conversation, args=[], proposal_bytes=b"")

    def _take(self, raw: bytes) -> None:
        message = Message.FromString(raw)
        if message.type == Message.GET_STATE_MULTIPLE:
            many = chaincode_shim_pb2.GetStateMultiple.FromString(message.payload)
            self.sent.append(("MULTIPLE", list(many.keys)))
        else:
            one = chaincode_shim_pb2.GetState.FromString(message.payload)
            self.sent.append(("ONE", [one.key]))

    def ask(self, *keys: str) -> list["asyncio.Task[bytes | None]"]:
        return [asyncio.ensure_future(self.stub.get_state(key)) for key in keys]

    async def answer(self, *values: bytes, error: str = "") -> None:
        """Answer the outstanding request; one value is that of a single key."""
        await settle()
        if error:
            payload = error.encode()
        elif self.sent[-1][0] == "ONE":
            (payload,) = values
        else:
            result = chaincode_shim_pb2.GetStateMultipleResult(values=values)
            payload = result.SerializeToString()
        assert self.conversation.deliver(is_error=bool(error), payload=payload)
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_tick_is_one_message() -> None:
    line = Line()
    reads = line.ask("a", "absent", "b", "a")
    await line.answer(b"1", b"", b"2", b"1")
    assert line.sent == [("MULTIPLE", ["a", "absent", "b", "a"])]
    assert await asyncio.gather(*reads) == [b"1", None, b"2", b"1"]
    (alone,) = line.ask("c")
    await line.answer(b"")
    assert line.sent[1:] == [("ONE", ["c"])]
    assert await alone is None


async def test_the_peer_s_limit_and_ours_cut_the_messages() -> None:
    for reads, sizes in ((3, [3, 3, 1]), (1, [1] * 7)):
        line = Line(reads=reads)
        values = line.ask(*"abcdefg")
        for size in sizes:
            await settle()
            assert len(line.sent[-1][1]) == size
            await line.answer(*(key.encode() for key in line.sent[-1][1]))
        assert await asyncio.gather(*values) == [key.encode() for key in "abcdefg"]
    line = Line()
    line.ask(*(str(number) for number in range(UNKNOWN_VALUES + 1)))
    await settle()
    assert len(line.sent[0][1]) == UNKNOWN_VALUES
    line.conversation.abandon(StreamLostError("over"))
    await settle()


@pytest.mark.parametrize(
    ("value_bytes", "sizes"),
    [
        (None, [8, 8, 4]),  # nobody knows: 8 of 10 MiB are below 100 MiB
        (10 * 1024 * 1024, [8, 8, 4]),
        (6_000_000, [11, 9]),
        (1, [20]),
    ],
)
async def test_a_list_is_cut_by_the_size_of_its_answers(
    value_bytes: int | None, sizes: list[int]
) -> None:
    line = Line()
    keys = [str(number) for number in range(20)]
    reading = asyncio.ensure_future(line.stub.get_states(keys, value_bytes=value_bytes))
    for _ in sizes:
        await settle()
        await line.answer(*(key.encode() for key in line.sent[-1][1]))
    assert [len(keys) for _, keys in line.sent] == sizes
    assert await reading == [key.encode() for key in keys]
    with pytest.raises(ValueError, match="at least one byte"):
        await line.stub.get_states(keys, value_bytes=0)


async def test_an_error_reaches_the_caller_of_its_key_alone() -> None:
    line = Line()
    good, bad, other = line.ask("good", "bad", "other")
    await line.answer(error="one of them is bad")
    await line.answer(b"1")
    await line.answer(error="this one")
    await line.answer(b"3")
    assert line.sent[1:] == [("ONE", ["good"]), ("ONE", ["bad"]), ("ONE", ["other"])]
    assert (await good, await other) == (b"1", b"3")
    with pytest.raises(PeerError, match="GET_STATE: this one"):
        await bad


async def test_missing_values_are_asked_for_one_by_one() -> None:
    """A peer whose database fails answers a multiple read with success and nothing."""
    line = Line()
    reads = line.ask("a", "b")
    await line.answer()
    await line.answer(b"1")
    await line.answer(error="database down")
    assert await reads[0] == b"1"
    with pytest.raises(PeerError, match="database down"):
        await reads[1]


async def test_a_caller_that_gives_up_takes_nobody_along() -> None:
    line = Line()
    early, late, stays = line.ask("early", "late", "stays")
    await asyncio.sleep(0)  # they have asked, nothing is sent
    early.cancel()
    await settle()
    assert line.sent == [("MULTIPLE", ["late", "stays"])]
    late.cancel()
    await line.answer(b"1", b"2")
    assert await stays == b"2"
    for task in (early, late):
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("count", [1, 2])
async def test_the_end_of_the_stream_fails_every_caller(count: int) -> None:
    line = Line()
    reads = line.ask(*"ab"[:count])
    await settle()
    line.conversation.abandon(StreamLostError("gone"))
    for read in reads:
        with pytest.raises(StreamLostError):
            await read
    for read in line.ask("too", "late"):
        with pytest.raises(ChaincodeError):
            await read


async def test_a_bad_key_is_refused_before_it_joins_the_others() -> None:
    line = Line()
    bad, good = line.ask("", "good")
    await line.answer(b"1")
    assert await good == b"1"
    with pytest.raises(ValueError, match="must not be empty"):
        await bad


class Reading(Contract):
    name = "reading"

    @evaluate("Gather")
    async def gather(self, context: Context, keys: list[str]) -> list[bytes | None]:
        return list(await asyncio.gather(*(context.stub.get_state(key) for key in keys)))

    @evaluate("Private")
    async def private(self, context: Context) -> None:
        await asyncio.gather(*(context.stub.get_private_data("c", key) for key in "ab"))

    @evaluate("Forgotten")
    async def forgotten(self, context: Context) -> None:
        task = asyncio.ensure_future(context.stub.get_state("a"))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_over_a_stream(serving: Serving, certificates: Certificates) -> None:
    answers = []
    async with serving(Reading()) as address:
        for batching in (True, False):
            async with connect(address, certificates.credentials(), batching=batching) as peer:
                peer.ledger.update({("", "a"): b"1", ("", "b"): b"2"})
                answers.append(await peer.invoke("Gather", '["a","absent","b"]'))
                private = await peer.invoke("Private")
                # A private value that this peer has lost fails alone, and is absent among many.
                assert private.requests == ["GET_STATE", "GET_STATE"]
                assert (await peer.invoke("Forgotten")).status == 200
                assert peer.dropped == 0
    together, single = answers
    assert together.payload == single.payload == b'["MQ==",null,"Mg=="]'
    assert together.requests == ["GET_STATE_MULTIPLE"]
    assert single.requests == ["GET_STATE"] * 3
