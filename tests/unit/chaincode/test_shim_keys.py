"""Composite keys and the checks on keys: shared with every other shim on the same ledger."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfab_chaincode import InvalidKeyError, Stub
from medfab_chaincode._conversation import Batching, Conversation

PARTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\U0010ffff"))


def stub() -> Stub:
    conversation = Conversation(
        channel_id="care", transaction_id="t", batching=Batching(), send=lambda message: None
    )
    return Stub(conversation, args=[], proposal_bytes=b"")


def test_the_form_of_a_composite_key() -> None:
    assert Stub.create_composite_key("type", ["a", "", "é"]) == "\x00type\x00a\x00\x00é\x00"
    assert Stub.create_composite_key("type", []) == "\x00type\x00"


@given(PARTS.filter(bool), st.lists(PARTS))
def test_split_undoes_create(object_type: str, attributes: list[str]) -> None:
    key = Stub.create_composite_key(object_type, attributes)
    assert Stub.split_composite_key(key) == (object_type, attributes)


@pytest.mark.parametrize(
    ("object_type", "attributes"),
    [("", ["a"]), ("t", "abc"), ("t\x00", []), ("t", ["\U0010ffff"]), ("t", ["a\x00b"]),
     ("\ud800", []), ("t", ["\ud800"])],
)  # fmt: skip
def test_parts_that_no_composite_key_can_hold(object_type: str, attributes: list[str]) -> None:
    with pytest.raises(InvalidKeyError):
        Stub.create_composite_key(object_type, attributes)


@pytest.mark.parametrize(
    "key", ["", "a", "\x00", "\x00\x00", "\x00a", "a\x00b\x00", "\x00\x00a\x00"]
)
def test_keys_that_are_not_composite(key: str) -> None:
    with pytest.raises(InvalidKeyError):
        Stub.split_composite_key(key)


@pytest.mark.parametrize(
    "call",
    [
        lambda stub: stub.put_state("", b"1"),
        lambda stub: stub.put_state("\ud800", b"1"),
        lambda stub: stub.delete_state(""),
        lambda stub: stub.put_private_data("", "k", b"1"),
        lambda stub: stub.put_private_data("c", "", b"1"),
        lambda stub: stub.delete_private_data("", "k"),
        lambda stub: stub.purge_private_data("", "k"),
        lambda stub: stub.get_state_by_range("\x00", ""),
        lambda stub: stub.get_state_by_range("", "\x00"),
        lambda stub: stub.get_private_data_by_range("", "a", "b"),
        lambda stub: stub.get_private_data_by_partial_composite_key("", "t", []),
        lambda stub: stub.set_event("", b""),
        lambda stub: asyncio.run(stub.get_state("")),
        lambda stub: asyncio.run(stub.get_states(["a", ""])),
        lambda stub: asyncio.run(stub.get_states("abc")),
        lambda stub: asyncio.run(stub.get_private_data("", "a")),
        lambda stub: asyncio.run(stub.get_private_data_many("", ["a"])),
        lambda stub: asyncio.run(stub.get_private_data_hash("", "a")),
    ],
)
def test_refused_at_once(call: Callable[[Stub], object]) -> None:
    with pytest.raises(InvalidKeyError):
        call(stub())


@pytest.mark.parametrize("value", ["text", None, 1, bytearray(b"1")])
def test_only_bytes_are_stored(value: bytes) -> None:
    with pytest.raises(TypeError, match="stores bytes"):
        stub().put_state("k", value)
    with pytest.raises(TypeError, match="stores bytes"):
        stub().set_event("e", value)
