# Made by scripts/make_sync.py from _blocks_async.py: change that, and run it.
"""The stream of a channel's blocks (`/protos.Deliver/Deliver`).

A channel that keeps private data closes `event/Block` to everybody: the same ACL guards
`DeliverWithPrivateData`, which hands all of a peer's private data to whoever may read blocks. Its
members still learn the numbers of new blocks (`DeliverFiltered`) and read blocks one by one
(`qscc`): the stream here falls back on that, from the same signed request.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import grpc
from fabric_protos.common import common_pb2

from medfab_gateway._block import Block
from medfab_gateway._block_decoder import decode_block
from medfab_gateway._block_fetch import fetch_block
from medfab_gateway._blocking import Stream
from medfab_gateway._calls import Client
from medfab_gateway._signable import Signable
from medfab_gateway.errors import DeliverError


class BlockEvents(Signable):
    """Blocks in order: an iterator that is also a context manager.

    Leaving the `with`, `close()`, and an error end the stream at the peer. One thread reads;
    any other may call `close()`. An ended stream yields nothing more.
    `bytes` is a `common.Envelope`.
    """

    _stream: Stream | None = None  # __del__ needs it even where __init__ fails

    def __init__(self, client: Client, *, channel_name: str, payload: bytes) -> None:
        envelope = common_pb2.Envelope(payload=payload)
        super().__init__(client, envelope, signed=envelope, content=payload)
        self._client = client
        self._channel_name = channel_name
        self._ended = False
        self._peer = client.peers.in_order()[0]
        self._may_fall_back = True

    def __iter__(self) -> BlockEvents:
        return self

    def __next__(self) -> Block:
        if self._ended:
            raise StopIteration
        try:
            return self._next_block()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the stream. Harmless where it has ended already."""
        self._ended = True
        if self._stream is not None:
            self._stream.cancel()

    def __del__(self) -> None:
        # A plain `for` that is left with `break` calls nothing: this is its only end. Not
        # to be relied on where references stay, hence the `with`.
        if self._stream is not None and not self._ended:
            self._stream.cancel()

    def __enter__(self) -> BlockEvents:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _next_block(self) -> Block:
        if self._stream is None:
            self._sign()
        stream = self._stream or self._open(self._peer.deliver.Deliver)
        response = stream.read()
        if response is None:
            if self._ended:  # by close(), while this waited
                raise StopIteration
            raise self._error(
                grpc.StatusCode.UNAVAILABLE,
                "the peer ended the stream without saying why",
                "Begin again at the block after the last one received.",
            )
        kind = response.WhichOneof("Type")
        if kind == "status" and response.status == common_pb2.FORBIDDEN and self._may_fall_back:
            self._may_fall_back = False
            stream.cancel()
            self._open(self._peer.deliver.DeliverFiltered)
            return self._next_block()
        self._may_fall_back = False
        if kind == "block":
            return decode_block(response.block)
        if kind == "filtered_block":
            return fetch_block(
                self._client,
                channel_name=self._channel_name,
                number=response.filtered_block.number,
            )
        if response.status == common_pb2.SUCCESS:
            raise StopIteration
        raise self._status_error(response.status)

    def _open(self, method: Any) -> Stream:
        action = f"Reading the blocks of channel {self._channel_name}"
        stream = Stream(self._peer, method, self._message, DeliverError, action=action)
        self._stream = stream
        if self._ended:  # meanwhile, by another thread, which has not seen this stream
            stream.cancel()
        return stream

    def _status_error(self, status: int) -> DeliverError:
        """The peer's in-band status: fabric/common/deliver/deliver.go."""
        code, reason, advice = _STATUSES.get(status, _OTHER_STATUS)
        name = common_pb2.Status.Name(status) if status in common_pb2.Status.values() else status
        return self._error(code, f"{reason} (status {name})", advice)

    def _error(self, code: grpc.StatusCode, reason: str, advice: str) -> DeliverError:
        return DeliverError(
            f"Reading the blocks of channel {self._channel_name} from {self._peer.name} failed: "
            f"{reason}.\n{advice}",
            code=code,
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
        "the identity may not read the channel's blocks",
        "Check that it is a member of an organisation of the channel, that its certificate has "
        "not expired or been revoked, and that its key belongs to it.",
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
