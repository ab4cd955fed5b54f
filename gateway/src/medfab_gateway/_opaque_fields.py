"""Which fields of Fabric's messages are bytes that hold another message.

Source: fabric-config/protolator/protoext. `CollectionHashedReadWriteSet.hashed_rwset` is not in it
(protolator looks for a field `rwset` there), so it stays bytes here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fabric_protos.common import common_pb2, configtx_pb2, policies_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2, msp_config_pb2, msp_principal_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from google.protobuf import empty_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._config_values import CONSENSUS_METADATA, VALUES


def message_in(message: Any, name: str) -> Any:
    """The type of the message in the field `name` of `message`; None where it holds none.

    Of a `common.ConfigGroup`, `name` is that of one of its values.
    """
    full_name = message.DESCRIPTOR.full_name
    if full_name == "common.ConfigGroup":
        if name == "ChannelCreationPolicy":
            return policies_pb2.Policy
        return VALUES[name][0] if name in VALUES else None
    held = _FIELDS.get(full_name, {}).get(name)
    return held(message) if held is not None else None


def may_hold_a_message(message: Any, name: str) -> bool:
    """Whether the field `name` of `message` holds one in some cases, if not in this."""
    return name in _FIELDS.get(message.DESCRIPTOR.full_name, {})


def _always(message_type: Any) -> Callable[[Any], Any]:
    return lambda message: message_type


def _payload_data(payload: Any) -> Any:
    try:
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    except DecodeError:
        return None
    return _DATA.get(header.type)


def _extension(channel_header: Any) -> Any:
    if channel_header.type == common_pb2.ENDORSER_TRANSACTION:
        return proposal_pb2.ChaincodeHeaderExtension
    return None


_DATA: Mapping[int, Any] = {
    common_pb2.MESSAGE: configtx_pb2.ConfigValue,
    common_pb2.CONFIG: configtx_pb2.ConfigEnvelope,
    common_pb2.CONFIG_UPDATE: configtx_pb2.ConfigUpdateEnvelope,
    common_pb2.ENDORSER_TRANSACTION: transaction_pb2.Transaction,
    common_pb2.ORDERER_TRANSACTION: common_pb2.Envelope,
}
_POLICIES: Mapping[int, Any] = {
    policies_pb2.Policy.SIGNATURE: policies_pb2.SignaturePolicyEnvelope,
    policies_pb2.Policy.IMPLICIT_META: policies_pb2.ImplicitMetaPolicy,
}
_PRINCIPALS: Mapping[int, Any] = {
    msp_principal_pb2.MSPPrincipal.ROLE: msp_principal_pb2.MSPRole,
    msp_principal_pb2.MSPPrincipal.ORGANIZATION_UNIT: msp_principal_pb2.OrganizationUnit,
    msp_principal_pb2.MSPPrincipal.IDENTITY: identities_pb2.SerializedIdentity,
}
_MSPS: Mapping[int, Any] = {
    0: msp_config_pb2.FabricMSPConfig,
    1: msp_config_pb2.IdemixMSPConfig,
}

_FIELDS: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "common.BlockData": {"data": _always(common_pb2.Envelope)},
    "common.ChannelHeader": {"extension": _extension},
    "common.ConfigSignature": {"signature_header": _always(common_pb2.SignatureHeader)},
    "common.ConfigUpdateEnvelope": {"config_update": _always(configtx_pb2.ConfigUpdate)},
    "common.Envelope": {"payload": _always(common_pb2.Payload)},
    "common.Header": {
        "channel_header": _always(common_pb2.ChannelHeader),
        "signature_header": _always(common_pb2.SignatureHeader),
    },
    "common.MSPPrincipal": {
        "principal": lambda principal: _PRINCIPALS.get(principal.principal_classification)
    },
    "common.Payload": {"data": _payload_data},
    "common.Policy": {"value": lambda policy: _POLICIES.get(policy.type)},
    "common.SignatureHeader": {"creator": _always(identities_pb2.SerializedIdentity)},
    "msp.MSPConfig": {"config": lambda config: _MSPS.get(config.type)},
    "orderer.ConsensusType": {
        "metadata": lambda value: CONSENSUS_METADATA.get(value.type, empty_pb2.Empty)
    },
    "protos.ChaincodeAction": {
        "events": _always(chaincode_event_pb2.ChaincodeEvent),
        "results": _always(rwset_pb2.TxReadWriteSet),
    },
    "protos.ChaincodeActionPayload": {
        "chaincode_proposal_payload": _always(proposal_pb2.ChaincodeProposalPayload)
    },
    "protos.ChaincodeEndorsedAction": {
        "proposal_response_payload": _always(proposal_response_pb2.ProposalResponsePayload)
    },
    "protos.ChaincodeProposalPayload": {"input": _always(chaincode_pb2.ChaincodeInvocationSpec)},
    "protos.ProposalResponsePayload": {"extension": _always(proposal_pb2.ChaincodeAction)},
    "protos.TransactionAction": {
        "header": _always(common_pb2.SignatureHeader),
        "payload": _always(transaction_pb2.ChaincodeActionPayload),
    },
    "rwset.NsReadWriteSet": {"rwset": _always(kv_rwset_pb2.KVRWSet)},
}
