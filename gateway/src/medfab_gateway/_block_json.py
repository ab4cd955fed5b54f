"""A block as JSON, equal in content to `configtxlator proto_decode --type common.Block`."""

from __future__ import annotations

from typing import TypeAlias

from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError

from medfab_gateway.errors import BlockDecodeError

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


def block_json(block: bytes) -> dict[str, Json]:
    """The block as a JSON object; `json.dumps(block_json(block.raw))` is the text.

    block: a serialised `common.Block`. What should hold a message and does not is left as it is,
    in base64, like all other bytes; `configtxlator` refuses such blocks as a whole. Raises
    `BlockDecodeError` for bytes that are no block.
    """
    # It needs all of Fabric's messages for configurations: not for everybody who has a gateway.
    from medfab_gateway._message_json import message_json

    try:
        return message_json(common_pb2.Block.FromString(block))
    except DecodeError as error:
        raise BlockDecodeError(f"These {len(block)} bytes are not a block.") from error
