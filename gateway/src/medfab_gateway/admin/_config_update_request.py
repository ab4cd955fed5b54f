"""A configuration update on its way: computed, sent around for signatures, submitted. Pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._config_decoder import decode_config_update
from medfab_gateway._messages.headers import build_header
from medfab_gateway._messages.proposal import NONCE_BYTES
from medfab_gateway._transaction_decoder import decode_creator
from medfab_gateway._transaction_parts import Creator
from medfab_gateway.admin._channel_config import ChannelConfig
from medfab_gateway.admin._config_changes import (
    ConfigChange,
    UpdateState,
    config_changes,
    update_state,
)
from medfab_gateway.admin._config_update import compute_update
from medfab_gateway.admin.errors import ConfigError
from medfab_gateway.channel_config import ConfigUpdate
from medfab_gateway.identity import Hash, Identity, Signer

if TYPE_CHECKING:
    from medfab_gateway._block_json import Json

_NO_UPDATE = (
    "This is no configuration update: give a file that `medfab channel edit --out` or `peer "
    "channel signconfigtx` has written"
)


@dataclass(frozen=True)
class ConfigSignature:
    """One organisation's signature of an update."""

    signature_header: bytes = field(repr=False)
    """A serialised `common.SignatureHeader`: who signed, and a nonce."""
    signature: bytes = field(repr=False)
    """Over the header followed by the update."""

    @property
    def signer(self) -> Creator:
        """Who signed, as it is written there; the orderers check it."""
        return decode_creator(self.signature_header)


@dataclass(frozen=True)
class ConfigUpdateRequest:
    """An update and the signatures that it has so far.

        request = ConfigEditor(config).set_acl("event/Block", None).update()
        request = request.sign(identity, signer)
        Path("update.pb").write_bytes(request.to_bytes())     # to the next organisation

    Not changed by what signs it: signing gives a new one.
    """

    config_update: bytes = field(repr=False)
    """A serialised `common.ConfigUpdate`: what is signed."""
    signatures: tuple[ConfigSignature, ...] = ()
    """Those of the administrators so far."""

    @classmethod
    def compute(cls, original: ChannelConfig, modified: ChannelConfig) -> ConfigUpdateRequest:
        """The update from one configuration to the other. Raises `ConfigError`."""
        return cls(compute_update(original.channel_name, original.serialized, modified.serialized))

    @classmethod
    def from_bytes(cls, envelope: bytes) -> ConfigUpdateRequest:
        """From what `to_bytes` or `peer channel signconfigtx` has written.

        Raises:
            ConfigError: The bytes are no such thing.
        """
        try:
            payload = common_pb2.Payload.FromString(
                common_pb2.Envelope.FromString(envelope).payload
            )
            header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
            update = configtx_pb2.ConfigUpdateEnvelope.FromString(payload.data)
            request = cls(
                update.config_update,
                tuple(
                    ConfigSignature(each.signature_header, each.signature)
                    for each in update.signatures
                ),
            )
            if header.type != common_pb2.CONFIG_UPDATE or not request.channel_name:
                raise ConfigError(_NO_UPDATE)
            request.signers  # noqa: B018  reads them
        except DecodeError as error:
            raise ConfigError(_NO_UPDATE) from error
        return request

    def to_bytes(self) -> bytes:
        """A `common.Envelope` around it, which Fabric's `peer channel signconfigtx` reads too."""
        header = build_header(
            header_type=common_pb2.CONFIG_UPDATE,
            channel_id=self.channel_name,
            creator=b"",
            timestamp_ns=0,
        )
        payload = common_pb2.Payload(header=header, data=self.envelope)
        serialized: bytes = common_pb2.Envelope(
            payload=payload.SerializeToString()
        ).SerializeToString()
        return serialized

    @property
    def channel_name(self) -> str:
        """The channel that it changes."""
        return str(configtx_pb2.ConfigUpdate.FromString(self.config_update).channel_id)

    @property
    def envelope(self) -> bytes:
        """A serialised `common.ConfigUpdateEnvelope`: the update with its signatures."""
        message = configtx_pb2.ConfigUpdateEnvelope(config_update=self.config_update)
        for each in self.signatures:
            message.signatures.add(signature_header=each.signature_header, signature=each.signature)
        serialized: bytes = message.SerializeToString()
        return serialized

    @property
    def typed(self) -> ConfigUpdate:
        """The update as data with Fabric's names."""
        return decode_config_update(self.envelope)

    def to_json(self) -> dict[str, Json]:
        """The update as `configtxlator proto_decode --type common.ConfigUpdate` writes it."""
        from medfab_gateway._message_json import message_json

        return message_json(configtx_pb2.ConfigUpdate.FromString(self.config_update))

    @property
    def signers(self) -> tuple[Creator, ...]:
        """Who has signed, as it is written there."""
        return tuple(each.signer for each in self.signatures)

    def state(self, config: ChannelConfig) -> UpdateState:
        """How it stands to a configuration of its channel."""
        return update_state(config.serialized, self.config_update)

    def changes(self, config: ChannelConfig) -> tuple[ConfigChange, ...]:
        """What it would do to a configuration; read it before you sign."""
        return config_changes(config.serialized, self.config_update)

    def signature_header(self, identity: Identity, nonce: bytes) -> bytes:
        """What `identity` signs in front of the update; for signing elsewhere."""
        header: bytes = common_pb2.SignatureHeader(
            creator=identity.serialized, nonce=nonce
        ).SerializeToString()
        return header

    def sign(
        self, identity: Identity, signer: Signer, *, hash: Hash | None = None
    ) -> ConfigUpdateRequest:
        """With the identity's signature added: its organisation agrees. Asks no node.

        hash: None for the one that goes with the identity's key.
        """
        header = self.signature_header(identity, secrets.token_bytes(NONCE_BYTES))
        message = header + self.config_update
        return self.signed(header, signer((hash or identity.default_hash()).digest(message)))

    def signed(self, signature_header: bytes, signature: bytes) -> ConfigUpdateRequest:
        """With one more signature, made over `signature_header + config_update`.

        An earlier one of the same identity is replaced.
        """
        added = ConfigSignature(signature_header, signature)
        others = tuple(each for each in self.signatures if each.signer != added.signer)
        return replace(self, signatures=(*others, added))
