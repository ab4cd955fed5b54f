"""A channel's configuration as configtxgen makes it, in small: two organisations and an orderer."""

from __future__ import annotations

import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.common import configtx_pb2, configuration_pb2, policies_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2

from medfab_gateway.admin import ChannelConfig, OrganizationDefinition, signature_policy

_NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Authority:
    """A certificate authority: a root certificate, and revocation lists."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(_NOW)
            .not_valid_after(_NOW + datetime.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)

    def revocation_list(self, *serial_numbers: int) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(_NOW)
            .next_update(_NOW + datetime.timedelta(days=1))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        for serial_number in serial_numbers:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(serial_number)
                .revocation_date(_NOW)
                .build()
            )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


AUTHORITIES = {name: Authority(name) for name in ("A", "B", "C", "OrdererMSP")}


def made_channel() -> ChannelConfig:
    return ChannelConfig("care", made_config().SerializeToString(deterministic=True))


def made_config() -> Any:
    """A `common.Config`."""
    config = configtx_pb2.Config(sequence=3)
    channel = config.channel_group
    channel.version = 1
    channel.mod_policy = "Admins"
    put(channel, "Capabilities", capabilities("V3_0"))
    policy(channel, "Admins", meta("MAJORITY", "Admins"))
    put(channel, "HashingAlgorithm", configuration_pb2.HashingAlgorithm(name="SHA256"))
    application = channel.groups["Application"]
    application.version = 2
    application.mod_policy = "Admins"
    put(application, "Capabilities", capabilities("V2_5"))
    acls = peer_pb2.ACLs()
    acls.acls["event/Block"].policy_ref = "/Channel/Application/Admins"
    acls.acls["qscc/GetChainInfo"].policy_ref = "Readers"
    put(application, "ACLs", acls)
    for name in ("Admins", "Readers", "Endorsement"):
        policy(application, name, meta("MAJORITY", name))
    for name in ("A", "B"):
        application.groups[name].MergeFromString(definition(name).serialized)
    orderer = channel.groups["Orderer"]
    orderer.mod_policy = "Admins"
    policy(orderer, "Admins", meta("MAJORITY", "Admins"))
    put(
        orderer,
        "BatchSize",
        orderer_pb2.BatchSize(
            max_message_count=10, absolute_max_bytes=1000, preferred_max_bytes=500
        ),
    )
    put(orderer, "BatchTimeout", orderer_pb2.BatchTimeout(timeout="2s"))
    metadata = etcdraft_pb2.ConfigMetadata(options=etcdraft_pb2.Options(tick_interval="500ms"))
    tls = AUTHORITIES["OrdererMSP"].pem
    for port in (7050, 8050):
        metadata.consenters.add(host="o.test", port=port, client_tls_cert=tls, server_tls_cert=tls)
    put(
        orderer,
        "ConsensusType",
        orderer_pb2.ConsensusType(type="etcdraft", metadata=metadata.SerializeToString()),
    )
    group = orderer.groups["OrdererMSP"]
    group.mod_policy = "Admins"
    put(group, "MSP", msp("OrdererMSP"))
    put(group, "Endpoints", configuration_pb2.OrdererAddresses(addresses=["o.test:7050"]))
    return config


def definition(name: str) -> OrganizationDefinition:
    """An organisation, its MSP id the name, with one anchor peer."""
    group = configtx_pb2.ConfigGroup(mod_policy="Admins")
    put(group, "MSP", msp(name))
    anchor = peer_pb2.AnchorPeer(host=f"peer.{name.lower()}", port=7051)
    put(group, "AnchorPeers", peer_pb2.AnchorPeers(anchor_peers=[anchor]))
    for role in ("admin", "peer"):
        signature = policies_pb2.Policy(
            type=policies_pb2.Policy.SIGNATURE, value=signature_policy(f"OR('{name}.{role}')")
        )
        policy(group, {"admin": "Admins", "peer": "Endorsement"}[role], signature)
    return OrganizationDefinition(group.SerializeToString(deterministic=True))


def msp(name: str) -> Any:
    pem = AUTHORITIES[name].pem
    config = msp_config_pb2.FabricMSPConfig(name=name, root_certs=[pem], tls_root_certs=[pem])
    return msp_config_pb2.MSPConfig(type=0, config=config.SerializeToString())


def put(group: Any, name: str, message: Any, version: int = 0) -> None:
    value = group.values[name]
    value.version, value.mod_policy = version, "Admins"
    value.value = message.SerializeToString(deterministic=True)


def policy(group: Any, name: str, content: Any) -> None:
    group.policies[name].mod_policy = "Admins"
    group.policies[name].policy.CopyFrom(content)


def meta(rule: str, sub_policy: str) -> Any:
    message = policies_pb2.ImplicitMetaPolicy(
        rule=policies_pb2.ImplicitMetaPolicy.Rule.Value(rule), sub_policy=sub_policy
    )
    return policies_pb2.Policy(
        type=policies_pb2.Policy.IMPLICIT_META, value=message.SerializeToString()
    )


def capabilities(name: str) -> Any:
    message = configuration_pb2.Capabilities()
    message.capabilities[name].SetInParent()
    return message
