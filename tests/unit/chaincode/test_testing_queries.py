"""Ranges, pages, histories, rich queries and other chaincodes on the ledger in memory."""

import json
from typing import Any

import pytest

from medfab_chaincode import Context, Contract, PeerError, Stub, evaluate, submit
from medfab_chaincode.testing import EndorseError, Identity, Ledger

A, B = "MspA", "MspB"
ALICE, BOB = Identity(A, "alice"), Identity(B, "bob")
MANY = {f"k{number:03}": b"1" for number in range(250)}


class Queries(Contract):
    name = "queries"

    @evaluate("Keys")
    async def keys(self, context: Context, start: str, end: str, most: int) -> list[str]:
        found = []
        async with context.stub.get_state_by_range(start, end) as results:
            async for item in results:
                found.append(item.key)
                if len(found) == most:
                    break
        return found

    @submit("KeysAndPut")
    async def keys_and_put(self, context: Context, most: int, key: str) -> None:
        await self.keys(context, "", "", most)
        context.stub.put_state(key, b"1")

    @evaluate("Page")
    async def page(self, context: Context, size: int, bookmark: str) -> list[Any]:
        page = await context.stub.get_state_by_range_with_pagination("", "", size, bookmark)
        return [[item.key for item in page.items], page.bookmark]

    @submit("PageAndPut")
    async def page_and_put(self, context: Context) -> None:
        await self.page(context, 1, "")
        context.stub.put_state("k", b"1")

    @evaluate("Composite")
    async def composite(self, context: Context) -> list[str]:
        results = context.stub.get_state_by_all_composite_keys()
        return [Stub.split_composite_key(item.key)[0] async for item in results]

    @evaluate("History")
    async def history(self, context: Context, key: str) -> int:
        return len([change async for change in context.stub.get_history_for_key(key)])

    @evaluate("Rich")
    async def rich(self, context: Context) -> str:
        try:
            await anext(context.stub.get_query_result("{}"))
        except PeerError as error:
            return error.reason
        raise AssertionError("LevelDB has answered a rich query")

    @submit("Put")
    def put(self, context: Context, key: str) -> None:
        context.stub.put_state(key, b"1")

    @submit("Call")
    async def call(
        self, context: Context, chaincode: str, channel: str, args: list[str]
    ) -> list[Any]:
        try:
            response = await context.stub.invoke_chaincode(chaincode, args, channel)
        except PeerError as error:
            return [error.reason]
        return [response.status, response.payload.decode()]


@pytest.fixture
def ledger() -> Ledger:
    remote = Ledger(Queries, organizations=[A], name="remote", channel="alone", state=MANY)
    ledger = Ledger(Queries, organizations=[A, B], state=MANY, other_ledgers=[remote])
    ledger.deploy("other", Queries)
    return ledger


async def ask(ledger: Ledger, *call: str, caller: Identity = ALICE) -> Any:
    return json.loads(await ledger.evaluate(*call, caller=caller))


async def test_ranges_longer_than_a_batch(ledger: Ledger) -> None:
    assert await ask(ledger, "Keys", "", "", "0") == sorted(MANY)
    assert await ask(ledger, "Keys", "k010", "k012", "0") == ["k010", "k011"]
    assert await ask(ledger, "Keys", "", "", "101") == sorted(MANY)[:101]


async def test_pages_join_to_the_whole(ledger: Ledger) -> None:
    found: list[str] = []
    sizes: list[int] = []
    bookmark = ""
    while not sizes or bookmark:
        keys, bookmark = await ask(ledger, "Page", "120", bookmark)
        found += keys
        sizes.append(len(keys))
    assert (found, sizes) == (sorted(MANY), [120, 120, 10])
    with pytest.raises(EndorseError):
        await ledger.submit("PageAndPut", caller=ALICE)


async def test_composite_keys_are_apart(ledger: Ledger) -> None:
    await ledger.submit("Put", Stub.create_composite_key("kind", ["a"]), caller=ALICE)
    assert await ask(ledger, "Composite") == ["kind"]
    assert len(await ask(ledger, "Keys", "", "", "0")) == len(MANY)


@pytest.mark.parametrize(
    ("key", "code"),
    [("k0005", "PHANTOM_READ_CONFLICT"), ("k001", "PHANTOM_READ_CONFLICT"), ("k200", "VALID")],
)
async def test_a_range_is_checked_as_far_as_the_peer_has_read(
    ledger: Ledger, key: str, code: str
) -> None:
    """Two keys are asked for; the peer has read one batch and one key more."""
    ranged = await ledger.endorse("KeysAndPut", "2", "seen", caller=ALICE)
    await ledger.submit("Put", key, caller=ALICE)
    assert ledger.commit(ranged) == (code,)


async def test_history_of_the_state_to_begin_with_is_empty(ledger: Ledger) -> None:
    assert await ask(ledger, "History", "k001") == 0
    for _ in range(2):
        await ledger.submit("Put", "k001", caller=ALICE)
    assert await ask(ledger, "History", "k001") == 2


async def test_rich_queries_are_refused_as_leveldb_does(ledger: Ledger) -> None:
    said = (await ledger.evaluate("Rich", caller=ALICE)).decode()
    assert said.endswith("ExecuteQuery not supported for leveldb")


async def test_a_chaincode_of_the_channel_writes(ledger: Ledger) -> None:
    said = await ledger.submit("Call", "other", "", '["Put","x"]', caller=ALICE)
    assert json.loads(said) == [200, ""]
    assert ledger.state("other") == {"x": b"1"}
    assert "x" not in ledger.state()


async def test_a_chaincode_of_another_channel_is_read_only(ledger: Ledger) -> None:
    history = '["History","k001"]'
    assert await ask(ledger, "Call", "remote", "alone", history) == [200, "0"]
    assert await ask(ledger, "Call", "remote", "alone", '["Put","x"]') == [200, ""]
    assert await ask(ledger, "Call", "remote", "alone", '["Keys","x","y","0"]') == [200, "[]"]


@pytest.mark.parametrize(
    ("chaincode", "channel", "caller", "reason"),
    [
        ("nobody", "", ALICE, "chaincode nobody not found"),
        ("contract", "", ALICE, "exists"),  # a chaincode cannot call itself
        ("remote", "nowhere", ALICE, "channel [nowhere]"),
        ("remote", "alone", BOB, "channel [alone]"),  # Bob's peer has not joined it
    ],
)
async def test_a_chaincode_that_cannot_be_called(
    ledger: Ledger, chaincode: str, channel: str, caller: Identity, reason: str
) -> None:
    (said,) = await ask(ledger, "Call", chaincode, channel, '["History","x"]', caller=caller)
    assert said.startswith("INVOKE_CHAINCODE failed: transaction ID: ")
    assert reason in said
