"""The configuration of a channel: read-only data, with Fabric's own names.

A configuration is a tree of groups: the channel, in it `Orderer` and `Application`, in those the
organisations. Each group has values, policies, and groups of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from medfab_gateway._transaction_parts import Creator


@dataclass(frozen=True, kw_only=True, slots=True)
class MspRole:
    """Whoever has a role in an organisation."""

    msp_id: str
    role: str
    """`MEMBER`, `ADMIN`, `CLIENT`, `PEER` or `ORDERER`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MspOrganizationalUnit:
    """Whoever has an organisational unit in the certificate."""

    msp_id: str
    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MspIdentity:
    """One identity."""

    msp_id: str
    certificate: bytes = field(repr=False)
    """PEM, for X.509 identities."""


MspPrincipal: TypeAlias = MspRole | MspOrganizationalUnit | MspIdentity | bytes
"""Who can sign; bytes: a serialised `common.MSPPrincipal` of another classification."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureRule:
    """So many of these must be satisfied. A principal is satisfied by a signature of its own."""

    required: int
    of: tuple[SignatureRule | MspPrincipal, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImplicitMetaPolicy:
    """The policies of one name in the groups below."""

    rule: str
    """`ANY`, `ALL` or `MAJORITY` of them must be satisfied."""

    sub_policy: str
    """Their name."""


Policy: TypeAlias = SignatureRule | MspPrincipal | ImplicitMetaPolicy
"""bytes: a serialised `common.Policy` of another type."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchSize:
    """How large a block may become."""

    max_message_count: int
    absolute_max_bytes: int
    preferred_max_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Consenter:
    """An orderer that takes part in the consensus of a channel."""

    host: str
    port: int
    client_tls_certificate: bytes = field(repr=False)
    """PEM."""

    server_tls_certificate: bytes = field(repr=False)
    """PEM."""

    id: int | None = None
    """Its number with BFT; None with Raft."""

    msp_id: str | None = None
    """None with Raft."""

    identity: bytes | None = field(default=None, repr=False)
    """Its certificate, PEM; None with Raft."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsensusType:
    """How the orderers of a channel agree."""

    type: str
    """`etcdraft` or `BFT`."""

    state: str
    """`STATE_NORMAL` or `STATE_MAINTENANCE`."""

    consenters: tuple[Consenter, ...]
    """With Raft. With BFT they are in the value `Orderers`."""

    options: Mapping[str, str | int | bool]
    """By their names in `etcdraft.Options` or `smartbft.Options`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AnchorPeer:
    """A peer that other organisations' peers may turn to first."""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MspConfig:
    """How the identities of an organisation are recognised. Certificates and lists are PEM."""

    msp_id: str
    root_certificates: tuple[bytes, ...] = field(repr=False)
    intermediate_certificates: tuple[bytes, ...] = field(repr=False)
    tls_root_certificates: tuple[bytes, ...] = field(repr=False)
    tls_intermediate_certificates: tuple[bytes, ...] = field(repr=False)
    admins: tuple[bytes, ...] = field(repr=False)
    revocation_lists: tuple[bytes, ...] = field(repr=False)

    organizational_units: tuple[str, ...]
    """Members must have one of them in their certificates; empty: none is asked for."""

    node_units: Mapping[str, str]
    """The unit that makes a certificate a `client`, `peer`, `admin` or `orderer`; empty where
    units say nothing about roles."""

    signature_hash_family: str
    """`SHA2`, where the organisation has not chosen another."""


ConfigContent: TypeAlias = (
    str
    | int
    | tuple[str, ...]
    | Mapping[str, str]
    | BatchSize
    | ConsensusType
    | MspConfig
    | Policy
    | tuple[AnchorPeer, ...]
    | tuple[Consenter, ...]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigValue:
    """One value of a group."""

    version: int
    mod_policy: str
    """The policy that a change must satisfy."""

    content: ConfigContent
    """By the name of the value:

    - `HashingAlgorithm`, `Consortium`, `BatchTimeout`: text
    - `BlockDataHashingStructure` (the width), `ChannelRestrictions` (how many): a number
    - `Capabilities`, `OrdererAddresses`, `Endpoints`, `KafkaBrokers`: a tuple of texts
    - `ACLs`: policies by resource
    - `BatchSize`, `ConsensusType`: the types of that name
    - `MSP`: `MspConfig`; `AnchorPeers`, `Orderers`: tuples of `AnchorPeer` and `Consenter`
    - `ChannelCreationPolicy`: a policy

    Bytes, as they are, where it is of another name or form."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigPolicy:
    """One policy of a group."""

    version: int
    mod_policy: str
    """The policy that a change must satisfy."""

    policy: Policy | None
    """None in the parts of an update that leave it as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigGroup:
    """A group: values, policies, and further groups, by their names."""

    version: int
    mod_policy: str
    """The policy that a change of its members must satisfy."""

    groups: Mapping[str, ConfigGroup]
    values: Mapping[str, ConfigValue]
    policies: Mapping[str, ConfigPolicy]


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """A channel's configuration as a whole."""

    sequence: int
    """Counts the channel's configurations, from 0."""

    channel: ConfigGroup


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigUpdate:
    """A change of a configuration, as it was asked for."""

    channel_id: str

    read_set: ConfigGroup
    """What the change relies on, by version; without contents."""

    write_set: ConfigGroup
    """What shall be there: elements whose version is higher than now are changed."""

    signers: tuple[Creator, ...]
    """Who signed, as it is written there: checked only if the transaction is valid."""
