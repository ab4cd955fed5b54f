"""Orderers in a channel's configuration: who takes part in the consensus.

Raft keeps its consenters in the metadata of the consensus, BFT in a value of its own, with the
identities that sign blocks; there a policy follows from them (Fabric's `policies/bft.go`).
"""

from __future__ import annotations

from typing import Any

from cryptography import x509
from fabric_protos.common import configuration_pb2, policies_pb2
from fabric_protos.msp import identities_pb2, msp_principal_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2

from medfab_gateway.admin._config_update import serialize
from medfab_gateway.admin.errors import ConfigError

_RAFT, _BFT = "etcdraft", "BFT"
_BLOCK_VALIDATION = "BlockValidation"


def add(
    orderer: Any,
    host: str,
    port: int,
    client_tls: bytes,
    server_tls: bytes,
    *,
    msp_id: str,
    identity: bytes | None,
) -> None:
    """Add to the consenters of the group `Orderer`."""
    for pem in (client_tls, server_tls):
        _check_certificate(pem, "TLS certificate", host, port)
    kind = consensus_type(orderer)
    if (host, port) in addresses(orderer):
        raise ConfigError(f"The orderer {host}:{port} is a consenter already")
    tls = {"client_tls_cert": client_tls, "server_tls_cert": server_tls}
    if kind == _RAFT:
        consensus, metadata = _raft(orderer)
        metadata.consenters.add(host=host, port=port, **tls)
        _store_raft(orderer, consensus, metadata)
        return
    if identity is None:
        raise ConfigError(
            f"The orderers agree by BFT, and sign blocks: the certificate of {host}:{port}'s own "
            "identity is needed too (msp/signcerts, `--identity-certificate`)"
        )
    _check_certificate(identity, "identity's certificate", host, port)
    members = _bft(orderer)
    number = 1 + max((each.id for each in members.consenter_mapping), default=0)
    members.consenter_mapping.add(
        id=number, host=host, port=port, msp_id=msp_id, identity=identity, **tls
    )
    _store_bft(orderer, members)


def remove(orderer: Any, host: str, port: int) -> None:
    """Remove from the consenters of the group `Orderer`."""
    there = addresses(orderer)
    if (host, port) not in there:
        known = ", ".join(f"{host}:{port}" for host, port in there)
        raise ConfigError(f"There is no orderer {host}:{port}; there are {known}")
    if len(there) == 1:
        raise ConfigError(f"{host}:{port} is the only orderer: without it the channel ends")
    if consensus_type(orderer) == _RAFT:
        consensus, metadata = _raft(orderer)
        _keep_others(metadata.consenters, host, port)
        _store_raft(orderer, consensus, metadata)
    else:
        members = _bft(orderer)
        _keep_others(members.consenter_mapping, host, port)
        _store_bft(orderer, members)


def addresses(orderer: Any) -> list[tuple[str, int]]:
    """Host and port of each consenter, in their order."""
    if consensus_type(orderer) == _RAFT:
        found = _raft(orderer)[1].consenters
    else:
        found = _bft(orderer).consenter_mapping
    return [(each.host, each.port) for each in found]


def consensus_type(orderer: Any) -> str:
    """`etcdraft` or `BFT`; `ConfigError` for any other."""
    kind: str = orderer_pb2.ConsensusType.FromString(orderer.values["ConsensusType"].value).type
    if kind not in (_RAFT, _BFT):
        raise ConfigError(
            f"The orderers agree by {kind!r}, not by etcdraft or BFT: change the JSON of the "
            "configuration instead (`medfab channel edit json`)"
        )
    return kind


