"""The values of a channel's configuration that Fabric knows by name, each with its message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fabric_protos.common import configuration_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2
from fabric_protos.orderer.smartbft import configuration_pb2 as smartbft_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2

from medfab_gateway.channel_config import (
    AnchorPeer,
    BatchSize,
    ConfigContent,
    ConsensusType,
    Consenter,
    MspConfig,
)

CONSENSUS_METADATA: Mapping[str, Any] = {
    "etcdraft": etcdraft_pb2.ConfigMetadata,
    "BFT": smartbft_pb2.Options,
}
"""The message in `ConsensusType.metadata`, by `ConsensusType.type`."""

FABRIC_MSP = 0
"""`MSPConfig.type` of X.509 identities."""


def _batch_size(value: Any) -> BatchSize:
    return BatchSize(
        max_message_count=value.max_message_count,
        absolute_max_bytes=value.absolute_max_bytes,
        preferred_max_bytes=value.preferred_max_bytes,
    )


def _consensus_type(value: Any) -> ConsensusType:
    consenters: tuple[Consenter, ...] = ()
    options: Any = None
    if value.type == "etcdraft":
        metadata = etcdraft_pb2.ConfigMetadata.FromString(value.metadata)
        consenters = tuple(_raft_consenter(each) for each in metadata.consenters)
        options = metadata.options
    elif value.type == "BFT":
        options = smartbft_pb2.Options.FromString(value.metadata)
    return ConsensusType(
        type=value.type,
        state=_name(orderer_pb2.ConsensusType.State, value.state),
        consenters=consenters,
        options={} if options is None else _options(options),
    )


def _options(message: Any) -> dict[str, str | int | bool]:
    return {
        field.name: _name(field.enum_type, value) if field.enum_type else value
        for field in message.DESCRIPTOR.fields
        for value in (getattr(message, field.name),)
    }


def _name(enum: Any, number: int) -> str:
    """The name of a value of an enum: of its wrapper, or its descriptor."""
    value = getattr(enum, "DESCRIPTOR", enum).values_by_number.get(number)
    return str(number) if value is None else value.name


def _raft_consenter(consenter: Any) -> Consenter:
    return Consenter(
        host=consenter.host,
        port=consenter.port,
        client_tls_certificate=consenter.client_tls_cert,
        server_tls_certificate=consenter.server_tls_cert,
    )


def _bft_consenter(consenter: Any) -> Consenter:
    return Consenter(
        host=consenter.host,
        port=consenter.port,
        client_tls_certificate=consenter.client_tls_cert,
        server_tls_certificate=consenter.server_tls_cert,
        id=consenter.id,
        msp_id=consenter.msp_id,
        identity=consenter.identity,
    )


def _msp(value: Any) -> ConfigContent:
    if value.type != FABRIC_MSP:
        serialized: bytes = value.SerializeToString()
        return serialized
    return msp_config(msp_config_pb2.FabricMSPConfig.FromString(value.config))


def msp_config(config: Any) -> MspConfig:
    """From a `msp.FabricMSPConfig`."""
    units = config.fabric_node_ous
    return MspConfig(
        msp_id=config.name,
        root_certificates=tuple(config.root_certs),
        intermediate_certificates=tuple(config.intermediate_certs),
        tls_root_certificates=tuple(config.tls_root_certs),
        tls_intermediate_certificates=tuple(config.tls_intermediate_certs),
        admins=tuple(config.admins),
        revocation_lists=tuple(config.revocation_list),
        organizational_units=tuple(
            unit.organizational_unit_identifier for unit in config.organizational_unit_identifiers
        ),
        node_units={
            role: getattr(units, f"{role}_ou_identifier").organizational_unit_identifier
            for role in ("client", "peer", "admin", "orderer")
            if units.enable and units.HasField(f"{role}_ou_identifier")
        },
        signature_hash_family=config.crypto_config.signature_hash_family,
    )


# fabric-config/protolator/protoext: no name has two meanings, wherever in the tree it stands.
VALUES: Mapping[str, tuple[Any, Callable[[Any], ConfigContent]]] = {
    "ACLs": (
        peer_pb2.ACLs,
        lambda value: {name: acl.policy_ref for name, acl in value.acls.items()},
    ),
    "AnchorPeers": (
        peer_pb2.AnchorPeers,
        lambda value: tuple(AnchorPeer(host=p.host, port=p.port) for p in value.anchor_peers),
    ),
    "BatchSize": (orderer_pb2.BatchSize, _batch_size),
    "BatchTimeout": (orderer_pb2.BatchTimeout, lambda value: str(value.timeout)),
    "BlockDataHashingStructure": (
        configuration_pb2.BlockDataHashingStructure,
        lambda value: int(value.width),
    ),
    "Capabilities": (
        configuration_pb2.Capabilities,
        lambda value: tuple(sorted(value.capabilities)),
    ),
    "ChannelRestrictions": (orderer_pb2.ChannelRestrictions, lambda value: int(value.max_count)),
    "ConsensusType": (orderer_pb2.ConsensusType, _consensus_type),
    "Consortium": (configuration_pb2.Consortium, lambda value: str(value.name)),
    "Endpoints": (configuration_pb2.OrdererAddresses, lambda value: tuple(value.addresses)),
    "HashingAlgorithm": (configuration_pb2.HashingAlgorithm, lambda value: str(value.name)),
    "KafkaBrokers": (orderer_pb2.KafkaBrokers, lambda value: tuple(value.brokers)),
    "MSP": (msp_config_pb2.MSPConfig, _msp),
    "OrdererAddresses": (
        configuration_pb2.OrdererAddresses,
        lambda value: tuple(value.addresses),
    ),
    "Orderers": (
        configuration_pb2.Orderers,
        lambda value: tuple(_bft_consenter(each) for each in value.consenter_mapping),
    ),
}
"""By name: the message, and what makes the content of a `ConfigValue` of it."""
