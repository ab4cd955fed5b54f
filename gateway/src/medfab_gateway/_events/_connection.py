# Made by scripts/make_sync.py from _connection_async.py: change that, and run it.
"""One request under way at one peer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

import grpc

from medfab_gateway._blocking import Stream
from medfab_gateway._events._feed import Batch, Item
from medfab_gateway._peer import Peer
from medfab_gateway.errors import GatewayError

if TYPE_CHECKING:
    from medfab_gateway._events._request import EventsRequest


class Connection(Generic[Item]):
    """A feed that ends with its connection: nothing is sent before the first `next()`."""

    def __init__(self, request: EventsRequest[Item], peer: Peer) -> None:
        self._request = request
        self.peer = peer
        self._stream: Stream | None = None
        self._answered = False
        self._closed = False

    def next(self) -> Batch[Item] | None:
        """Raises `GatewayError`, and `SigningError`."""
        try:
            stream = self._stream or self._open()
            batch = self._request.read(stream, self.peer)
        except GatewayError as error:
            if self._closed:
                return None
            alternative = None if self._answered else self._request.alternative
            if error.code is not grpc.StatusCode.PERMISSION_DENIED or alternative is None:
                raise
            self._request, self._stream = alternative, None
            return self.next()
        self._answered = True
        return batch

    def _open(self) -> Stream:
        self._stream = stream = self._request.open(self.peer)
        if self._closed:  # meanwhile, by somebody who has not seen this stream
            stream.cancel()
        return stream

    def close(self) -> None:
        self._closed = True
        if self._stream is not None:
            self._stream.cancel()
