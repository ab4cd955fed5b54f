"""`configtx.yaml` from a topology, in Fabric's own format.

The `configtx.yaml` at the top of the repository says the same for the default consortium, written
for people; a test compares the genesis blocks that `configtxgen` makes of the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medfab_network._layout import Layout
from medfab_network.topology import Channel, Organization, Topology

BATCH_TIMEOUT = "250ms"
"""Fabric's default of 2 s favours throughput; here people and tests wait for each block."""


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
            "OrdererType": "etcdraft",
            "BatchTimeout": BATCH_TIMEOUT,
            "BatchSize": {
                "MaxMessageCount": 500,
                "AbsoluteMaxBytes": "10 MB",
                "PreferredMaxBytes": "2 MB",
            },
            "MaxChannels": 0,
            "EtcdRaft": {
                "Consenters": [
                    {
                        "Host": node.host,
                        "Port": node.port,
                        "ClientTLSCert": str(layout.tls(ordering.name, node.name) / "cert.pem"),
                        "ServerTLSCert": str(layout.tls(ordering.name, node.name) / "cert.pem"),
                    }
                    for node in ordering.orderers
                ],
                "Options": {
                    "TickInterval": "200ms",
                    "ElectionTick": 10,
                    "HeartbeatTick": 1,
                    "MaxInflightBlocks": 5,
                    "SnapshotIntervalSize": "16 MB",
                },
            },
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
