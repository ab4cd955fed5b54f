"""The ledger in memory: what a test gives it, asks of it and gets from it."""

import inspect
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest

from medfab_chaincode import (
    Chaincode,
    Context,
    Contract,
    ContractError,
    Response,
    Stub,
    evaluate,
    submit,
    testing,
)
from medfab_chaincode.testing import (
    Collection,
    CommitError,
    EndorseError,
    EvaluateError,
    Identity,
    Ledger,
    LedgerError,
    NondeterminismError,
    all_of,
)

A, B, C = "MspA", "MspB", "MspC"
ALICE = Identity(A, "alice", {"role": "physician"})
BOB = Identity(B, "bob")


class Notes(Contract):
    name = "notes"

    def __init__(self) -> None:
        self.calls = 0

    @submit("Put")
    async def put(self, context: Context, key: str, value: str) -> str:
        context.stub.put_state(key, value.encode())
        context.stub.set_event("put", key.encode())
        return context.transaction_id

    @submit("Append")
    async def append(self, context: Context, key: str, value: str) -> None:
        before = await context.stub.get_state(key)
        context.stub.put_state(key, (before or b"") + value.encode())

    @submit("Delete")
    def delete(self, context: Context, key: str) -> None:
        context.stub.delete_state(key)

    @evaluate("Get")
    async def get(self, context: Context, key: str) -> bytes | None:
        return await context.stub.get_state(key)

    @submit("Refuse")
    def refuse(self, context: Context) -> NoReturn:
        context.stub.put_state("never", b"1")
        raise ContractError("not today", code="NOT_TODAY", status=409)

    @submit("Fail")
    def fail(self, context: Context) -> NoReturn:
        raise RuntimeError("a secret")

    @evaluate("Who")
    def who(self, context: Context) -> list[Any]:
        client = context.client_identity
        return [client.msp_id, client.attribute("role"), context.timestamp, context.channel_id]

    @submit("Count")
    def count(self, context: Context) -> int:
        """Depends on what the process did before, as no contract should."""
        self.calls += 1
        context.stub.put_state("calls", str(self.calls).encode())
        return self.calls


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(Notes, organizations=[A, B, C])


def test_all_is_sorted_and_complete() -> None:
    public = [
        name
        for name, value in vars(testing).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    ]
    assert testing.__all__ == sorted(public)
    for name, value in vars(testing).items():
        if inspect.isclass(value) and issubclass(value, LedgerError):
            assert f" {name}" in (testing._errors.__doc__ or "")


async def test_state_in_transaction_state_out() -> None:
    ledger = Ledger(Notes, organizations=[A, B], state={"old": b"1"})
    before = ledger.state()
    transaction_id = (await ledger.submit("Put", "new", "2", caller=ALICE)).decode()
    await ledger.submit("Append", "old", "2", caller=BOB)
    assert ledger.state() == {"old": b"12", "new": b"2"}
    assert before == {"old": b"1"}, "a snapshot has changed"
    assert await ledger.evaluate("Get", "old", caller=ALICE) == b"12"
    (event,) = ledger.events
    assert (event.name, event.payload, event.transaction_id) == ("put", b"new", transaction_id)
    await ledger.submit("Delete", "new", caller=ALICE)
    assert "new" not in ledger.state()
    assert [(change.is_delete, change.value) for change in ledger.history("new")] == [
        (True, None),
        (False, b"2"),
    ]
    assert ledger.height == 5  # after the genesis block, the definition and three transactions


async def test_the_same_calls_give_the_same_bytes() -> None:
    def run() -> Ledger:
        return Ledger(Notes, organizations=[A, B])

    first, second = [await run().endorse("Put", "a", "1", caller=ALICE) for _ in range(2)]
    assert first.transaction_id == second.transaction_id
    assert first.response_payload == second.response_payload


async def test_the_caller_and_the_clock_are_the_tests(ledger: Ledger) -> None:
    ledger.now = datetime(2031, 2, 3, tzinfo=UTC)
    said = await ledger.evaluate("Who", caller=ALICE)
    assert said == b'["MspA","physician","2031-02-03T00:00:00Z","channel"]'


async def test_a_refusal_changes_nothing_and_says_why(ledger: Ledger) -> None:
    with pytest.raises(EndorseError) as endorsing:
        await ledger.submit("Refuse", caller=ALICE)
    with pytest.raises(EvaluateError) as evaluating:
        await ledger.evaluate("Refuse", caller=ALICE)
    for caught in (endorsing, evaluating):
        assert caught.value.chaincode is not None
        assert (caught.value.chaincode.status, caught.value.chaincode.code) == (409, "NOT_TODAY")
        (detail,) = caught.value.details
        assert detail.msp_id == A
    assert (endorsing.value.code, evaluating.value.code) == ("ABORTED", "UNKNOWN")
    assert (ledger.state(), ledger.height) == ({}, 2)


async def test_a_failure_is_internal_and_keeps_its_text(ledger: Ledger) -> None:
    with pytest.raises(EndorseError) as caught:
        await ledger.submit("Fail", caller=ALICE)
    assert caught.value.chaincode is not None
    assert (caught.value.chaincode.status, caught.value.chaincode.code) == (500, "INTERNAL")
    assert "secret" not in str(caught.value)


