"""Blocks as JSON. That it equals configtxlator's is shown on real blocks, in the integration
tests; here is what configtxlator refuses."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2
from hypothesis import given
from hypothesis import strategies as st

from medfab_gateway import BlockDecodeError, block_json
from unit.gateway.made_transactions import made_envelope, made_transaction


def json_of(*data: bytes) -> Any:
    block = common_pb2.Block(data=common_pb2.BlockData(data=data))
    return json.loads(json.dumps(block_json(block.SerializeToString())))


def test_a_transaction() -> None:
    made = made_transaction("t1", args=(b"File",), event=("Filed", b"\x00"))
    block = json_of(made.envelope)
    assert (block["header"], block["metadata"]) == (None, None)
    payload = block["data"]["data"][0]["payload"]
    assert payload["header"]["channel_header"] == {
        "type": 3,
        "version": 0,
        "timestamp": None,
        "channel_id": "care",
        "tx_id": "t1",
        "epoch": "0",
        "extension": None,
        "tls_cert_hash": "",
    }
    (action,) = payload["data"]["actions"]
    spec = action["payload"]["chaincode_proposal_payload"]["input"]["chaincode_spec"]
    assert spec["type"] == "UNDEFINED"
    assert spec["input"]["args"] == [base64.b64encode(b"File").decode()]
    outcome = action["payload"]["action"]["proposal_response_payload"]["extension"]
    assert outcome["events"]["event_name"] == "Filed"
    assert outcome["results"]["data_model"] == "KV"


@pytest.mark.parametrize(
    ("header_type", "data"),
    [(common_pb2.ENDORSER_TRANSACTION, b"\xff"), (77, b"?"), (common_pb2.CONFIG, b"\xff\xff")],
)
def test_what_cannot_be_decoded_stays_bytes_and_hides_no_other(
    header_type: int, data: bytes
) -> None:
    block = json_of(made_envelope(header_type, data, "t1"), made_transaction("t2").envelope)
    bad, good = block["data"]["data"]
    assert bad["payload"]["data"] == base64.b64encode(data).decode()
    assert bad["payload"]["header"]["channel_header"]["tx_id"] == "t1"
    assert good["payload"]["data"]["actions"]


def test_messages_within_messages_without_end() -> None:
    """A transaction in a transaction, a thousand times: nobody's stack is used up."""
    envelope = made_envelope(common_pb2.ENDORSER_TRANSACTION, b"")
    for _ in range(1000):
        envelope = made_envelope(common_pb2.ORDERER_TRANSACTION, envelope)
    assert isinstance(json_of(envelope)["data"]["data"][0], dict)


@given(st.binary(max_size=60))
def test_no_transaction_makes_it_fail(data: bytes) -> None:
    transaction = transaction_pb2.Transaction()
    transaction.actions.add(header=data, payload=data)
    json_of(data, made_envelope(common_pb2.ENDORSER_TRANSACTION, transaction.SerializeToString()))


def test_not_a_block() -> None:
    with pytest.raises(BlockDecodeError, match="2 bytes"):
        block_json(b"\xff\xff")
