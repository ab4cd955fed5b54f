"""What each kind of node is configured with and how it is started.

`core.yaml` and `orderer.yaml` are Fabric's own samples, merged with the settings here: a reader of
the node's folder sees every value that is in force.
"""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from medfab_network._binaries import Binaries
from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network._place import place_of
from medfab_network.errors import NetworkError
from medfab_network.topology import SERVE_CONTRACT, Chaincode, Node, Topology

NODE_OUS = """\
NodeOUs:
  Enable: true
  ClientOUIdentifier: {OrganizationalUnitIdentifier: client}
  PeerOUIdentifier: {OrganizationalUnitIdentifier: peer}
  AdminOUIdentifier: {OrganizationalUnitIdentifier: admin}
  OrdererOUIdentifier: {OrganizationalUnitIdentifier: orderer}
"""
"""`config.yaml` of every MSP: the role of an identity is in its certificate, of whichever root."""

# One line for every call and connection is more than an operator can read.
_LOGGING = {
    "FABRIC_LOGGING_SPEC": "info:comm.grpc.server=warning:grpc=error",
    # Fabric's default, without the colours: these lines go to files and into error messages.
    "FABRIC_LOGGING_FORMAT": (
        "%{time:2006-01-02 15:04:05.000 MST} %{id:04x} %{level:.4s} [%{module}] "
        "%{shortfunc} -> %{message}"
    ),
}

# Fabric's samples are long: with libyaml, which PyYAML's wheels have, ten times as fast.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


# A connection that a firewall has forgotten, or a machine that has lost its power, tells nobody. By
# these pings a peer finds out after 30 s, not after Fabric's 80 s; each must be allowed by whom it
# goes to, so they are the same in the whole consortium.
_PINGS = {"interval": "20s", "timeout": "10s"}
_LEAST_BETWEEN_PINGS = "10s"


