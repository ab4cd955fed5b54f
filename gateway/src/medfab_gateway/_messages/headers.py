"""The two headers that every signed Fabric message carries."""

from __future__ import annotations

from typing import Any

from fabric_protos.common import common_pb2
from google.protobuf.timestamp_pb2 import Timestamp


def build_header(
    *,
    header_type: int,
    channel_id: str,
    creator: bytes,
    timestamp_ns: int,
    nonce: bytes = b"",
    transaction_id: str = "",
    extension: bytes = b"",
    tls_certificate_hash: bytes | None = None,
) -> Any:
    """A `common.Header`, with both of its parts serialised.

    `timestamp_ns` is in nanoseconds since 1970 (UTC); peers refuse what is more than 15 minutes
    off their clock. `channel_id` is empty for requests to a peer rather than to a channel.
    """
    seconds, nanos = divmod(timestamp_ns, 1_000_000_000)
    channel_header = common_pb2.ChannelHeader(
        type=header_type,
        timestamp=Timestamp(seconds=seconds, nanos=nanos),
        channel_id=channel_id,
        tx_id=transaction_id,
        extension=extension,
        tls_cert_hash=tls_certificate_hash or b"",
    )
    signature_header = common_pb2.SignatureHeader(creator=creator, nonce=nonce)
    return common_pb2.Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=signature_header.SerializeToString(),
    )
