"""Transactions parsed in one go, with all the messages that they hold as bytes.

Fabric wraps messages in `bytes` fields: a transaction of two organisations has some twenty, in six
layers. On the wire a `bytes` field and a message are the same, so types derived from Fabric's own,
with those fields declared as messages, let protobuf's C parser do at once what takes twenty calls
and six copies otherwise.

Where a field is there twice, the last counts of bytes, but messages would be merged; and nobody may
get a peer to validate one transaction and a reader here to see another. So the derived fields are
declared as repeated: what the field holds is the last of them, or an empty message (`empty`) where
there is none. A peer does not look into those before the last. Where one of them is no message, the
layers are settled one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from google.protobuf.message import DecodeError

# The bytes fields that are declared as messages, by the full name of the message that they are in.
_HELD: Mapping[str, Mapping[str, Any]] = {
    "common.Envelope": {"payload": common_pb2.Payload},
    "common.Header": {
        "channel_header": common_pb2.ChannelHeader,
        "signature_header": common_pb2.SignatureHeader,
    },
    "common.SignatureHeader": {"creator": identities_pb2.SerializedIdentity},
    "protos.ChaincodeAction": {
        "events": chaincode_event_pb2.ChaincodeEvent,
        "results": rwset_pb2.TxReadWriteSet,
    },
    "protos.ChaincodeActionPayload": {
        "chaincode_proposal_payload": proposal_pb2.ChaincodeProposalPayload
    },
    "protos.ChaincodeEndorsedAction": {
        "proposal_response_payload": proposal_response_pb2.ProposalResponsePayload
    },
    "protos.ChaincodeProposalPayload": {"input": chaincode_pb2.ChaincodeInvocationSpec},
    "protos.Endorsement": {"endorser": identities_pb2.SerializedIdentity},
    "protos.ProposalResponsePayload": {"extension": proposal_pb2.ChaincodeAction},
    "protos.TransactionAction": {"payload": transaction_pb2.ChaincodeActionPayload},
    "rwset.CollectionHashedReadWriteSet": {"hashed_rwset": kv_rwset_pb2.HashedRWSet},
    "rwset.NsReadWriteSet": {"rwset": kv_rwset_pb2.KVRWSet},
}


def parse_call(serialized: bytes) -> Any:
    """A `common.Envelope` whose payload holds a `protos.Transaction`, down to the read-write sets.
    Raises `DecodeError`, also for what `parse_envelope` can read."""
    return _call_type().FromString(serialized)


def parse_envelope(serialized: bytes) -> Any:
    """A `common.Envelope`, down to the creator; the data of its payload is bytes. Raises
    `DecodeError`."""
    deep_type = deep_types()["common.Envelope"]
    try:
        return deep_type.FromString(serialized)
    except DecodeError:
        return deep_type.FromString(_settled(common_pb2.Envelope.FromString(serialized)))


def parse_transaction(serialized: bytes) -> Any:
    """A `protos.Transaction`, down to the read-write sets. Raises `DecodeError`."""
    deep_type = deep_types()["protos.Transaction"]
    try:
        return deep_type.FromString(serialized)
    except DecodeError:
        return deep_type.FromString(_settled(transaction_pb2.Transaction.FromString(serialized)))


@cache
def _call_type() -> Any:
    # The descriptors' own module is a fifth of the import of the client, and most need no blocks.
    from medfab_gateway._deep_types import derive_types

    held = {**_HELD, "common.Payload": {"data": transaction_pb2.Transaction}}
    return derive_types("medfab.call", held, common_pb2.Envelope)["common.Envelope"]


@cache
def deep_types() -> Mapping[str, Any]:
    """What stands for Fabric's types, by their full names."""
    from medfab_gateway._deep_types import derive_types

    held = {kind.DESCRIPTOR.full_name: kind for kinds in _HELD.values() for kind in kinds.values()}
    roots = common_pb2.Envelope, transaction_pb2.Transaction
    return held | derive_types("medfab.deep", _HELD, *roots)


@cache
def empty(name: str) -> Any:
    """What a field of Fabric's type `name` holds where there is none; shared, so not to be written
    to."""
    return deep_types()[name]()


def _settled(message: Any) -> bytes:
    """A message of Fabric's, with what counts in each of its layers. Raises `DecodeError`."""
    _settle(message)
    serialized: bytes = message.SerializeToString()
    return serialized


def _settle(message: Any) -> None:
    """Write anew what each bytes field of `message` holds, as protobuf reads it by itself."""
    held = _HELD.get(message.DESCRIPTOR.full_name, {})
    for field, value in message.ListFields():
        if field.name in held:
            inner = held[field.name].FromString(value)
            _settle(inner)
            setattr(message, field.name, inner.SerializeToString())
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for each in value if field.label == field.LABEL_REPEATED else (value,):
                _settle(each)
