# Made by scripts/make_sync.py from _request_async.py: change that, and run it.
"""What the requests for streams of events have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic

import grpc
from fabric_protos.common import common_pb2

from medfab_gateway._blocking import Stream
from medfab_gateway._calls import Client
from medfab_gateway._events._connection import Connection
from medfab_gateway._events._feed import Batch, Item
from medfab_gateway._events._statuses import status_error
from medfab_gateway._events._stream import EventStream
from medfab_gateway._peer import Peer
from medfab_gateway._rpc_errors import unusable_answer_error
from medfab_gateway._signable import Signable
from medfab_gateway.errors import DeliverError


class EventsRequest(Signable, ABC, Generic[Item]):
    """A request for a stream: signed once, by the gateway or elsewhere, and good for one peer.

    with request.events() as events:
        for event in events: ...
    """

    _client: Client
    _action: str

    @property
    def alternative(self) -> EventsRequest[Item] | None:
        """What to ask for where this is forbidden; None: there is nothing else."""
        return None

    def events(self) -> EventStream[Item]:
        """The events that it asks for, over one connection.

        Iterating raises `DeliverError` where that breaks: only a gateway with a signer can go on,
        with another request, and the streams of a network do. Raises `ConnectionFailedError`,
        `RequestLimitError` and `SigningError` as well.
        """
        return EventStream(Connection(self, self._client.peers.in_order()[0]))

    def open(self, peer: Peer) -> Stream:
        """Sends it. Raises `SigningError` where it has no signature and there is no signer."""
        self._sign()
        return self._open(peer)

    @abstractmethod
    def _open(self, peer: Peer) -> Stream: ...

    def read(self, stream: Stream, peer: Peer) -> Batch[Item] | None:
        """The next answer; None: the peer has sent all that was asked for.

        Raises `GatewayError`, also where the stream has been cancelled.
        """
        response = stream.read()
        if response is None:
            raise DeliverError(
                f"{self._action} failed: {peer.name} ended the stream without saying why.\n"
                "Begin again at the block after the last one received.",
                code=grpc.StatusCode.UNAVAILABLE,
            )
        return self._decode(response, peer)

    @abstractmethod
    def _decode(self, response: Any, peer: Peer) -> Batch[Item] | None: ...


class DeliverRequest(EventsRequest[Item]):
    """For blocks in one of three forms. `bytes` is a `common.Envelope`."""

    _method: ClassVar[str]
    _answer: ClassVar[str]
    """The field of `protos.DeliverResponse` in which it answers."""

    _what: ClassVar[str]

    def __init__(self, client: Client, message: Any, *, channel_name: str) -> None:
        """message: a `common.Envelope` around what `build_seek_payload` makes."""
        super().__init__(client, message, signed=message, content=message.payload)
        self._client = client
        self._channel_name = channel_name
        self._action = f"Reading {self._what} of channel {channel_name}"

    def _open(self, peer: Peer) -> Stream:
        method = getattr(peer.deliver, self._method)
        return Stream(peer, method, iter([self._message]), DeliverError, action=self._action)

    def _decode(self, response: Any, peer: Peer) -> Batch[Item] | None:
        kind = response.WhichOneof("Type")
        if kind == self._answer:
            return self._decode_block(response)
        if kind != "status":
            raise unusable_answer_error(
                DeliverError, action=self._action, address=peer.address, msp_id=peer.msp_id
            )
        if response.status == common_pb2.SUCCESS:
            return None
        raise status_error(response.status, action=self._action, peer=peer.name)

    @abstractmethod
    def _decode_block(self, response: Any) -> Batch[Item]:
        """From a `protos.DeliverResponse` with the answer."""
