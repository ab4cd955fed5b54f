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
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

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
_PACKAGE = "medfab.deep"


def parse_envelope(serialized: bytes) -> Any:
    """A `common.Envelope`, down to the creator; `payload.data` is bytes. Raises `DecodeError`."""
    return _parse(Envelope, common_pb2.Envelope, serialized)


def parse_transaction(serialized: bytes) -> Any:
    """A `protos.Transaction`, down to the read-write sets. Raises `DecodeError`."""
    return _parse(Transaction, transaction_pb2.Transaction, serialized)


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


def _deep_types(*roots: Any) -> list[Any]:
    """The types derived from Fabric's types `roots`, and from what they hold."""
    file = descriptor_pb2.FileDescriptorProto(
        name="medfab/deep.proto", package=_PACKAGE, syntax="proto3"
    )
    dependencies: set[str] = set()
    derived: set[str] = set()

    def derive(original: Any) -> str:
        """The type name of what stands for `original`; made, where it holds anything."""
        name = f"{_PACKAGE}.{original.full_name.replace('.', '_')}"
        if original.full_name in derived:
            return name
        if not _holds(original):
            dependencies.add(original.file.name)
            return str(original.full_name)
        derived.add(original.full_name)
        message = descriptor_pb2.DescriptorProto()
        original.CopyToProto(message)
        message.name = original.full_name.replace(".", "_")
        held = _HELD.get(original.full_name, {})
        for field in message.field:
            target = original.fields_by_name[field.name]
            if field.name in held:
                field.type = field.TYPE_MESSAGE
                field.type_name = f".{derive(held[field.name].DESCRIPTOR)}"
            elif target.message_type is not None and not target.message_type.containing_type:
                field.type_name = f".{derive(target.message_type)}"
            elif target.message_type is not None:  # a map: its entry is nested, and was copied
                field.type_name = f".{name}.{target.message_type.name}"
            elif target.enum_type is not None:
                dependencies.add(target.enum_type.file.name)
        file.message_type.append(message)
        return name

    names = [derive(root.DESCRIPTOR) for root in roots]
    file.dependency.extend(sorted(dependencies))
    pool: Any = descriptor_pool.Default()  # type: ignore[no-untyped-call]
    pool.AddSerializedFile(file.SerializeToString())
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names]


def _holds(original: Any) -> bool:
    """Whether it, or a message in it, has a field in `_HELD`."""
    return original.full_name in _HELD or any(
        field.message_type is not None and _holds(field.message_type) for field in original.fields
    )


Envelope, Transaction = _deep_types(common_pb2.Envelope, transaction_pb2.Transaction)
