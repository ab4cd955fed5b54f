"""The request for a stream of blocks (`common.Envelope` around `orderer.SeekInfo`)."""

from __future__ import annotations

from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2

from medfab_gateway._messages.headers import build_header
from medfab_gateway.identity import Identity

_NO_STOP = 2**64 - 1  # the number of a block that never comes


def build_seek_payload(
    *,
    identity: Identity,
    channel_id: str,
    start_block: int | None,
    stop_block: int | None,
    timestamp_ns: int,
    tls_certificate_hash: bytes | None,
) -> bytes:
    """A `common.Payload`, serialised: these bytes are what is signed.

    start_block: None means the next block to be committed. stop_block: the last one wanted; None
    means without end. timestamp_ns: nanoseconds since 1970 (UTC); peers refuse a request more
    than 15 minutes old. tls_certificate_hash: for peers that ask for client certificates.
    """
    seek = ab_pb2.SeekInfo(
        start=seek_position(start_block),
        stop=seek_position(_NO_STOP if stop_block is None else stop_block),
        behavior=ab_pb2.SeekInfo.BLOCK_UNTIL_READY,
    )
    header = build_header(
        header_type=common_pb2.DELIVER_SEEK_INFO,
        channel_id=channel_id,
        creator=identity.serialized,
        timestamp_ns=timestamp_ns,
        tls_certificate_hash=tls_certificate_hash,
    )
    payload: bytes = common_pb2.Payload(
        header=header, data=seek.SerializeToString()
    ).SerializeToString()
    return payload


def seek_position(block_number: int | None) -> object:
    """An `orderer.SeekPosition`; None: the next block to be committed."""
    if block_number is None:
        return ab_pb2.SeekPosition(next_commit=ab_pb2.SeekNextCommit())
    return ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=block_number))


def read_start_block(payload: bytes) -> int | None:
    """The first block that such a payload asks for; None where it does not name one."""
    seek = ab_pb2.SeekInfo.FromString(common_pb2.Payload.FromString(payload).data)
    if seek.start.WhichOneof("Type") != "specified":
        return None
    number: int = seek.start.specified.number
    return number
