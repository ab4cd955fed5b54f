"""Bytes → `Block`. Pure.

A transaction that cannot be decoded is marked and never raises: any member of a channel can have
one put into a block, and that must not stop everybody's reader.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from google.protobuf.message import DecodeError

from medfab_gateway._block import (
    Block,
    BlockTransaction,
    ChaincodeEvent,
    ChaincodeResponse,
    Creator,
)
from medfab_gateway._read_write_set_decoder import decode_read_write_sets
from medfab_gateway._validation import validation_code_name
from medfab_gateway.errors import BlockDecodeError


def decode_block(block: Any) -> Block:
    """A block, from a `common.Block` or its bytes. Raises `BlockDecodeError`."""
    raw: bytes = block if isinstance(block, bytes) else block.SerializeToString()
    if isinstance(block, bytes):
        try:
            block = common_pb2.Block.FromString(block)
        except DecodeError as error:
            raise BlockDecodeError(f"These {len(raw)} bytes are not a block.") from error
    header = block.header
    codes = _validation_codes(block)
    return Block(
        number=header.number,
        hash=_header_hash(header),
        previous_hash=header.previous_hash,
        data_hash=header.data_hash,
        transactions=tuple(
            _decode_transaction(data, codes[index] if index < len(codes) else _NOT_VALIDATED)
            for index, data in enumerate(block.data.data)
        ),
        raw=raw,
    )


_NOT_VALIDATED = int(transaction_pb2.NOT_VALIDATED)


def _validation_codes(block: Any) -> bytes:
    """One byte for each transaction; empty in blocks of an orderer."""
    metadata = block.metadata.metadata
    if len(metadata) <= common_pb2.TRANSACTIONS_FILTER:
        return b""
    codes: bytes = metadata[common_pb2.TRANSACTIONS_FILTER]
    return codes


def _decode_transaction(data: bytes, code: int) -> BlockTransaction:
    transaction = BlockTransaction(
        transaction_id="",
        channel_id="",
        type="UNKNOWN",
        timestamp=None,
        creator=Creator(msp_id="", certificate=b""),
        validation_code=validation_code_name(code),
    )
    try:
        envelope = common_pb2.Envelope.FromString(data)
        payload = common_pb2.Payload.FromString(envelope.payload)
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
        transaction = replace(
            transaction,
            transaction_id=header.tx_id,
            channel_id=header.channel_id,
            type=_header_type(header.type),
            timestamp=_timestamp(header),
        )
        transaction = replace(transaction, creator=_creator(payload.header.signature_header))
        if header.type == common_pb2.ENDORSER_TRANSACTION:
            return _decode_action(transaction, payload.data)
        if header.type == common_pb2.CONFIG:
            return replace(transaction, config=payload.data)
    except (DecodeError, ValueError, OverflowError) as error:
        return replace(transaction, undecoded=str(error) or type(error).__name__)
    return transaction


def _decode_action(transaction: BlockTransaction, data: bytes) -> BlockTransaction:
    actions = transaction_pb2.Transaction.FromString(data).actions
    if len(actions) != 1:  # peers accept no other number
        raise ValueError(f"{len(actions)} actions instead of one")
    action = transaction_pb2.ChaincodeActionPayload.FromString(actions[0].payload)
    proposal = proposal_pb2.ChaincodeProposalPayload.FromString(action.chaincode_proposal_payload)
    spec = chaincode_pb2.ChaincodeInvocationSpec.FromString(proposal.input).chaincode_spec
    response_payload = proposal_response_pb2.ProposalResponsePayload.FromString(
        action.action.proposal_response_payload
    )
    chaincode_action = proposal_pb2.ChaincodeAction.FromString(response_payload.extension)
    response = chaincode_action.response
    return replace(
        transaction,
        chaincode_name=chaincode_action.chaincode_id.name or spec.chaincode_id.name,
        args=tuple(spec.input.args),
        response=ChaincodeResponse(
            status=response.status, message=response.message, payload=response.payload
        ),
        event=_event(chaincode_action.events),
        endorser_msp_ids=tuple(
            identities_pb2.SerializedIdentity.FromString(endorsement.endorser).mspid
            for endorsement in action.action.endorsements
        ),
        read_write_sets=decode_read_write_sets(chaincode_action.results),
    )


def _event(serialized: bytes) -> ChaincodeEvent | None:
    event = chaincode_event_pb2.ChaincodeEvent.FromString(serialized)
    if not event.event_name:
        return None
    return ChaincodeEvent(name=event.event_name, payload=event.payload)


def _creator(signature_header: bytes) -> Creator:
    creator = common_pb2.SignatureHeader.FromString(signature_header).creator
    identity = identities_pb2.SerializedIdentity.FromString(creator)
    return Creator(msp_id=identity.mspid, certificate=identity.id_bytes)


def _header_type(number: int) -> str:
    if number not in common_pb2.HeaderType.values():
        return f"TYPE_{number}"
    name: str = common_pb2.HeaderType.Name(number)
    return name


def _timestamp(header: Any) -> datetime | None:
    if not header.HasField("timestamp"):
        return None
    timestamp: datetime = header.timestamp.ToDatetime(tzinfo=UTC)
    return timestamp


def _header_hash(header: Any) -> bytes:
    """SHA-256 over ASN.1 SEQUENCE { number INTEGER, previous OCTET STRING, data OCTET STRING }:
    fabric/protoutil/blockutils.go, BlockHeaderBytes()."""
    number = header.number.to_bytes(header.number.bit_length() // 8 + 1, "big")
    body = _der(0x02, number) + _der(0x04, header.previous_hash) + _der(0x04, header.data_hash)
    return hashlib.sha256(_der(0x30, body)).digest()


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    length_bytes = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length_bytes)]) + length_bytes + content