def replace(
    orderer: Any,
    host: str,
    port: int,
    *,
    client_tls: bytes | None,
    server_tls: bytes | None,
    identity: bytes | None,
) -> None:
    """Give a consenter other certificates; None leaves what is there."""
    for pem in (client_tls, server_tls, identity):
        if pem is not None:
            _check_certificate(pem, "new certificate", host, port)
    there = addresses(orderer)
    if (host, port) not in there:
        known = ", ".join(f"{host}:{port}" for host, port in there)
        raise ConfigError(f"There is no orderer {host}:{port}; there are {known}")
    if consensus_type(orderer) == _RAFT:
        if identity is not None:
            raise ConfigError("Raft's consenters have TLS certificates alone, and no identity")
        consensus, metadata = _raft(orderer)
        consenter = metadata.consenters[there.index((host, port))]
    else:
        members = _bft(orderer)
        consenter = members.consenter_mapping[there.index((host, port))]
        consenter.identity = identity or consenter.identity
    consenter.client_tls_cert = client_tls or consenter.client_tls_cert
    consenter.server_tls_cert = server_tls or consenter.server_tls_cert
    if consensus_type(orderer) == _RAFT:
        _store_raft(orderer, consensus, metadata)
    else:
        _store_bft(orderer, members)


def add_endpoint(group: Any, address: str) -> None:
    """List an orderer in its organisation's group."""
    endpoints = _endpoints(group)
    if address not in endpoints.addresses:
        endpoints.addresses.append(address)
        _store_endpoints(group, endpoints)


def remove_endpoint(group: Any, address: str) -> None:
    """List it no more, in this organisation's group."""
    endpoints = _endpoints(group)
    if address in endpoints.addresses:
        endpoints.addresses.remove(address)
        _store_endpoints(group, endpoints)


def _check_certificate(pem: bytes, what: str, host: str, port: int) -> None:
    try:
        x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise ConfigError(f"The {what} of the orderer {host}:{port} is not PEM") from error


def _keep_others(consenters: Any, host: str, port: int) -> None:
    for index, each in enumerate(consenters):
        if (each.host, each.port) == (host, port):
            del consenters[index]
            return


def _raft(orderer: Any) -> tuple[Any, Any]:
    consensus = orderer_pb2.ConsensusType.FromString(orderer.values["ConsensusType"].value)
    return consensus, etcdraft_pb2.ConfigMetadata.FromString(consensus.metadata)


def _store_raft(orderer: Any, consensus: Any, metadata: Any) -> None:
    consensus.metadata = serialize(metadata)
    orderer.values["ConsensusType"].value = serialize(consensus)


def _bft(orderer: Any) -> Any:
    return configuration_pb2.Orderers.FromString(orderer.values["Orderers"].value)


def _store_bft(orderer: Any, members: Any) -> None:
    """With the policy for blocks: orderers refuse a configuration where the two disagree."""
    orderer.values["Orderers"].value = serialize(members)
    consenters = members.consenter_mapping
    faulty = (len(consenters) - 1) // 3
    quorum = (len(consenters) + faulty + 2) // 2  # half of n + f + 1, rounded up
    rules = [policies_pb2.SignaturePolicy(signed_by=index) for index in range(len(consenters))]
    signed = policies_pb2.SignaturePolicyEnvelope(
        rule=policies_pb2.SignaturePolicy(
            n_out_of=policies_pb2.SignaturePolicy.NOutOf(n=quorum, rules=rules)
        ),
        identities=[
            msp_principal_pb2.MSPPrincipal(
                principal_classification=msp_principal_pb2.MSPPrincipal.IDENTITY,
                principal=serialize(
                    identities_pb2.SerializedIdentity(mspid=each.msp_id, id_bytes=each.identity)
                ),
            )
            for each in consenters
        ],
    )
    policy = orderer.policies[_BLOCK_VALIDATION].policy
    policy.type = policies_pb2.Policy.SIGNATURE
    policy.value = serialize(signed)


def _endpoints(group: Any) -> Any:
    endpoints = configuration_pb2.OrdererAddresses()
    if "Endpoints" in group.values:
        endpoints.MergeFromString(group.values["Endpoints"].value)
    return endpoints


def _store_endpoints(group: Any, endpoints: Any) -> None:
    value = group.values["Endpoints"]
    value.value = serialize(endpoints)
    value.mod_policy = value.mod_policy or "Admins"
