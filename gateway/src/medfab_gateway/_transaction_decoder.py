"""The bytes of a transaction → its messages, and those → its parts. Pure.

Decoding never raises: any member of a channel can have a malformed transaction put into a block,
and that must not stop everybody's reader. It says what was wrong instead.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.msp import identities_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._deep_messages import deep_types, parse_envelope, parse_transaction
from medfab_gateway._read_write_set import CollectionReadWriteSet, NamespaceReadWriteSet
from medfab_gateway._transaction_parts import ChaincodeEvent, Creator, Endorser

DECODE_ERRORS = (DecodeError, ValueError)
"""What protobuf raises for bytes that are not what they should be."""

_TYPES: dict[int, str] = {number: name for name, number in common_pb2.HeaderType.items()}


def decode_envelope(envelope: bytes) -> tuple[Any, str | None]:
    """The (deep) payload, and what was wrong; then it has no data, and of the header what could
    be read."""
    try:
        return parse_envelope(envelope).payload, None
    except DECODE_ERRORS as error:
        return _what_can_be_read(envelope), reason(error)


def decode_action(data: bytes) -> tuple[Any, str | None]:
    """data: a serialised `protos.Transaction`. The (deep) `ChaincodeActionPayload`, and what was
    wrong; then it is empty."""
    try:
        actions = parse_transaction(data).actions
        if len(actions) == 1:  # peers accept no other number
            return actions[0].payload, None
        wrong = f"{len(actions)} actions instead of one"
    except DECODE_ERRORS as error:
        wrong = reason(error)
    return no_action(), wrong


@cache
def no_action() -> Any:
    """What `decode_action` finds in a transaction that calls no chaincode."""
    return deep_types()[1]().actions.add().payload


def decode_timestamp(channel_header: Any) -> tuple[datetime | None, str | None]:
    """UTC, and what was wrong."""
    if not channel_header.HasField("timestamp"):
        return None, None
    try:
        return channel_header.timestamp.ToDatetime(tzinfo=UTC), None
    except (ValueError, OverflowError) as error:
        return None, reason(error)


def decode_creator(signature_header: bytes) -> Creator:
    """From a serialised `common.SignatureHeader`. Raises `DecodeError`."""
    creator = common_pb2.SignatureHeader.FromString(signature_header).creator
    return creator_of(identities_pb2.SerializedIdentity.FromString(creator))


def creator_of(identity: Any) -> Creator:
    return Creator(msp_id=identity.mspid, certificate=identity.id_bytes)


def endorser_of(endorsement: Any) -> Endorser:
    identity = endorsement.endorser
    return Endorser(
        msp_id=identity.mspid, certificate=identity.id_bytes, signature=endorsement.signature
    )


def event_of(event: Any) -> ChaincodeEvent | None:
    if not event.event_name:
        return None
    return ChaincodeEvent(name=event.event_name, payload=event.payload)


def read_write_set_of(entry: Any) -> NamespaceReadWriteSet:
    return NamespaceReadWriteSet(
        namespace=entry.namespace,
        message=entry.rwset,
        collections=tuple(
            [
                CollectionReadWriteSet(
                    collection=each.collection_name,
                    message=each.hashed_rwset,
                    private_hash=each.pvt_rwset_hash,
                )
                for each in entry.collection_hashed_rwset
            ]
        ),
    )


def type_name(number: int) -> str:
    return _TYPES.get(number) or f"TYPE_{number}"


def reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _what_can_be_read(envelope: bytes) -> Any:
    """The payload of a malformed transaction, with nothing but its channel header."""
    payload = deep_types()[0]().payload
    try:
        outer = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
        header = common_pb2.ChannelHeader.FromString(outer.header.channel_header)
    except DecodeError:
        return payload
    payload.header.channel_header.CopyFrom(header)
    return payload
