"""The bytes of messages, against vectors put together by hand from the .proto files."""

from __future__ import annotations

import hashlib

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2

from medfab_gateway._messages.chaincode_events import build_chaincode_events_request
from medfab_gateway._messages.deliver import build_seek_payload
from medfab_gateway._messages.proposal import build_proposal
from medfab_gateway._messages.transaction import build_commit_status_request
from medfab_gateway.identity import Hash, private_key_signer
from unit.gateway.fake_gateway import Proposal, make_identity, read_seek

IDENTITY, KEY = make_identity("HospitalMSP")
NONCE = bytes(range(24))
TIMESTAMP_NS = 1_700_000_000_123_456_789


def field(number: int, content: bytes | str) -> bytes:
    """A length-delimited protobuf field."""
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def proposal_by_hand(channel_id: bytes, args: list[bytes], transient: dict[str, bytes]) -> bytes:
    creator = field(1, "HospitalMSP") + field(2, IDENTITY.certificate)
    transaction_id = hashlib.sha256(NONCE + creator).hexdigest()
    chaincode_id = field(2, "ehr")  # ChaincodeID.name is 2
    timestamp = number_field(1, 1_700_000_000) + number_field(2, 123_456_789)
    channel_header = number_field(1, 3) + field(3, timestamp)
    if channel_id:
        channel_header += field(4, channel_id)
    channel_header += field(5, transaction_id) + field(7, field(2, chaincode_id))
    header = field(1, channel_header) + field(2, field(1, creator) + field(2, NONCE))
    chaincode_input = b"".join(field(1, argument) for argument in args)
    spec = field(2, chaincode_id) + field(3, chaincode_input)
    payload = field(1, field(1, spec))
    for key in sorted(transient):
        payload += field(2, field(1, key) + field(2, transient[key]))
    return field(1, header) + field(2, payload)


def build(channel_id: str = "care", nonce: bytes = NONCE) -> tuple[str, bytes]:
    unsigned = build_proposal(
        identity=IDENTITY,
        channel_id=channel_id,
        chaincode_name="ehr",
        args=[b"Read", b"", b"\xff"],
        transient={"b": b"2", "a": b"1", "c": b""},
        nonce=nonce,
        timestamp_ns=TIMESTAMP_NS,
    )
    assert "proposal_bytes" not in repr(unsigned)
    return unsigned.transaction_id, unsigned.proposal_bytes


def test_proposal_bytes() -> None:
    transient = {"a": b"1", "b": b"2", "c": b""}
    expected = proposal_by_hand(b"care", [b"Read", b"", b"\xff"], transient)
    assert build()[1] == expected


def test_proposal_to_a_peer_rather_than_a_channel() -> None:
    transient = {"a": b"1", "b": b"2", "c": b""}
    assert build("")[1] == proposal_by_hand(b"", [b"Read", b"", b"\xff"], transient)


def test_transaction_id() -> None:
    transaction_id, _ = build()
    assert transaction_id == hashlib.sha256(NONCE + IDENTITY.serialized).hexdigest()
    assert build(nonce=bytes(24))[0] != transaction_id


def test_signed_proposal() -> None:
    unsigned = build_proposal(
        identity=IDENTITY,
        channel_id="",
        chaincode_name="cscc",
        args=[b"GetChannels"],
        transient={},
        nonce=NONCE,
        timestamp_ns=TIMESTAMP_NS,
    )
    signed = proposal_pb2.SignedProposal(
        proposal_bytes=unsigned.proposal_bytes,
        signature=private_key_signer(KEY)(Hash.SHA256.digest(unsigned.proposal_bytes)),
    )
    assert signed.proposal_bytes == unsigned.proposal_bytes
    assert Proposal.read(signed).args == [b"GetChannels"]  # verifies the signature


def test_commit_status_request() -> None:
    request = build_commit_status_request(
        identity=IDENTITY, channel_id="care", transaction_id="00ff"
    )
    assert (
        request
        == gateway_pb2.CommitStatusRequest(
            transaction_id="00ff", channel_id="care", identity=IDENTITY.serialized
        ).SerializeToString()
    )
    assert request == field(1, "00ff") + field(2, "care") + field(3, IDENTITY.serialized)


def seek(start_block: int | None, stop_block: int | None, tls: bytes | None = None) -> bytes:
    return build_seek_payload(
        identity=IDENTITY,
        channel_id="care",
        start_block=start_block,
        stop_block=stop_block,
        timestamp_ns=TIMESTAMP_NS,
        tls_certificate_hash=tls,
    )


def test_seek_payload() -> None:
    timestamp = number_field(1, 1_700_000_000) + number_field(2, 123_456_789)
    channel_header = number_field(1, 5) + field(3, timestamp) + field(4, "care")
    header = field(1, channel_header) + field(2, field(1, IDENTITY.serialized))
    start = field(3, number_field(1, 7))
    stop = field(3, number_field(1, 9))
    assert seek(7, 9) == field(1, header) + field(2, field(1, start) + field(2, stop))


def test_seek_positions() -> None:
    _, info = read_seek(common_pb2.Payload.FromString(seek(None, None)))
    assert info.start.WhichOneof("Type") == "next_commit"
    assert info.stop.specified.number == 2**64 - 1
    _, info = read_seek(common_pb2.Payload.FromString(seek(0, 0)))
    assert info.start.WhichOneof("Type") == "specified"
    assert (info.start.specified.number, info.stop.specified.number) == (0, 0)
    assert info.stop.WhichOneof("Type") == "specified"


def test_seek_carries_the_hash_of_the_client_certificate() -> None:
    header, _ = read_seek(common_pb2.Payload.FromString(seek(0, None, tls=b"hash")))
    assert header.tls_cert_hash == b"hash"
    header, _ = read_seek(common_pb2.Payload.FromString(seek(0, None)))
    assert header.tls_cert_hash == b""


def test_chaincode_events_request() -> None:
    def build(start_block: int | None, after: str | None = None) -> bytes:
        return build_chaincode_events_request(
            identity=IDENTITY,
            channel_id="care",
            chaincode_name="ehr",
            start_block=start_block,
            after_transaction_id=after,
        )

    common = field(1, "care") + field(2, "ehr") + field(3, IDENTITY.serialized)
    assert build(None) == common + field(4, field(4, b""))
    assert build(7) == common + field(4, field(3, number_field(1, 7)))
    assert build(7, "ab") == common + field(4, field(3, number_field(1, 7))) + field(5, "ab")
