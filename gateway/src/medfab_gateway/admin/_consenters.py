"""Orderers in a channel's configuration: Raft's consenters, and the endpoints for clients."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from fabric_protos.common import configuration_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2

from medfab_gateway.admin._config_update import serialize
from medfab_gateway.admin.errors import ConfigError


def add(orderer: Any, host: str, port: int, client_tls: bytes, server_tls: bytes) -> None:
    """Add to the consenters of the group `Orderer`."""
    for pem in (client_tls, server_tls):
        try:
            x509.load_pem_x509_certificate(pem)
        except ValueError as error:
            raise ConfigError(
                f"The TLS certificate of the orderer {host}:{port} is not PEM"
            ) from error
    consensus, metadata = _raft(orderer)
    if any((each.host, each.port) == (host, port) for each in metadata.consenters):
        raise ConfigError(f"The orderer {host}:{port} is a consenter already")
    metadata.consenters.add(
        host=host, port=port, client_tls_cert=client_tls, server_tls_cert=server_tls
    )
    _store(orderer, consensus, metadata)


def remove(orderer: Any, host: str, port: int) -> None:
    """Remove from the consenters of the group `Orderer`."""
    consensus, metadata = _raft(orderer)
    left = [each for each in metadata.consenters if (each.host, each.port) != (host, port)]
    known = ", ".join(f"{each.host}:{each.port}" for each in metadata.consenters)
    if len(left) == len(metadata.consenters):
        raise ConfigError(f"There is no orderer {host}:{port}; there are {known}")
    if not left:
        raise ConfigError(f"{host}:{port} is the only orderer: without it the channel ends")
    kept = [etcdraft_pb2.Consenter.FromString(each.SerializeToString()) for each in left]
    del metadata.consenters[:]
    metadata.consenters.extend(kept)
    _store(orderer, consensus, metadata)


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


def _raft(orderer: Any) -> tuple[Any, Any]:
    consensus = orderer_pb2.ConsensusType.FromString(orderer.values["ConsensusType"].value)
    if consensus.type != "etcdraft":
        raise ConfigError(
            f"The orderers agree by {consensus.type!r}, not by etcdraft: change the JSON of the "
            "configuration instead (`medfab channel edit json`)"
        )
    return consensus, etcdraft_pb2.ConfigMetadata.FromString(consensus.metadata)


def _store(orderer: Any, consensus: Any, metadata: Any) -> None:
    consensus.metadata = serialize(metadata)
    orderer.values["ConsensusType"].value = serialize(consensus)


def _endpoints(group: Any) -> Any:
    endpoints = configuration_pb2.OrdererAddresses()
    if "Endpoints" in group.values:
        endpoints.MergeFromString(group.values["Endpoints"].value)
    return endpoints


def _store_endpoints(group: Any, endpoints: Any) -> None:
    value = group.values["Endpoints"]
    value.value = serialize(endpoints)
    value.mod_policy = value.mod_policy or "Admins"
