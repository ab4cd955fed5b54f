"""A channel's configuration, as administrators carry it about: bytes, JSON, typed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._config_decoder import decode_configuration
from medfab_gateway.admin._config_update import parse_config, serialize
from medfab_gateway.admin.errors import ConfigError
from medfab_gateway.channel_config import Configuration

if TYPE_CHECKING:
    from medfab_gateway._block_json import Json


@dataclass(frozen=True)
class ChannelConfig:
    """The configuration of a channel.

        config = await channels.config("care")
        config.typed.sequence
        ConfigEditor(config).set_batch(max_message_count=100)

    Raises:
        ConfigError: The bytes are no `common.Config`.
    """

    channel_name: str
    """The channel."""
    serialized: bytes = field(repr=False)
    """A `common.Config`, as `configtxlator` reads and writes it."""

    def __post_init__(self) -> None:
        parse_config(self.serialized)

    @classmethod
    def from_block(cls, block: bytes) -> ChannelConfig:
        """From a serialised configuration block, the first of a channel included.

        Raises:
            ConfigError: It is no such block.
        """
        try:
            envelope = common_pb2.Envelope.FromString(
                common_pb2.Block.FromString(block).data.data[0]
            )
            payload = common_pb2.Payload.FromString(envelope.payload)
            header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
            if header.type != common_pb2.CONFIG:
                raise ConfigError("The block holds transactions, and no configuration")
            config = configtx_pb2.ConfigEnvelope.FromString(payload.data).config
        except (DecodeError, IndexError) as error:
            raise ConfigError(
                "The bytes are no configuration block: give the file that configtxgen "
                "-outputBlock writes, or a block fetched from an orderer or a peer"
            ) from error
        return cls(header.channel_id, config.SerializeToString())

    @cached_property
    def typed(self) -> Configuration:
        """The configuration as data with Fabric's names."""
        return decode_configuration(self.serialized)

    def to_json(self) -> dict[str, Json]:
        """As `configtxlator proto_decode --type common.Config` writes it."""
        from medfab_gateway._message_json import message_json

        return message_json(parse_config(self.serialized))

    def with_json(self, text: str) -> ChannelConfig:
        """This configuration as somebody has changed its JSON.

        What says the same keeps its bytes: nothing but what was changed differs.

        Raises:
            ConfigError: It is no JSON, or no configuration; says where.
        """
        from medfab_gateway._json_message import message_from_json

        try:
            changed = message_from_json(configtx_pb2.Config, json.loads(text), "The configuration")
        except (ValueError, TypeError) as error:
            raise ConfigError(f"The JSON is no configuration of a channel: {error}") from error
        _keep_bytes(parse_config(self.serialized).channel_group, changed.channel_group)
        return ChannelConfig(self.channel_name, serialize(changed))


def _keep_bytes(before: Any, after: Any) -> None:
    """Fabric compares values by their bytes, which are not the same for maps in another order."""
    from medfab_gateway._opaque_fields import message_in

    for name in set(before.values) & set(after.values):
        held = message_in(before, name)
        old, new = before.values[name], after.values[name]
        if held is not None and old.value != new.value:
            try:
                if held.FromString(old.value) == held.FromString(new.value):
                    new.value = old.value
            except DecodeError:
                continue
    for name in set(before.groups) & set(after.groups):
        _keep_bytes(before.groups[name], after.groups[name])
