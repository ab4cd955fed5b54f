"""The context: transient data in, nothing of it out."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from medfab_chaincode import ChaincodeError, Context, InvalidArgumentError, Stub
from medfab_chaincode._conversation import Batching, Conversation
from unit.chaincode.fake_peer import TIMESTAMP, proposal_bytes


@dataclass(frozen=True)
class Item:
    name: str


def context(proposal: bytes) -> Context:
    conversation = Conversation(
        channel_id="care", transaction_id="t1", batching=Batching(), send=lambda message: None
    )
    return Context(Stub(conversation, args=[b"f", b"x"], proposal_bytes=proposal))


def with_transient(**entries: bytes) -> Context:
    return context(proposal_bytes(creator=b"someone", transient=entries))


def test_what_the_proposal_says() -> None:
    asked = with_transient()
    assert (asked.transaction_id, asked.channel_id) == ("t1", "care")
    assert asked.timestamp == TIMESTAMP
    assert asked.timestamp.utcoffset() == datetime.resolution * 0
    assert asked.stub.creator == b"someone"
    assert (asked.stub.function, asked.stub.parameters) == ("f", ("x",))


def test_transient_json() -> None:
    asked = with_transient(items=b'[{"name": "a"}]', one=b'{"name": "b"}')
    assert asked.transient_json("items", list[Item]) == [Item("a")]
    assert asked.transient_json("one", Item) == Item("b")
    with pytest.raises(InvalidArgumentError, match=r"transient\.none: expected an entry, got"):
        asked.transient_json("none", Item)
    with pytest.raises(InvalidArgumentError, match=r"transient\.items: expected an object"):
        asked.transient_json("items", Item)


def test_transient_is_a_mapping_that_prints_no_value() -> None:
    asked = with_transient(canary=b"canary")
    assert dict(asked.transient) == {"canary": b"canary"}
    assert "canary" in asked.transient
    assert repr(asked.transient) == "<transient: 1 entries>"
    assert "canary" not in f"{asked.transient} {asked!r} {asked.stub!r}"


def test_a_transaction_without_a_proposal() -> None:
    asked = context(b"")
    assert dict(asked.transient) == {}
    with pytest.raises(ChaincodeError, match="without its proposal"):
        _ = asked.timestamp
    with pytest.raises(ChaincodeError, match="without its proposal"):
        _ = asked.client_identity
