"""Transactions parsed in one go, with all the messages that they hold as bytes.

Fabric wraps messages in `bytes` fields: a transaction of two organisations has some twenty, in six
layers. On the wire a `bytes` field and a message are the same, so types derived from Fabric's own,
with those fields declared as messages, let protobuf's C parser do at once what takes twenty calls
and six copies otherwise. That is a third of the time.

The two readings differ where a field is there twice: of bytes the last counts, messages are
merged. Nobody may get a peer to validate one transaction and a reader here to see another, so a
reading counts only if writing it gives the same bytes; else the layers are settled one by one.
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


def parse_envelope(serialized: bytes) -> Any:
    """A `common.Envelope`, down to the creator; `payload.data` is bytes. Raises `DecodeError`."""
    return _parse(deep_types()[0], common_pb2.Envelope, serialized)


def parse_transaction(serialized: bytes) -> Any:
    """A `protos.Transaction`, down to the read-write sets. Raises `DecodeError`."""
    return _parse(deep_types()[1], transaction_pb2.Transaction, serialized)


@cache
def deep_types() -> tuple[Any, Any]:
    """What stands for `common.Envelope` and `protos.Transaction`."""
    # The descriptors' own module is a fifth of the import of the client, and most need no blocks.
    from medfab_gateway._deep_types import derive_types

    envelope, transaction = derive_types(_HELD, common_pb2.Envelope, transaction_pb2.Transaction)
    return envelope, transaction


def _parse(deep_type: Any, fabric_type: Any, serialized: bytes) -> Any:
    message = deep_type.FromString(serialized)
    if message.SerializeToString() == serialized:
        return message
    layered = fabric_type.FromString(serialized)
    _settle(layered)
    return deep_type.FromString(layered.SerializeToString())


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