@dataclass(frozen=True, kw_only=True)
class Start:
    """How to start a node."""

    command: list[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def peer_start(node: Node, topology: Topology, binaries: Binaries, layout: Layout) -> Start:
    """A peer with LevelDB, the gateway, and our external builder for chaincode as a service."""
    folder = layout.node(node.organization, node.name)
    place = place_of(node, layout)
    tls = place.folder / "tls"
    organization = topology.organization(node.organization)
    others = [peer.address for peer in organization.peers if peer.name != node.name]
    _write_config(
        binaries.config / "core.yaml",
        folder / "core.yaml",
        {
            "peer": {
                "id": node.name,
                "networkId": topology.name,
                "listenAddress": f"{node.listens_on}:{node.port}",
                "address": node.address,
                "chaincodeListenAddress": f"{node.listens_on}:{node.chaincode_port}",
                "keepalive": {
                    "minInterval": _LEAST_BETWEEN_PINGS,
                    "client": _PINGS,
                    "deliveryClient": _PINGS,
                },
                "gossip": {
                    "bootstrap": " ".join(others) or node.address,
                    "endpoint": node.address,
                    "externalEndpoint": node.address,
                    # A peer that joins a channel rejects its own first contacts (its policies
                    # are not there yet) and tries again only after this; Fabric's 25 s is long.
                    "reconnectInterval": "500ms",
                    "maxConnectionAttempts": 7200,  # an hour, as with Fabric's 120 × 25 s
                    "dialTimeout": "1s",
                    # How soon peers know of each other, each other's channels and heights;
                    # Fabric's 5 s and 4 s are long for whoever waits for a new network.
                    "aliveTimeInterval": "500ms",
                    "publishStateInfoInterval": "500ms",
                    "requestStateInfoInterval": "500ms",
                    # Otherwise a replayed transaction holds up every peer for a minute, which
                    # looks for private data that a transaction without effect does not need.
                    "pvtData": {
                        "skipPullingInvalidTransactionsDuringCommit": True,
                        "implicitCollectionDisseminationPolicy": {
                            "requiredPeerCount": organization.private_data_copies,
                            "maxPeerCount": max(1, organization.private_data_copies),
                        },
                    },
                },
                "tls": {
                    "enabled": True,
                    "cert": {"file": str(tls / "cert.pem")},
                    "key": {"file": str(tls / "key.pem")},
                    "rootcert": {"file": str(tls / "ca.pem")},
                    "clientRootCAs": {"files": [str(tls / "ca.pem")]},
                },
                "fileSystemPath": str(place.data),
                "mspConfigPath": str(place.folder / "msp"),
                "localMspId": organization.msp_id,
            },
            "vm": {"endpoint": ""},
            "chaincode": {
                "externalBuilders": [
                    {
                        "name": "medfab_ccaas",
                        "path": str(place.builder),
                        "propagateEnvironment": ["MEDFAB_CONNECTIONS"],
                    }
                ]
            },
            "ledger": {
                "pvtdataStore": {"purgeInterval": 1},  # an erasure takes effect at once
                "snapshots": {"rootDir": str(place.data / "snapshots")},
            },
            "operations": {
                "listenAddress": f"{node.listens_on}:{node.operations_port}",
                "tls": {
                    "enabled": True,
                    "cert": {"file": str(tls / "cert.pem")},
                    "key": {"file": str(tls / "key.pem")},
                    "clientRootCAs": {"files": [str(tls / "ca.pem")]},
                },
            },
            "metrics": {"provider": "prometheus"},
        },
    )
    return Start(
        command=[str(binaries["peer"]), "node", "start"],
        folder=folder,
        environment=environment_of(node, layout),
    )


def orderer_start(node: Node, topology: Topology, binaries: Binaries, layout: Layout) -> Start:
    """An etcdraft orderer without a system channel; channels join by its admin endpoint."""
    folder = layout.node(node.organization, node.name)
    place = place_of(node, layout)
    tls, data = place.folder / "tls", place.data
    own_tls = {
        "Enabled": True,
        "PrivateKey": str(tls / "key.pem"),
        "Certificate": str(tls / "cert.pem"),
    }
    ca = [str(tls / "ca.pem")]
    _write_config(
        binaries.config / "orderer.yaml",
        folder / "orderer.yaml",
        {
            "General": {
                "ListenAddress": node.listens_on,
                "ListenPort": node.port,
                "Keepalive": {"ServerMinInterval": _LEAST_BETWEEN_PINGS},
                "BootstrapMethod": "none",
                "TLS": {**own_tls, "RootCAs": ca},
                "Cluster": {
                    "ClientCertificate": str(tls / "cert.pem"),
                    "ClientPrivateKey": str(tls / "key.pem"),
                    "RootCAs": ca,
                },
                "LocalMSPDir": str(place.folder / "msp"),
                "LocalMSPID": topology.ordering.msp_id,
            },
            "FileLedger": {"Location": str(data / "ledger")},
            "Operations": {
                "ListenAddress": f"{node.listens_on}:{node.operations_port}",
                "TLS": {**own_tls, "ClientAuthRequired": False, "ClientRootCAs": ca},
            },
            "Metrics": {"Provider": "prometheus"},
            "Admin": {
                "ListenAddress": f"{node.listens_on}:{node.admin_port}",
                "TLS": {**own_tls, "ClientAuthRequired": True, "ClientRootCAs": ca},
            },
            "ChannelParticipation": {"Enabled": True, "MaxRequestBodySize": "10 MB"},
            "Consensus": {
                "WALDir": str(data / "etcdraft" / "wal"),
                "SnapDir": str(data / "etcdraft" / "snapshot"),
            },
        },
    )
    return Start(
        command=[str(binaries["orderer"])],
        folder=folder,
        environment=environment_of(node, layout),
    )


def chaincode_start(
    node: Node, chaincode: Chaincode, package_id: str, topology: Topology, layout: Layout
) -> Start:
    """The organisation's chaincode process: mutual TLS, only its own peers may connect.

    Whatever the program is, it finds its id, its address and its TLS files in the environment.
    """
    program, *arguments = chaincode.command
    if program == SERVE_CONTRACT and not topology.containers:
        program = str(_contract_server())
    return Start(
        command=[program, *arguments],
        folder=layout.node(node.organization, node.name),
        environment=chaincode_environment(node, package_id, topology, layout),
    )


def environment_of(node: Node, layout: Layout) -> dict[str, str]:
    """What a peer or an orderer finds in its environment."""
    place = place_of(node, layout)
    environment = {**_LOGGING, "FABRIC_CFG_PATH": str(place.folder)}
    if node.kind == "peer":
        environment["MEDFAB_CONNECTIONS"] = str(place.connections)  # for the external builder
    return environment


def chaincode_environment(
    node: Node, package_id: str, topology: Topology, layout: Layout
) -> dict[str, str]:
    """What a chaincode's program finds in its environment."""
    tls = place_of(node, layout).folder / "tls"
    return {
        "CHAINCODE_ID": package_id,
        "CORE_PEER_LOCALMSPID": topology.organization(node.organization).msp_id,
        "CHAINCODE_SERVER_ADDRESS": f"{node.listens_on}:{node.port}",
        "CHAINCODE_TLS_CERT_FILE": str(tls / "cert.pem"),
        "CHAINCODE_TLS_KEY_FILE": str(tls / "key.pem"),
        "CHAINCODE_CLIENT_CA_CERT_FILE": str(tls / "ca.pem"),
    }


def _contract_server() -> Path:
    program = Path(sys.executable).parent / SERVE_CONTRACT
    if not program.is_file():
        raise NetworkError(
            f"{program} is missing: install the chaincode distribution into the same environment, "
            "for example with `pip install 'medfab-network[chaincode]'`"
        )
    return program


def _write_config(sample: Path, target: Path, settings: dict[str, Any]) -> None:
    merged = _merge(_sample(sample), settings)
    write_atomically(target, yaml.dump(merged, Dumper=_Dumper, sort_keys=False), 0o600)


@functools.cache
def _sample(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a safe one
    return document


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merge(below, value) if both else value  # type: ignore[arg-type]
    return merged
