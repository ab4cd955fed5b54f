"""The bytes of a transaction → its messages, and those → its parts. Pure.

Decoding never raises: any member of a channel can have a malformed transaction put into a block,
and that must not stop everybody's reader. It says what was wrong instead.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from fabric_protos.common import common_pb2
from fabric_protos.msp import identities_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._deep_messages import (
    deep_types,
    empty,
    parse_call,
    parse_envelope,
    parse_transaction,
)
from medfab_gateway._frozen import new, setters
from medfab_gateway._transaction_parts import ChaincodeEvent, ChaincodeResponse, Creator, Endorser

DECODE_ERRORS = (DecodeError, ValueError)
"""What protobuf raises for bytes that are not what they should be."""

_TYPES: dict[int, str] = {number: name for name, number in common_pb2.HeaderType.items()}


Decoded: TypeAlias = tuple[Any, Any, Any, Any, str | None]
"""The (deep) payload, its channel header, `ChaincodeActionPayload`, the `ChaincodeAction` in that,
and what was wrong; then what could not be decoded is empty."""


def decode_envelope(envelope: bytes) -> Decoded:
    """envelope: a serialised `common.Envelope`."""
    try:
        payloads = parse_call(envelope).payload
        payload = payloads[-1]
        channel_header = payload.header.channel_header[-1]
        if channel_header.type == _CALL:
            (action,) = payload.data[-1].actions[:]
            action_payload = action.payload[-1]
            return payload, channel_header, action_payload, _outcome(action_payload), None
    except (IndexError, *DECODE_ERRORS):
        pass
    return _decode_layers(envelope)


_CALL = common_pb2.ENDORSER_TRANSACTION


def _decode_layers(envelope: bytes) -> Decoded:
    """`decode_envelope`, of what is no call of a chaincode, or malformed."""
    wrong = None
    try:
        payloads = parse_envelope(envelope).payload
    except DECODE_ERRORS as error:
        payloads, wrong = [_what_can_be_read(envelope)], reason(error)
    payload = payloads[-1] if payloads else empty("common.Payload")
    headers = payload.header.channel_header
    channel_header = headers[-1] if headers else empty("common.ChannelHeader")
    action_payload = empty("protos.ChaincodeActionPayload")
    if wrong is None and channel_header.type == _CALL:
        action_payload, wrong = _decode_action(payload.data)
    return payload, channel_header, action_payload, _outcome(action_payload), wrong


def _decode_action(data: bytes) -> tuple[Any, str | None]:
    """data: a serialised `protos.Transaction`."""
    nothing = empty("protos.ChaincodeActionPayload")
    try:
        actions = parse_transaction(data).actions
        if len(actions) == 1:  # peers accept no other number
            payloads = actions[0].payload
            return payloads[-1] if payloads else nothing, None
        return nothing, f"{len(actions)} actions instead of one"
    except DECODE_ERRORS as error:
        return nothing, reason(error)


def _outcome(action_payload: Any) -> Any:
    responses = action_payload.action.proposal_response_payload
    outcomes = responses[-1].extension if responses else None
    return outcomes[-1] if outcomes else empty("protos.ChaincodeAction")


def spec_of(action_payload: Any) -> Any:
    """The `protos.ChaincodeSpec`."""
    proposals = action_payload.chaincode_proposal_payload
    inputs = proposals[-1].input if proposals else None
    invocation = inputs[-1] if inputs else empty("protos.ChaincodeInvocationSpec")
    return invocation.chaincode_spec


def decode_timestamp(channel_header: Any) -> datetime | None:
    """UTC; None where there is none, or `timestamp_error` says what is wrong with it."""
    if not channel_header.HasField("timestamp") or timestamp_error(channel_header):
        return None
    timestamp = channel_header.timestamp
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""Of the years 1 to 9999: what a `google.protobuf.Timestamp` may hold."""


def timestamp_error(channel_header: Any) -> str | None:
    timestamp = channel_header.timestamp
    if _FIRST_SECOND <= timestamp.seconds <= _LAST_SECOND and 0 <= timestamp.nanos < 10**9:
        return None
    return f"the timestamp {timestamp.seconds}.{timestamp.nanos:09} is out of range"


def decode_creator(signature_header: bytes) -> Creator:
    """From a serialised `common.SignatureHeader`. Raises `DecodeError`."""
    creator = common_pb2.SignatureHeader.FromString(signature_header).creator
    return creator_of(identities_pb2.SerializedIdentity.FromString(creator))


_set_creator_msp_id, _set_creator_certificate = setters(Creator)
_set_msp_id, _set_certificate, _set_signature = setters(Endorser)
_set_event_name, _set_event_payload = setters(ChaincodeEvent)
_set_status, _set_message, _set_payload = setters(ChaincodeResponse)


def payload_creator(payload: Any) -> Creator:
    """Of a (deep) `common.Payload`."""
    headers = payload.header.signature_header
    creators = headers[-1].creator if headers else None
    return creator_of(creators[-1] if creators else empty("msp.SerializedIdentity"))


def creator_of(identity: Any) -> Creator:
    creator = new(Creator)
    _set_creator_msp_id(creator, identity.mspid)
    _set_creator_certificate(creator, identity.id_bytes)
    return creator


def identity_of(endorsement: Any) -> Any:
    """The `msp.SerializedIdentity`."""
    identities = endorsement.endorser
    return identities[-1] if identities else empty("msp.SerializedIdentity")


def endorser_of(endorsement: Any) -> Endorser:
    identities = endorsement.endorser
    identity = identities[-1] if identities else empty("msp.SerializedIdentity")
    endorser = new(Endorser)
    _set_msp_id(endorser, identity.mspid)
    _set_certificate(endorser, identity.id_bytes)
    _set_signature(endorser, endorsement.signature)
    return endorser


def event_of(outcome: Any) -> ChaincodeEvent | None:
    """Of a (deep) `protos.ChaincodeAction`."""
    messages = outcome.events
    if not messages:
        return None
    message = messages[-1]
    name = message.event_name
    if not name:
        return None
    event = new(ChaincodeEvent)
    _set_event_name(event, name)
    _set_event_payload(event, message.payload)
    return event


def response_of(message: Any) -> ChaincodeResponse:
    response = new(ChaincodeResponse)
    _set_status(response, message.status)
    _set_message(response, message.message)
    _set_payload(response, message.payload)
    return response


def type_name(number: int) -> str:
    return _TYPES.get(number) or f"TYPE_{number}"


def reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _what_can_be_read(envelope: bytes) -> Any:
    """The payload of a malformed transaction, with nothing but its channel header."""
    payload = deep_types()["common.Payload"]()
    try:
        outer = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
        header = common_pb2.ChannelHeader.FromString(outer.header.channel_header)
    except DecodeError:
        return payload
    payload.header.channel_header.add().CopyFrom(header)
    return payload
