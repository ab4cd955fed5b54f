"""Decoding blocks that are put together here."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import chaincode_event_pb2, proposal_pb2
from hypothesis import given
from hypothesis import strategies as st

from medfab_gateway import (
    BlockDecodeError,
    BlockTransaction,
    ChaincodeEvent,
    HashedWrite,
    Read,
    Version,
    Write,
    decode_block,
    private_key_signer,
)
from medfab_gateway._messages.headers import build_header
from medfab_gateway._messages.proposal import build_proposal
from medfab_gateway.identity import Hash
from unit.gateway.fake_gateway import Proposal, endorsed_payload, make_identity
from unit.gateway.made_transactions import made_transaction

IDENTITY, KEY = make_identity("HospitalMSP")
TIMESTAMP_NS = 1_700_000_000_123_456_000


def make_proposal() -> tuple[str, Proposal]:
    unsigned = build_proposal(
        identity=IDENTITY,
        channel_id="care",
        chaincode_name="ehr",
        args=[b"File", b"ARGUMENT"],
        transient={"record": b"SECRET"},
        nonce=bytes(24),
        timestamp_ns=TIMESTAMP_NS,
    )
    signed = proposal_pb2.SignedProposal(
        proposal_bytes=unsigned.proposal_bytes,
        signature=private_key_signer(KEY)(Hash.SHA256.digest(unsigned.proposal_bytes)),
    )
    return unsigned.transaction_id, Proposal.read(signed)


def make_results() -> bytes:
    version = kv_rwset_pb2.Version(block_num=4, tx_num=2)
    reads = [kv_rwset_pb2.KVRead(key="old", version=version), kv_rwset_pb2.KVRead(key="none")]
    public = kv_rwset_pb2.KVRWSet(
        reads=reads,
        range_queries_info=[
            kv_rwset_pb2.RangeQueryInfo(
                start_key="a",
                end_key="z",
                itr_exhausted=True,
                raw_reads=kv_rwset_pb2.QueryReads(kv_reads=reads[:1]),
            ),
            kv_rwset_pb2.RangeQueryInfo(
                start_key="b", reads_merkle_hashes=kv_rwset_pb2.QueryReadsMerkleSummary()
            ),
        ],
        writes=[
            kv_rwset_pb2.KVWrite(key="new", value=b"VALUE"),
            kv_rwset_pb2.KVWrite(key="old", is_delete=True),
        ],
        metadata_writes=[
            kv_rwset_pb2.KVMetadataWrite(
                key="new",
                entries=[kv_rwset_pb2.KVMetadataEntry(name="VALIDATION_PARAMETER", value=b"p")],
            )
        ],
    )
    hashed = kv_rwset_pb2.HashedRWSet(
        hashed_reads=[kv_rwset_pb2.KVReadHash(key_hash=b"k0", version=version)],
        hashed_writes=[
            kv_rwset_pb2.KVWriteHash(key_hash=b"k1", value_hash=b"v1"),
            kv_rwset_pb2.KVWriteHash(key_hash=b"k2", is_delete=True, is_purge=True),
        ],
        metadata_writes=[kv_rwset_pb2.KVMetadataWriteHash(key_hash=b"k3")],
    )
    namespace = rwset_pb2.NsReadWriteSet(
        namespace="ehr",
        rwset=public.SerializeToString(),
        collection_hashed_rwset=[
            rwset_pb2.CollectionHashedReadWriteSet(
                collection_name="_implicit_org_HospitalMSP",
                hashed_rwset=hashed.SerializeToString(),
                pvt_rwset_hash=b"h",
            )
        ],
    )
    other = rwset_pb2.NsReadWriteSet(namespace="_lifecycle")
    results: bytes = rwset_pb2.TxReadWriteSet(ns_rwset=[other, namespace]).SerializeToString()
    return results


def make_envelope() -> bytes:
    _, proposal = make_proposal()
    event = chaincode_event_pb2.ChaincodeEvent(
        chaincode_id="ehr", tx_id="x", event_name="Filed", payload=b"EVENT"
    )
    payload = endorsed_payload(
        proposal,
        result=b"RESULT",
        results=make_results(),
        event=event.SerializeToString(),
        endorsers=["HospitalMSP", "ClinicMSP"],
    )
    return envelope(payload)


def envelope(payload: bytes) -> bytes:
    serialized: bytes = common_pb2.Envelope(payload=payload, signature=b"s").SerializeToString()
    return serialized


def make_block(data: Sequence[bytes], codes: bytes | None = None, number: int = 5) -> Any:
    metadata = [b"", b"", codes] if codes is not None else []
    return common_pb2.Block(
        header=common_pb2.BlockHeader(number=number, previous_hash=b"p" * 32, data_hash=b"d" * 32),
        data=common_pb2.BlockData(data=data),
        metadata=common_pb2.BlockMetadata(metadata=metadata),
    )


def test_a_transaction() -> None:
    message = make_block([make_envelope()], bytes([0]))
    block = decode_block(message)
    assert (block.number, block.previous_hash, block.data_hash) == (5, b"p" * 32, b"d" * 32)
    assert block.raw == message.SerializeToString()
    assert decode_block(block.raw) == block

    [transaction] = block.transactions
    transaction_id, _ = make_proposal()
    assert transaction.transaction_id == transaction_id
    assert (transaction.channel_id, transaction.type) == ("care", "ENDORSER_TRANSACTION")
    assert transaction.timestamp == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    assert transaction.creator.msp_id == "HospitalMSP"
    assert transaction.creator.certificate == IDENTITY.certificate
    assert transaction.validation_code == "VALID"
    assert transaction.chaincode_name == "ehr"
    assert transaction.args == (b"File", b"ARGUMENT")
    assert transaction.response is not None
    assert (transaction.response.status, transaction.response.payload) == (200, b"RESULT")
    assert transaction.event == ChaincodeEvent(name="Filed", payload=b"EVENT")
    assert transaction.endorser_msp_ids == ("HospitalMSP", "ClinicMSP")
    assert transaction.config is None
    assert transaction.undecoded is None


def test_read_write_sets() -> None:
    [transaction] = decode_block(make_block([make_envelope()], bytes([0]))).transactions
    lifecycle, ehr = transaction.read_write_sets
    assert (lifecycle.namespace, ehr.namespace) == ("_lifecycle", "ehr")
    old = Read(key="old", version=Version(block_number=4, transaction_number=2))
    assert ehr.reads == (old, Read(key="none", version=None))
    found, hashed = ehr.range_queries
    assert (found.start_key, found.end_key, found.exhausted) == ("a", "z", True)
    assert found.reads == (old,)
    assert (hashed.start_key, hashed.exhausted, hashed.reads) == ("b", False, None)
    assert ehr.writes == (
        Write(key="new", value=b"VALUE", is_delete=False),
        Write(key="old", value=b"", is_delete=True),
    )
    [metadata] = ehr.metadata_writes
    assert (metadata.key, metadata.entries) == ("new", {"VALIDATION_PARAMETER": b"p"})
    [collection] = ehr.collections
    assert collection.collection == "_implicit_org_HospitalMSP"
    assert collection.private_hash == b"h"
    assert [read.key_hash for read in collection.reads] == [b"k0"]
    assert collection.reads[0].version == old.version
    assert collection.writes == (
        HashedWrite(key_hash=b"k1", value_hash=b"v1", is_delete=False, is_purge=False),
        HashedWrite(key_hash=b"k2", value_hash=b"", is_delete=True, is_purge=True),
    )
    assert [write.key_hash for write in collection.metadata_writes] == [b"k3"]


def test_what_is_decoded_is_like_what_is_made() -> None:
    """Decoded objects are made without their `__init__`: they equal those that went through it,
    have the same repr and hash, can be copied, and are frozen."""
    [transaction] = decode_block(make_block([make_envelope()], bytes([0]))).transactions
    made = BlockTransaction(transaction.envelope, "VALID")
    _, ehr = transaction.read_write_sets
    assert transaction.event is not None
    decoded: list[Any] = [transaction, transaction.creator, *transaction.endorsers]
    decoded += [transaction.event, transaction.response, *transaction.read_write_sets]
    decoded += [*ehr.reads, *ehr.writes, *ehr.collections, *ehr.collections[0].reads]
    decoded += ehr.collections[0].writes
    assert (transaction, hash(transaction)) == (made, hash(made))
    for each in decoded:
        again = dataclasses.replace(each)
        assert (again, repr(again)) == (each, repr(each))
        assert copy.copy(each) == each
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(each, dataclasses.fields(each)[0].name, None)


def test_the_reads_of_a_definition() -> None:
    """Those of `_lifecycle`, the same in most transactions, are made once."""

    def decode(version: int) -> tuple[Read, ...]:
        read = kv_rwset_pb2.KVRead(key="namespaces/fields/ehr/Sequence")
        read.version.block_num = version
        transaction = made_transaction(
            "t1", public=kv_rwset_pb2.KVRWSet(reads=[read]), namespace="_lifecycle"
        )
        return transaction.read_write_sets[0].reads

    for version in (1, 2):
        expected = Version(block_number=version, transaction_number=0)
        assert decode(version) == (Read(key="namespaces/fields/ehr/Sequence", version=expected),)
    assert decode(1) is decode(1)


def test_repr_shows_no_values() -> None:
    text = repr(decode_block(make_block([make_envelope()], bytes([0]))))
    assert "HospitalMSP" in text
    for value in ("ARGUMENT", "RESULT", "EVENT", "VALUE", "SECRET", "BEGIN CERTIFICATE"):
        assert value not in text


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (bytes([0, 11]), ["VALID", "MVCC_READ_CONFLICT"]),
        (bytes([255, 99]), ["INVALID_OTHER_REASON", "CODE_99"]),
        (bytes([0]), ["VALID", "NOT_VALIDATED"]),
        (None, ["NOT_VALIDATED", "NOT_VALIDATED"]),
    ],
)
def test_validation_codes(codes: bytes | None, expected: list[str]) -> None:
    block = decode_block(make_block([make_envelope()] * 2, codes))
    assert [transaction.validation_code for transaction in block.transactions] == expected


def payload_of(header_type: int, data: bytes) -> bytes:
    header = build_header(
        header_type=header_type,
        channel_id="care",
        creator=IDENTITY.serialized,
        timestamp_ns=TIMESTAMP_NS,
        transaction_id="t1",
    )
    payload: bytes = common_pb2.Payload(header=header, data=data).SerializeToString()
    return payload


def test_a_configuration() -> None:
    config = configtx_pb2.ConfigEnvelope(config=configtx_pb2.Config(sequence=3)).SerializeToString()
    block = decode_block(make_block([envelope(payload_of(common_pb2.CONFIG, config))], bytes([0])))
    [transaction] = block.transactions
    assert transaction.type == "CONFIG"
    assert transaction.config is not None
    assert transaction.config.sequence == 3
    assert transaction.config_update is None
    assert (transaction.chaincode_name, transaction.args) == (None, ())


@pytest.mark.parametrize(
    ("data", "known_id"),
    [
        (b"\xff\xff", ""),
        (b"", ""),
        (envelope(b"\xff"), ""),
        (envelope(payload_of(common_pb2.ENDORSER_TRANSACTION, b"\xff")), "t1"),
        (envelope(payload_of(common_pb2.ENDORSER_TRANSACTION, b"")), "t1"),
    ],
)
def test_a_malformed_transaction_hides_no_other(data: bytes, known_id: str) -> None:
    block = decode_block(make_block([data, make_envelope()], bytes([2, 0])))
    malformed, good = block.transactions
    assert malformed.transaction_id == known_id
    assert malformed.validation_code == "BAD_PAYLOAD"
    if data:  # an empty message is a message in protobuf
        assert malformed.undecoded
    assert good.undecoded is None
    assert good.args[0] == b"File"


def test_a_timestamp_out_of_range_is_marked() -> None:
    header = common_pb2.ChannelHeader(type=3, tx_id="t1")
    header.timestamp.seconds = 2**62
    payload = common_pb2.Payload(
        header=common_pb2.Header(channel_header=header.SerializeToString())
    ).SerializeToString()
    [transaction] = decode_block(make_block([envelope(payload)], bytes([0]))).transactions
    assert transaction.undecoded


def test_a_type_of_a_newer_fabric() -> None:
    block = decode_block(make_block([envelope(payload_of(77, b"?"))], bytes([0])))
    assert block.transactions[0].type == "TYPE_77"


@given(data=st.lists(st.binary(max_size=40), max_size=3))
def test_no_transaction_makes_the_decoder_fail(data: list[bytes]) -> None:
    assert len(decode_block(make_block(data)).transactions) == len(data)


@given(flip=st.integers(0, 10_000), value=st.integers(0, 255))
def test_no_damage_makes_the_decoder_fail(flip: int, value: int) -> None:
    damaged = bytearray(ENVELOPE)
    damaged[flip % len(damaged)] = value
    decode_block(make_block([bytes(damaged)]))


ENVELOPE = make_envelope()


def test_not_a_block() -> None:
    with pytest.raises(BlockDecodeError, match="2 bytes"):
        decode_block(b"\xff\xff")


@pytest.mark.parametrize(
    ("number", "integer"),
    [(0, "020100"), (127, "02017f"), (128, "02020080"), (2**64 - 1, "020900" + "ff" * 8)],
)
def test_hash_of_the_header(number: int, integer: str) -> None:
    """DER by hand: an INTEGER has a leading zero where its highest bit would be a sign."""
    body = bytes.fromhex(integer) + b"\x04\x20" + b"p" * 32 + b"\x04\x20" + b"d" * 32
    expected = hashlib.sha256(bytes([0x30, len(body)]) + body).digest()
    assert decode_block(make_block([], number=number)).hash == expected
