"""What Fabric's discovery service tells, as data. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.gossip import message_pb2
from fabric_protos.msp import identities_pb2

from medfab_gateway._config_values import msp_config
from medfab_gateway.channel_config import MspConfig


@dataclass(frozen=True, kw_only=True)
class DiscoveredPeer:
    """A peer, as another one sees it."""

    msp_id: str
    """Its organisation."""
    endpoint: str
    """`host:port`; empty where a peer of another organisation announces none
    (`peer.gossip.externalEndpoint`)."""
    ledger_height: int
    """Number of blocks it has of the channel."""
    chaincodes: tuple[tuple[str, str], ...]
    """(name, sequence) of the chaincodes that it can endorse for: their package is installed and
    the definition of that sequence, in decimal, is committed. `_lifecycle` is always there."""


@dataclass(frozen=True, kw_only=True)
class DiscoveredConfig:
    """Who is on a channel."""

    organizations: Mapping[str, MspConfig] = field(repr=False)
    """By MSP id."""
    orderers: Mapping[str, tuple[str, ...]]
    """MSP id of an organisation with orderers → their `host:port`."""


@dataclass(frozen=True, kw_only=True)
class Endorsers:
    """Who can endorse calls of a chaincode, and in which combinations."""

    chaincode: str
    """Its name."""
    groups: Mapping[str, tuple[DiscoveredPeer, ...]]
    """Peers by group; any of a group is as good as another."""
    layouts: tuple[Mapping[str, int], ...]
    """Each is enough: group → how many of its peers."""


def discovered_peer(msp_id: str, peer: Any) -> DiscoveredPeer:
    """From a `discovery.Peer` of a known organisation."""
    alive = message_pb2.GossipMessage.FromString(peer.membership_info.payload).alive_msg
    state = message_pb2.GossipMessage.FromString(peer.state_info.payload).state_info.properties
    return DiscoveredPeer(
        msp_id=msp_id,
        endpoint=alive.membership.endpoint,
        ledger_height=state.ledger_height,
        chaincodes=tuple(sorted((each.name, each.version) for each in state.chaincodes)),
    )


def discovered_config(result: Any) -> DiscoveredConfig:
    """From a `discovery.ConfigResult`."""
    return DiscoveredConfig(
        organizations={name: msp_config(result.msps[name]) for name in sorted(result.msps)},
        orderers={
            name: tuple(f"{each.host}:{each.port}" for each in result.orderers[name].endpoint)
            for name in sorted(result.orderers)
        },
    )


def discovered_endorsers(descriptor: Any) -> Endorsers:
    """From a `discovery.EndorsementDescriptor`."""
    groups = descriptor.endorsers_by_groups
    return Endorsers(
        chaincode=descriptor.chaincode,
        groups={
            name: tuple(
                sorted(
                    (discovered_peer(_msp_id(peer), peer) for peer in groups[name].peers),
                    key=lambda peer: (peer.msp_id, peer.endpoint),
                )
            )
            for name in sorted(groups)
        },
        layouts=tuple(
            dict(sorted(layout.quantities_by_group.items())) for layout in descriptor.layouts
        ),
    )


def _msp_id(peer: Any) -> str:
    return str(identities_pb2.SerializedIdentity.FromString(peer.identity).mspid)
