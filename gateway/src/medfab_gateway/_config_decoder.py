"""Bytes → `Configuration` and `ConfigUpdate`. Pure.

What cannot be decoded raises protobuf's `DecodeError`, except that single values, policies and
principals stay bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fabric_protos.common import common_pb2, configtx_pb2, policies_pb2
from fabric_protos.msp import identities_pb2, msp_principal_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._config_values import VALUES
from medfab_gateway._transaction_decoder import decode_creator
from medfab_gateway.channel_config import (
    ConfigContent,
    ConfigGroup,
    ConfigPolicy,
    ConfigUpdate,
    Configuration,
    ConfigValue,
    ImplicitMetaPolicy,
    MspIdentity,
    MspOrganizationalUnit,
    MspPrincipal,
    MspRole,
    Policy,
    SignatureRule,
)


def decode_config(serialized: bytes) -> tuple[Configuration, ConfigUpdate | None]:
    """A `common.ConfigEnvelope`: the configuration, and the update that it came from (None in a
    genesis block)."""
    envelope = configtx_pb2.ConfigEnvelope.FromString(serialized)
    config = _configuration(envelope.config)
    if not envelope.HasField("last_update"):
        return config, None
    payload = common_pb2.Payload.FromString(envelope.last_update.payload)
    return config, decode_config_update(payload.data)


def decode_configuration(serialized: bytes) -> Configuration:
    """A `common.Config`."""
    return _configuration(configtx_pb2.Config.FromString(serialized))


def decode_config_update(serialized: bytes) -> ConfigUpdate:
    """A `common.ConfigUpdateEnvelope`."""
    envelope = configtx_pb2.ConfigUpdateEnvelope.FromString(serialized)
    update = configtx_pb2.ConfigUpdate.FromString(envelope.config_update)
    return ConfigUpdate(
        channel_id=update.channel_id,
        read_set=_group(update.read_set),
        write_set=_group(update.write_set),
        signers=tuple(decode_creator(each.signature_header) for each in envelope.signatures),
    )


def _configuration(config: Any) -> Configuration:
    return Configuration(sequence=config.sequence, channel=_group(config.channel_group))


def _group(group: Any) -> ConfigGroup:
    return ConfigGroup(
        version=group.version,
        mod_policy=group.mod_policy,
        groups={name: _group(each) for name, each in group.groups.items()},
        values={name: _value(name, each) for name, each in group.values.items()},
        policies={name: _config_policy(each) for name, each in group.policies.items()},
    )


def _value(name: str, value: Any) -> ConfigValue:
    return ConfigValue(
        version=value.version, mod_policy=value.mod_policy, content=_content(name, value.value)
    )


def _content(name: str, serialized: bytes) -> ConfigContent:
    if name == "ChannelCreationPolicy":
        return _policy(policies_pb2.Policy.FromString(serialized))
    if name not in VALUES:
        return serialized
    message_type, convert = VALUES[name]
    try:
        return convert(message_type.FromString(serialized))
    except DecodeError:
        return serialized


def _config_policy(policy: Any) -> ConfigPolicy:
    return ConfigPolicy(
        version=policy.version,
        mod_policy=policy.mod_policy,
        policy=_policy(policy.policy) if policy.HasField("policy") else None,
    )


def _policy(policy: Any) -> Policy:
    serialized: bytes = policy.SerializeToString()
    try:
        if policy.type == policies_pb2.Policy.SIGNATURE:
            return _signature_policy(policies_pb2.SignaturePolicyEnvelope.FromString(policy.value))
        if policy.type == policies_pb2.Policy.IMPLICIT_META:
            meta = policies_pb2.ImplicitMetaPolicy.FromString(policy.value)
            rule = policies_pb2.ImplicitMetaPolicy.Rule.Name(meta.rule)
            return ImplicitMetaPolicy(rule=rule, sub_policy=meta.sub_policy)
    except (DecodeError, ValueError):
        return serialized
    return serialized


def _signature_policy(envelope: Any) -> SignatureRule | MspPrincipal:
    principals = [_principal(identity) for identity in envelope.identities]

    def principal(number: int) -> MspPrincipal:
        if not 0 <= number < len(principals):
            raise ValueError(f"the policy names principal {number} of {len(principals)}")
        return principals[number]

    def rule(node: Any) -> SignatureRule | MspPrincipal:
        if node.WhichOneof("Type") == "signed_by":
            return principal(node.signed_by)
        return SignatureRule(
            required=node.n_out_of.n, of=tuple(rule(each) for each in node.n_out_of.rules)
        )

    return rule(envelope.rule)


def _principal(principal: Any) -> MspPrincipal:
    decode = _PRINCIPALS.get(principal.principal_classification)
    if decode is None:
        serialized: bytes = principal.SerializeToString()
        return serialized
    return decode(principal.principal)


def _role(serialized: bytes) -> MspRole:
    role = msp_principal_pb2.MSPRole.FromString(serialized)
    name = msp_principal_pb2.MSPRole.MSPRoleType.Name(role.role)
    return MspRole(msp_id=role.msp_identifier, role=name)


def _unit(serialized: bytes) -> MspOrganizationalUnit:
    unit = msp_principal_pb2.OrganizationUnit.FromString(serialized)
    return MspOrganizationalUnit(
        msp_id=unit.msp_identifier, unit=unit.organizational_unit_identifier
    )


def _identity(serialized: bytes) -> MspIdentity:
    identity = identities_pb2.SerializedIdentity.FromString(serialized)
    return MspIdentity(msp_id=identity.mspid, certificate=identity.id_bytes)


_PRINCIPALS: Mapping[int, Callable[[bytes], MspPrincipal]] = {
    msp_principal_pb2.MSPPrincipal.ROLE: _role,
    msp_principal_pb2.MSPPrincipal.ORGANIZATION_UNIT: _unit,
    msp_principal_pb2.MSPPrincipal.IDENTITY: _identity,
}