async def test_a_stranger_is_not_let_in(ledger: Ledger) -> None:
    with pytest.raises(EvaluateError) as caught:
        await ledger.evaluate(
            "Get", "a", caller=Identity("Elsewhere", "eve"), target_organizations=[A]
        )
    assert "access denied" in str(caught.value)


async def test_endorsers_that_disagree_are_told_apart_by_keys(ledger: Ledger) -> None:
    await ledger.evaluate("Count", caller=ALICE, target_organizations=[B])
    with pytest.raises(NondeterminismError) as caught:
        await ledger.submit("Count", caller=ALICE)
    assert caught.value.code == "ABORTED"
    assert caught.value.differences == ("the result", "the writes to contract: 'calls'")
    assert "the answers of MspA and MspB differ" in str(caught.value)


async def test_two_transactions_in_a_block_that_read_the_same(ledger: Ledger) -> None:
    first = await ledger.endorse("Append", "k", "1", caller=ALICE)
    second = await ledger.endorse("Append", "k", "2", caller=BOB)
    blind = await ledger.endorse("Put", "k", "3", caller=BOB)
    assert ledger.commit(second, first, blind) == ("VALID", "MVCC_READ_CONFLICT", "VALID")
    assert ledger.state() == {"k": b"3"}
    assert [change.value for change in ledger.history("k")] == [b"3", b"2"]
    assert ledger.commit(second) == ("DUPLICATE_TXID",)
    assert [event.payload for event in ledger.events] == [b"k"]


async def test_a_transaction_that_lacks_signatures_is_invalid(ledger: Ledger) -> None:
    with pytest.raises(CommitError) as caught:
        await ledger.submit("Put", "k", "1", caller=ALICE, endorsing_organizations=[A])
    assert caught.value.code == "ENDORSEMENT_POLICY_FAILURE"
    assert (ledger.state(), ledger.events) == ({}, ())


async def test_the_fewest_endorsers_are_chosen_the_callers_first() -> None:
    ledger = Ledger(Notes, organizations=[A, B, C])
    assert (await ledger.endorse("Put", "k", "1", caller=ALICE)).endorsers == (A, B)
    assert (await ledger.endorse("Put", "k", "1", caller=BOB)).endorsers == (B, A)
    everyone = Ledger(Notes, organizations=[A, B, C], policy=all_of(B, C))
    # The caller's peer runs the proposal, but its signature is of no use.
    assert (await everyone.endorse("Put", "k", "1", caller=ALICE)).endorsers == (B, C)


async def test_what_a_transaction_reads_and_writes(ledger: Ledger) -> None:
    transaction = await ledger.endorse("Append", "k", "1", caller=ALICE)
    assert transaction.reads == ("k",)
    assert transaction.writes == {"k": b"1"}
    assert transaction.private_writes == {}
    assert (await ledger.endorse("Delete", "k", caller=ALICE)).writes == {"k": None}
    assert "b'1'" not in repr(transaction)


async def test_a_raw_chaincode_is_served_too() -> None:
    class Echo(Chaincode):
        async def invoke(self, stub: Stub) -> Response:
            return Response(200, "", b" ".join(stub.args))

    ledger = Ledger(Echo, organizations=[A])
    assert await ledger.submit("say", "it", caller=ALICE) == b"say it"


async def test_an_upgrade_overtakes_what_was_endorsed_before(ledger: Ledger) -> None:
    endorsed = await ledger.endorse("Put", "k", "1", caller=ALICE)
    ledger.deploy("contract", Notes, version="2.0")
    assert ledger.commit(endorsed) == ("MVCC_READ_CONFLICT",)
    await ledger.submit("Put", "k", "2", caller=ALICE)


SECRETS = Collection(name="secrets", members=[A])


def test_a_collection_cannot_be_taken_away() -> None:
    ledger = Ledger(Notes, organizations=[A, B], collections=[SECRETS])
    with pytest.raises(ValueError, match="'secrets' is missing"):
        ledger.deploy("contract", Notes, version="2.0")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"organizations": []}, "organizations"),
        ({"organizations": A}, "organizations"),
        ({"organizations": [A, A]}, "twice"),
        ({"collections": [Collection(name="_x", members=[A])]}, "name"),
        ({"collections": [SECRETS, SECRETS]}, "twice"),
        ({"collections": [Collection(name="x", members=[C])]}, "no organisation"),
        ({"collections": [Collection(name="x", members=[])]}, "members"),
        ({"collections": [Collection(name="x", members=A)]}, "members"),
        ({"collections": [Collection(name="x", members=[A], block_to_live=-1)]}, "block_to_live"),
        ({"policy": all_of(A, C)}, "not on the channel"),
        ({"policy": all_of(A, A)}, "cannot meet"),
        ({"state": {"": b"1"}}, "not empty"),
        ({"state": {"k": b""}}, "not empty"),
        ({"private_state": {"nowhere": {"k": b"1"}}}, "no collection"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Ledger(Notes, **({"organizations": [A, B]} | changes))


async def test_a_call_that_cannot_be_made_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no chaincode"):
        await ledger.evaluate("Get", "k", caller=ALICE, chaincode="nowhere")
    with pytest.raises(ValueError, match="no organisation"):
        await ledger.evaluate("Get", "k", caller=ALICE, target_organizations=["X"])
    with pytest.raises(ValueError, match="list"):
        await ledger.submit("Put", "k", "1", caller=ALICE, endorsing_organizations=A)
