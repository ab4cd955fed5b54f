"""What an organisation tells the others about itself, so that they can take it into a channel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from fabric_protos.common import configtx_pb2, policies_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2

from medfab_gateway._config_values import FABRIC_MSP
from medfab_gateway.admin._config_update import serialize
from medfab_gateway.admin._policies import parse_signature_policy
from medfab_gateway.admin.errors import ConfigError

ADMINS = "Admins"
ROLES = ("client", "peer", "admin", "orderer")


@dataclass(frozen=True)
class OrganizationDefinition:
    """An organisation as a member of a channel: its MSP, its policies, its anchor peers.

        definition = OrganizationDefinition.from_msp(
            Path("organizations/pharmacy2/msp"), "Pharmacy2MSP", anchor_peers=[("peer0", 7051)]
        )
        Path("pharmacy2.json").write_text(definition.to_json())

    All of it is public: certificates, no keys.
    """

    serialized: bytes = field(repr=False)
    """A `common.ConfigGroup`."""

    @classmethod
    def from_msp(
        cls, folder: Path, msp_id: str, *, anchor_peers: Sequence[tuple[str, int]] = ()
    ) -> OrganizationDefinition:
        """From an MSP folder, with Fabric's usual policies.

        Args:
            folder: With `cacerts`, and where there are any `intermediatecerts`, `tlscacerts`,
                `tlsintermediatecerts`, `admincerts`, `crls` and `config.yaml` (NodeOUs). Keys are
                not read.
            msp_id: The organisation's MSP id, also the name of its group.
            anchor_peers: (host, port), as other organisations' peers reach them.

        Raises:
            ConfigError: There is no such folder, or what it holds is no MSP.
        """
        config = _msp_config(folder, msp_id)
        group = configtx_pb2.ConfigGroup(mod_policy=ADMINS)
        msp = msp_config_pb2.MSPConfig(type=FABRIC_MSP, config=serialize(config))
        _put(group, "MSP", msp)
        if anchor_peers:
            _put(group, "AnchorPeers", anchor_peers_message(anchor_peers))
        for name, roles in (
            ("Readers", ("admin", "peer", "client")),
            ("Writers", ("admin", "client")),
            (ADMINS, ("admin",)),
            ("Endorsement", ("peer",)),
        ):
            rule = "OR({})".format(", ".join(f"'{msp_id}.{role}'" for role in roles))
            policy = policies_pb2.Policy(
                type=policies_pb2.Policy.SIGNATURE,
                value=parse_signature_policy(rule).SerializeToString(),
            )
            group.policies[name].CopyFrom(
                configtx_pb2.ConfigPolicy(mod_policy=ADMINS, policy=policy)
            )
        return cls(serialize(group))

    @classmethod
    def from_json(cls, text: str) -> OrganizationDefinition:
        """From what `to_json` or `configtxgen -printOrg` has written.

        Raises:
            ConfigError: It is no such definition; says where.
        """
        from medfab_gateway._json_message import message_from_json

        try:
            document = json.loads(text)
            group = message_from_json(configtx_pb2.ConfigGroup, document, "The definition")
            definition = cls(serialize(group))
            definition.msp_id  # noqa: B018  reads the MSP
        except (ValueError, TypeError) as error:
            raise ConfigError(f"This is no definition of an organisation: {error}") from error
        return definition

    @classmethod
    def of_member(cls, group: Any) -> OrganizationDefinition:
        """The definition by which an organisation is in a channel: its group without versions."""
        definition = configtx_pb2.ConfigGroup()
        definition.CopyFrom(group)
        definition.version = 0
        for element in (*definition.values.values(), *definition.policies.values()):
            element.version = 0
        return cls(serialize(definition))

    def to_json(self) -> str:
        """As `configtxgen -printOrg` writes it."""
        from medfab_gateway._message_json import message_json

        group = configtx_pb2.ConfigGroup.FromString(self.serialized)
        return json.dumps(message_json(group), indent=2) + "\n"

    @property
    def msp_id(self) -> str:
        """The MSP id. Raises `ConfigError`."""
        return str(self._msp().name)

    @property
    def anchor_peers(self) -> tuple[tuple[str, int], ...]:
        """(host, port) of the peers that others turn to first."""
        group = configtx_pb2.ConfigGroup.FromString(self.serialized)
        if "AnchorPeers" not in group.values:
            return ()
        message = peer_pb2.AnchorPeers.FromString(group.values["AnchorPeers"].value)
        return tuple((each.host, each.port) for each in message.anchor_peers)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """SHA-256 of each root certificate's DER, for comparing by another way (by telephone)."""
        return tuple(
            x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex(":")
            for pem in self._msp().root_certs
        )

    def _msp(self) -> Any:
        group = configtx_pb2.ConfigGroup.FromString(self.serialized)
        msp = msp_of(group)
        if msp is None or not msp.name or not msp.root_certs:
            raise ConfigError("The definition has no MSP with an id and a root certificate")
        return msp


def msp_of(group: Any) -> Any:
    """The `FabricMSPConfig` of an organisation's group; None where it has none."""
    if "MSP" not in group.values:
        return None
    config = msp_config_pb2.MSPConfig.FromString(group.values["MSP"].value)
    if config.type != FABRIC_MSP:
        return None
    return msp_config_pb2.FabricMSPConfig.FromString(config.config)


def anchor_peers_message(peers: Sequence[tuple[str, int]]) -> Any:
    """A `protos.AnchorPeers`."""
    return peer_pb2.AnchorPeers(
        anchor_peers=[peer_pb2.AnchorPeer(host=host, port=port) for host, port in peers]
    )


def _put(group: Any, name: str, message: Any) -> None:
    group.values[name].CopyFrom(
        configtx_pb2.ConfigValue(mod_policy=ADMINS, value=serialize(message))
    )


def _msp_config(folder: Path, msp_id: str) -> Any:
    roots = _pems(folder, "cacerts")
    if not roots:
        raise ConfigError(f"{folder} is no MSP: {folder / 'cacerts'} holds no certificate")
    config = msp_config_pb2.FabricMSPConfig(
        name=msp_id,
        root_certs=roots,
        intermediate_certs=_pems(folder, "intermediatecerts"),
        admins=_pems(folder, "admincerts"),
        revocation_list=_pems(folder, "crls"),
        tls_root_certs=_pems(folder, "tlscacerts"),
        tls_intermediate_certs=_pems(folder, "tlsintermediatecerts"),
        crypto_config=msp_config_pb2.FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
    )
    _node_units(config, folder)
    return config


def _node_units(config: Any, folder: Path) -> None:
    file = folder / "config.yaml"
    if not file.exists():
        return
    try:
        document = yaml.safe_load(file.read_text())
        units = (document or {}).get("NodeOUs") or {}
        config.fabric_node_ous.enable = bool(units.get("Enable", False))
        for role in ROLES:
            unit = units.get(f"{role.capitalize()}OUIdentifier")
            if not unit:
                continue
            target = getattr(config.fabric_node_ous, f"{role}_ou_identifier")
            target.organizational_unit_identifier = unit["OrganizationalUnitIdentifier"]
            if unit.get("Certificate"):
                target.certificate = (folder / unit["Certificate"]).read_bytes()
    except (OSError, yaml.YAMLError, AttributeError, LookupError, TypeError) as error:
        raise ConfigError(f"{file} cannot be used: {error}") from error


def _pems(folder: Path, name: str) -> list[bytes]:
    place = folder / name
    try:
        files = sorted(path for path in place.iterdir() if path.is_file())
        return [path.read_bytes() for path in files]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{place} cannot be read: {error.strerror}") from error
