"""History, queries, pages, metadata, other chaincode and the proposal: the messages they make.

What a real peer does with them is tested in `tests/integration/test_shim_parity.py`.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import (
    chaincode_pb2,
    chaincode_shim_pb2,
    proposal_pb2,
    proposal_response_pb2,
)

from medfab_chaincode import (
    ChaincodeError,
    Context,
    Contract,
    InvalidArgumentError,
    InvalidKeyError,
    PeerError,
    Stub,
    submit,
)
from medfab_chaincode._conversation import Batching, Conversation
from unit.chaincode.conftest import Certificates, Serving
from unit.chaincode.fake_peer import TIMESTAMP, connect

Message = chaincode_shim_pb2.ChaincodeMessage


class Line:
    """A stub whose peer is the test: every request is kept and gets the next answer."""

    def __init__(self, *answers: Any, error: str = "") -> None:
        self.kinds: list[str] = []
        self.payloads: list[bytes] = []
        self._answers = [
            answer if isinstance(answer, bytes) else answer.SerializeToString()
            for answer in answers
        ]
        self._error = error
        self._conversation = Conversation(
            channel_id="care", transaction_id="t", batching=Batching(), send=self._take
        )
        self.stub = Stub(self._conversation, args=[], proposal_bytes=b"")

    def _take(self, raw: bytes) -> None:
        message = Message.FromString(raw)
        self.kinds.append(Message.Type.Name(message.type))
        self.payloads.append(message.payload)
        payload = self._error.encode() if self._error else self._answers.pop(0)
        asyncio.get_running_loop().call_soon(self._deliver, payload)

    def _deliver(self, payload: bytes) -> None:
        self._conversation.deliver(is_error=bool(self._error), payload=payload)


def response(*results: Any, more: bool = False, bookmark: str = "", count: int = 0) -> Any:
    about = chaincode_shim_pb2.QueryResponseMetadata(bookmark=bookmark, fetched_records_count=count)
    return chaincode_shim_pb2.QueryResponse(
        results=[
            chaincode_shim_pb2.QueryResultBytes(resultBytes=result.SerializeToString())
            for result in results
        ],
        has_more=more,
        id="i",
        metadata=about.SerializeToString(),
    )


def pair(key: str, value: bytes = b"v") -> Any:
    return kv_query_result_pb2.KV(key=key, value=value)


async def test_history() -> None:
    change = kv_query_result_pb2.KeyModification(tx_id="2", is_delete=True)
    change.timestamp.FromDatetime(TIMESTAMP)
    older = kv_query_result_pb2.KeyModification(tx_id="1", value=b"canary")
    line = Line(response(change, more=True), response(older))
    found = [item async for item in line.stub.get_history_for_key("k")]
    assert [(item.transaction_id, item.value, item.is_delete) for item in found] == [
        ("2", None, True),
        ("1", b"canary", False),
    ]
    assert found[0].timestamp == TIMESTAMP
    assert "canary" not in repr(found)
    assert line.kinds == ["GET_HISTORY_FOR_KEY", "QUERY_STATE_NEXT"]
    line = Line(response(change, more=True), response())
    async with line.stub.get_history_for_key("k") as changes:
        async for _ in changes:
            break
    assert line.kinds == ["GET_HISTORY_FOR_KEY", "QUERY_STATE_CLOSE"]


async def test_queries() -> None:
    line = Line(response(pair("a")), response(pair("b")))
    public = [item.key async for item in line.stub.get_query_result("{}")]
    private = [item.key async for item in line.stub.get_private_data_query_result("c", "{}")]
    assert (public, private) == (["a"], ["b"])
    asked = [chaincode_shim_pb2.GetQueryResult.FromString(raw) for raw in line.payloads]
    assert [(query.query, query.collection) for query in asked] == [("{}", ""), ("{}", "c")]
    refused = Line(error="ExecuteQuery not supported for leveldb")
    with pytest.raises(PeerError, match="GET_QUERY_RESULT: ExecuteQuery not supported"):
        await anext(refused.stub.get_query_result("{}"))


async def test_pages() -> None:
    calls: list[tuple[Callable[[Stub], Any], str, str, str]] = [
        (lambda s: s.get_state_by_range_with_pagination("", "z", 7, "b"), "\x01", "z", "b"),
        (
            lambda s: s.get_state_by_partial_composite_key_with_pagination("t", ["x"], 7),
            "\x00t\x00x\x00",
            "\x00t\x00x\x00\U0010ffff",
            "",
        ),
        (
            lambda s: s.get_state_by_all_composite_keys_with_pagination(7, "\x00t\x00"),
            "\x00",
            "\x00\U0010ffff",
            "\x00t\x00",
        ),
    ]
    for call, start, end, bookmark in calls:
        line = Line(response(pair("k"), bookmark="next", count=1))
        page = await call(line.stub)
        assert ([item.key for item in page.items], page.bookmark, page.fetched_count) == (
            ["k"],
            "next",
            1,
        )
        (payload,) = line.payloads
        asked = chaincode_shim_pb2.GetStateByRange.FromString(payload)
        about = chaincode_shim_pb2.QueryMetadata.FromString(asked.metadata)
        assert (asked.startKey, asked.endKey, asked.collection) == (start, end, "")
        assert (about.pageSize, about.bookmark) == (7, bookmark)
    line = Line(response(pair("k"), bookmark="opaque", count=1))
    page = await line.stub.get_query_result_with_pagination("{}", 3, "any form")
    assert page.bookmark == "opaque"
    query = chaincode_shim_pb2.GetQueryResult.FromString(line.payloads[0])
    about = chaincode_shim_pb2.QueryMetadata.FromString(query.metadata)
    assert (query.query, about.pageSize, about.bookmark) == ("{}", 3, "any form")


@pytest.mark.parametrize("bookmark", ["\x00t\x00secret\x00", "a", "c", "c1"])
async def test_a_made_up_bookmark_leads_out_of_no_range(bookmark: str) -> None:
    """The peer takes it for the start: "\\x00…" would show composite keys."""
    with pytest.raises(InvalidArgumentError, match="bookmark"):
        await Line().stub.get_state_by_range_with_pagination("b", "c", 1, bookmark)


@pytest.mark.parametrize("size", [0, -1, 2**31])
async def test_a_page_has_a_size(size: int) -> None:
    with pytest.raises(InvalidArgumentError, match="a page has"):
        await Line().stub.get_query_result_with_pagination("{}", size)


async def test_all_composite_keys() -> None:
    line = Line(response(pair("\x00t\x00")))
    assert [item.key async for item in line.stub.get_state_by_all_composite_keys()] == ["\x00t\x00"]
    asked = chaincode_shim_pb2.GetStateByRange.FromString(line.payloads[0])
    assert (asked.startKey, asked.endKey) == ("\x00", "\x00\U0010ffff")


async def test_validation_parameters_are_read() -> None:
    entries = [
        chaincode_shim_pb2.StateMetadata(metakey="something else", value=b"x"),
        chaincode_shim_pb2.StateMetadata(metakey="VALIDATION_PARAMETER", value=b"policy"),
    ]
    whole = chaincode_shim_pb2.StateMetadataResult(entries=entries)
    line = Line(whole, b"", whole)
    assert await line.stub.get_state_validation_parameter("k") == b"policy"
    assert await line.stub.get_state_validation_parameter("k") is None
    assert await line.stub.get_private_data_validation_parameter("c", "k") == b"policy"
    asked = chaincode_shim_pb2.GetStateMetadata.FromString(line.payloads[2])
    assert (asked.key, asked.collection) == ("k", "c")


def completed(response: Any, kind: str = "COMPLETED") -> Any:
    payload = response if isinstance(response, bytes) else response.SerializeToString()
    return Message(type=kind, payload=payload)


async def test_other_chaincode() -> None:
    answer = proposal_response_pb2.Response(status=409, message="canary", payload=b"canary")
    line = Line(completed(answer), completed(answer))
    got = await line.stub.invoke_chaincode("other", ["Put", b"\xff"])
    assert (got.status, got.message, got.payload) == (409, "canary", b"canary")
    assert "canary" not in repr(got)
    await line.stub.invoke_chaincode("other", [], "supply")
    specs = [chaincode_pb2.ChaincodeSpec.FromString(raw) for raw in line.payloads]
    assert [spec.chaincode_id.name for spec in specs] == ["other", "other/supply"]
    assert list(specs[0].input.args) == [b"Put", b"\xff"]
    failed = Line(completed(b"it broke", "ERROR"))
    with pytest.raises(PeerError, match="INVOKE_CHAINCODE: it broke"):
        await failed.stub.invoke_chaincode("other", [])


@pytest.mark.parametrize(
    "call",
    [
        lambda stub: stub.invoke_chaincode("", []),
        lambda stub: stub.invoke_chaincode("other/supply", []),
        lambda stub: stub.invoke_chaincode("other:1.0", []),
        lambda stub: stub.invoke_chaincode("other", [], "a/b"),
        lambda stub: stub.invoke_chaincode("\ud800", []),
        lambda stub: stub.get_state_validation_parameter(""),
        lambda stub: stub.get_private_data_validation_parameter("", "k"),
        lambda stub: stub.get_query_result_with_pagination("", 1),
        lambda stub: stub.get_query_result_with_pagination("{}", 1, "\ud800"),
    ],
)
async def test_names_are_checked_before_anything_is_sent(call: Callable[[Stub], Any]) -> None:
    with pytest.raises(InvalidKeyError):
        await call(Line().stub)


@pytest.mark.parametrize(
    "call",
    [
        lambda stub: stub.get_history_for_key(""),
        lambda stub: stub.get_query_result(""),
        lambda stub: stub.get_private_data_query_result("", "{}"),
        lambda stub: stub.set_state_validation_parameter("", b""),
        lambda stub: stub.set_private_data_validation_parameter("", "k", b""),
    ],
)
async def test_names_are_checked_at_once(call: Callable[[Stub], Any]) -> None:
    with pytest.raises(InvalidKeyError):
        call(Line().stub)


async def test_the_arguments_of_a_call_are_a_list() -> None:
    with pytest.raises(TypeError, match="a list"):
        await Line().stub.invoke_chaincode("other", "Put")


def test_the_proposal() -> None:
    header = common_pb2.Header(
        channel_header=common_pb2.ChannelHeader(epoch=258).SerializeToString(),
        signature_header=common_pb2.SignatureHeader(
            creator=b"creator", nonce=b"nonce"
        ).SerializeToString(),
    )
    proposal = proposal_pb2.SignedProposal(
        proposal_bytes=proposal_pb2.Proposal(header=header.SerializeToString()).SerializeToString(),
        signature=b"signature",
    )
    call = chaincode_pb2.ChaincodeInput(args=[b"f"], decorations={"d": b"1"})
    conversation = Conversation(
        channel_id="care", transaction_id="t", batching=Batching(), send=lambda message: None
    )
    stub = Stub.from_message(conversation, payload=call.SerializeToString(), proposal=proposal)
    expected = hashlib.sha256(b"noncecreator\x02\x01\0\0\0\0\0\0").digest()
    assert stub.binding == expected
    assert stub.signed_proposal.proposal_bytes == proposal.proposal_bytes
    assert stub.signed_proposal.signature == b"signature"
    assert "signature" not in repr(stub.signed_proposal)
    assert stub.decorations == {"d": b"1"}
    with pytest.raises(ChaincodeError, match="without its proposal"):
        _ = Line().stub.binding
    with pytest.raises(ChaincodeError, match="without its proposal"):
        _ = Line().stub.signed_proposal


class Policies(Contract):
    name = "policies"

    @submit("Write")
    def write(self, context: Context) -> None:
        stub = context.stub
        stub.set_state_validation_parameter("k", b"first")
        stub.put_state("k", b"value")
        stub.set_state_validation_parameter("k", b"last")
        stub.set_private_data_validation_parameter("c", "k", b"private")
        stub.set_state_validation_parameter("only", b"")


async def test_a_value_and_its_policy_do_not_replace_each_other(
    serving: Serving, certificates: Certificates
) -> None:
    results = []
    async with serving(Policies()) as address:
        for batching in (True, False):
            async with connect(address, certificates.credentials(), batching=batching) as peer:
                results.append(await peer.invoke("Write"))
    for result in results:
        assert result.writes == {("", "k"): b"value"}
        assert result.parameters == {
            ("", "k"): b"last",
            ("c", "k"): b"private",
            ("", "only"): b"",
        }
    batched, single = results
    assert batched.requests == ["WRITE_BATCH_STATE"] * 2
    assert single.requests == [
        "PUT_STATE_METADATA",
        "PUT_STATE",
        "PUT_STATE_METADATA",
        "PUT_STATE_METADATA",
    ]
