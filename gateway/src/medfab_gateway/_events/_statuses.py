"""The status messages with which a peer ends a stream of blocks → `DeliverError`."""

from __future__ import annotations

import grpc
from fabric_protos.common import common_pb2

from medfab_gateway.errors import DeliverError


def status_error(status: int, *, action: str, peer: str) -> DeliverError:
    """What an in-band status means: fabric/common/deliver/deliver.go."""
    code, reason, advice = _STATUSES.get(status, _OTHER_STATUS)
    name = common_pb2.Status.Name(status) if status in common_pb2.Status.values() else status
    return DeliverError(
        f"{action} from {peer} failed: {reason} (status {name}).\n{advice}", code=code
    )


_STATUSES = {
    common_pb2.BAD_REQUEST: (
        grpc.StatusCode.INVALID_ARGUMENT,
        "the peer did not accept the request",
        "Check that this machine's clock is right (15 minutes at most), that the client "
        "certificate is given where the peer asks for one, and the block numbers.",
    ),
    common_pb2.FORBIDDEN: (
        grpc.StatusCode.PERMISSION_DENIED,
        "the identity may not read this stream",
        "Check that it is a member of an organisation of the channel, that its certificate has "
        "not expired or been revoked, and that its key belongs to it. Channels with private data "
        "close the stream with private data (event/Block in their ACLs) to everybody.",
    ),
    common_pb2.NOT_FOUND: (
        grpc.StatusCode.NOT_FOUND,
        "the peer has not joined the channel, or has no such block",
        "Check the channel's name, and that the peer has joined it.",
    ),
    common_pb2.SERVICE_UNAVAILABLE: (
        grpc.StatusCode.UNAVAILABLE,
        "the peer cannot deliver blocks at present",
        "Try again later, at the block after the last one received.",
    ),
}
_OTHER_STATUS = (
    grpc.StatusCode.INTERNAL,
    "the peer failed to read its blocks",
    "Its log says more.",
)
