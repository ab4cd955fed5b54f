"""`configtx.yaml` from a topology, in Fabric's own format.

The `configtx.yaml` at the top of the repository says the same for the default consortium, written
for people; a test compares the genesis blocks that `configtxgen` makes of the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medfab_network._layout import Layout
from medfab_network.topology import RAFT, Channel, Organization, Topology

BATCH_TIMEOUT = "250ms"
"""Fabric's default of 2 s favours throughput; here people and tests wait for each block."""

_RAFT_OPTIONS = {
    "TickInterval": "200ms",
    "ElectionTick": 10,
    "HeartbeatTick": 1,
    "MaxInflightBlocks": 5,
    "SnapshotIntervalSize": "16 MB",
}
_BFT_OPTIONS = {
    "RequestBatchMaxInterval": "100ms",
    "RequestForwardTimeout": "2s",
    # A leader that is silent or lies is replaced after these; Fabric's 20 s and 1 min are long.
    "RequestComplainTimeout": "5s",
    "LeaderHeartbeatTimeout": "10s",
    "ViewChangeTimeout": "10s",
    "ViewChangeResendInterval": "2s",
    "RequestAutoRemoveTimeout": "3m0s",
    "CollectTimeout": "1s",
    "LeaderHeartbeatCount": 10,
    "IncomingMessageBufferSize": 200,
    "RequestPoolSize": 100000,
    "RequestMaxBytes": 10485760,
}


def configtx(topology: Topology, layout: Layout) -> dict[str, Any]:
    """The document: one profile for each channel, of the channel's name."""
    return {
        "Profiles": {
            channel.name: _profile(channel, topology, layout) for channel in topology.channels
        }
    }


def _profile(channel: Channel, topology: Topology, layout: Layout) -> dict[str, Any]:
    ordering = topology.ordering
    return {
        "Policies": _meta_policies(),
        "Capabilities": {"V3_0": True},
        "Orderer": {
            "OrdererType": topology.consensus,
            "BatchTimeout": BATCH_TIMEOUT,
            "BatchSize": {
                "MaxMessageCount": 500,
                "AbsoluteMaxBytes": "10 MB",
                "PreferredMaxBytes": "2 MB",
            },
            "MaxChannels": 0,
            **_consensus(topology, layout),
            "Organizations": [
                {
                    **_organization(ordering, layout.msp(ordering.name)),
                    "OrdererEndpoints": [node.address for node in ordering.orderers],
                }
            ],
            "Policies": {
                **_meta_policies(),
                "BlockValidation": {"Type": "ImplicitMeta", "Rule": "ANY Writers"},
            },
            "Capabilities": {"V2_0": True},
        },
        "Application": {
            # The stream of blocks can be asked for with private data, and a peer then sends all
            # that is not member-only, implicit collections above all, to every reader of the
            # channel, past the contract. A majority of administrators cannot sign one request:
            # nobody gets it. Blocks without private data are read through qscc.
            "ACLs": {"event/Block": "/Channel/Application/Admins"},
            "Organizations": [
                {
                    **_organization(member, layout.msp(member.name)),
                    "AnchorPeers": [{"Host": member.peers[0].host, "Port": member.peers[0].port}],
                }
                for member in topology.members(channel.name)
            ],
            "Policies": {
                **_meta_policies(),
                "LifecycleEndorsement": {"Type": "ImplicitMeta", "Rule": "MAJORITY Endorsement"},
                "Endorsement": {"Type": "ImplicitMeta", "Rule": "MAJORITY Endorsement"},
            },
            "Capabilities": {"V2_5": True},  # private data can be purged
        },
    }


def _consensus(topology: Topology, layout: Layout) -> dict[str, Any]:
    """The orderers as consenters, and how they agree."""
    ordering = topology.ordering
    consenters = []
    for node in ordering.orderers:
        certificate = str(layout.tls(ordering.name, node.name) / "cert.pem")
        consenters.append(
            {
                "Host": node.host,
                "Port": node.port,
                "ClientTLSCert": certificate,
                "ServerTLSCert": certificate,
            }
        )
    if topology.consensus == RAFT:
        return {"EtcdRaft": {"Consenters": consenters, "Options": _RAFT_OPTIONS}}
    # In BFT each consenter signs blocks, so the channel knows its identity as well.
    for number, (node, consenter) in enumerate(zip(ordering.orderers, consenters, strict=True), 1):
        signing = layout.node(ordering.name, node.name) / "msp" / "signcerts" / "cert.pem"
        consenter |= {"ID": number, "MSPID": ordering.msp_id, "Identity": str(signing)}
    return {"ConsenterMapping": consenters, "SmartBFT": _BFT_OPTIONS}


def _meta_policies() -> dict[str, Any]:
    return {
        "Readers": {"Type": "ImplicitMeta", "Rule": "ANY Readers"},
        "Writers": {"Type": "ImplicitMeta", "Rule": "ANY Writers"},
        "Admins": {"Type": "ImplicitMeta", "Rule": "MAJORITY Admins"},
    }


def _organization(organization: Organization, msp: Path) -> dict[str, Any]:
    msp_id = organization.msp_id

    def signature(*roles: str) -> dict[str, str]:
        members = ", ".join(f"'{msp_id}.{role}'" for role in roles)
        return {"Type": "Signature", "Rule": f"OR({members})"}

    policies = {
        "Readers": signature("admin", "peer", "orderer", "client"),
        "Writers": signature("admin", "client", "orderer"),
        "Admins": signature("admin"),
    }
    if organization.peers:
        policies = {
            "Readers": signature("admin", "peer", "client"),
            "Writers": signature("admin", "client"),
            "Admins": signature("admin"),
            "Endorsement": signature("peer"),
        }
    return {"Name": msp_id, "ID": msp_id, "MSPDir": str(msp), "Policies": policies}
