"""A transaction is read as a peer reads it, layer by layer, however it is written."""

from __future__ import annotations

from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from medfab_gateway import BlockTransaction
from unit.gateway.made_transactions import made_envelope, made_transaction


def writes_by_layers(envelope: bytes) -> list[str] | None:
    """The keys written, as Go's decoder at a peer finds them; None where it finds an error."""
    try:
        payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
        if header.type != common_pb2.ENDORSER_TRANSACTION:
            return []
        (action,) = transaction_pb2.Transaction.FromString(payload.data).actions
        return [write.key for write in public_set(action.payload).writes]
    except (DecodeError, ValueError):
        return None


def public_set(action_payload: bytes) -> Any:
    action = transaction_pb2.ChaincodeActionPayload.FromString(action_payload).action
    response = proposal_response_pb2.ProposalResponsePayload.FromString(
        action.proposal_response_payload
    )
    results = proposal_pb2.ChaincodeAction.FromString(response.extension).results
    whole = kv_rwset_pb2.KVRWSet()
    for namespace in rwset_pb2.TxReadWriteSet.FromString(results).ns_rwset:
        whole.MergeFrom(kv_rwset_pb2.KVRWSet.FromString(namespace.rwset))
    return whole


def writes_of(transaction: BlockTransaction) -> list[str]:
    return [write.key for each in transaction.read_write_sets for write in each.writes]


def writing(key: str) -> BlockTransaction:
    public = kv_rwset_pb2.KVRWSet(writes=[kv_rwset_pb2.KVWrite(key=key, value=b"v")])
    return made_transaction("t1", public=public)


def action_payload_of(transaction: BlockTransaction) -> bytes:
    payload = common_pb2.Payload.FromString(
        common_pb2.Envelope.FromString(transaction.envelope).payload
    )
    serialized: bytes = transaction_pb2.Transaction.FromString(payload.data).actions[0].payload
    return serialized


def test_of_a_field_that_is_there_twice_the_last_counts() -> None:
    """Whoever puts a forged result before the endorsed one shows it to nobody: peers check the
    endorsements of the last."""
    forged, endorsed = (
        transaction_pb2.TransactionAction(
            payload=action_payload_of(writing(key))
        ).SerializeToString()
        for key in ("forged", "endorsed")
    )
    both = b"\x0a" + _length(forged + endorsed) + forged + endorsed
    transaction = BlockTransaction(
        made_envelope(common_pb2.ENDORSER_TRANSACTION, both, "t1"), "VALID"
    )
    assert writes_by_layers(transaction.envelope) == ["endorsed"]
    assert writes_of(transaction) == ["endorsed"]
    assert transaction.undecoded is None


def test_what_is_overridden_need_not_be_a_message() -> None:
    endorsed = transaction_pb2.TransactionAction(
        payload=action_payload_of(writing("endorsed"))
    ).SerializeToString()
    rubbish = b"\x12\x02\xff\xff"  # TransactionAction.payload
    both = b"\x0a" + _length(rubbish + endorsed) + rubbish + endorsed
    transaction = BlockTransaction(
        made_envelope(common_pb2.ENDORSER_TRANSACTION, both, "t1"), "VALID"
    )
    assert writes_by_layers(transaction.envelope) == ["endorsed"]
    assert writes_of(transaction) == ["endorsed"]
    assert transaction.undecoded is None


def test_a_call_that_says_nothing() -> None:
    """An empty message is a message: all of its layers can be missing."""
    nothing = transaction_pb2.Transaction(actions=[transaction_pb2.TransactionAction()])
    transaction = BlockTransaction(
        made_envelope(common_pb2.ENDORSER_TRANSACTION, nothing.SerializeToString(), "t1"), "VALID"
    )
    assert transaction.undecoded is None
    assert (transaction.chaincode_name, transaction.args) == (None, ())
    assert (transaction.response, transaction.event) == (None, None)
    assert (transaction.endorsers, transaction.endorser_msp_ids) == ((), ())
    assert transaction.read_write_sets == ()


def test_a_namespace_that_says_nothing() -> None:
    transaction = made_transaction("t1", public=kv_rwset_pb2.KVRWSet())
    (namespace,) = transaction.read_write_sets
    assert (namespace.reads, namespace.writes, namespace.collections) == ((), (), ())
    assert (namespace.range_queries, namespace.metadata_writes) == ((), ())


def test_fields_of_a_newer_fabric_are_passed_over() -> None:
    envelope = writing("k").envelope
    unknown = b"\xfa\x01\x03new"  # field 31
    transaction = BlockTransaction(unknown + envelope + unknown, "VALID")
    assert writes_of(transaction) == ["k"]
    assert transaction.transaction_id == "t1"


def _length(data: bytes) -> bytes:
    return bytes([len(data) & 0x7F | 0x80, len(data) >> 7])


ENVELOPE = writing("key").envelope


@given(
    start=st.integers(0, len(ENVELOPE)),
    length=st.integers(0, 40),
    inserted=st.binary(max_size=6),
    repeated=st.booleans(),
)
def test_damage_is_read_as_peers_read_it(
    start: int, length: int, inserted: bytes, repeated: bool
) -> None:
    damaged = ENVELOPE[:start] + inserted + ENVELOPE[start + length :]
    if repeated:
        damaged += ENVELOPE[start:]
    transaction = BlockTransaction(damaged, "VALID")
    expected = writes_by_layers(damaged)
    if expected is None:
        assert transaction.undecoded is not None
    elif transaction.undecoded is None:
        assert writes_of(transaction) == expected
