"""What the requests for streams of events have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic

import grpc
from fabric_protos.common import common_pb2

from medfab_gateway._aio import Stream
from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._events._connection_async import AsyncConnection
from medfab_gateway._events._feed_async import Batch, Item
from medfab_gateway._events._statuses import status_error
from medfab_gateway._events._stream_async import AsyncEventStream
from medfab_gateway._peer_async import AsyncPeer
from medfab_gateway._rpc_errors import unusable_answer_error
from medfab_gateway._signable_async import AsyncSignable
from medfab_gateway.errors import DeliverError


class AsyncEventsRequest(AsyncSignable, ABC, Generic[Item]):
    """A request for a stream: signed once, by the gateway or elsewhere, and good for one peer.

    async with request.events() as events:
        async for event in events: ...
    """

    _client: AsyncClient
    _action: str

    @property
    def alternative(self) -> AsyncEventsRequest[Item] | None:
        """What to ask for where this is forbidden; None: there is nothing else."""
        return None

    def events(self) -> AsyncEventStream[Item]:
        """The events that it asks for, over one connection.

        Iterating raises `DeliverError` where that breaks: only a gateway with a signer can go on,
        with another request, and the streams of a network do. Raises `ConnectionFailedError`,
        `RequestLimitError` and `SigningError` as well.
        """
        return AsyncEventStream(AsyncConnection(self, self._client.peers.in_order()[0]))

    async def open(self, peer: AsyncPeer) -> Stream:
        """Sends it. Raises `SigningError` where it has no signature and there is no signer."""
        await self._sign()
        return self._open(peer)

    @abstractmethod
    def _open(self, peer: AsyncPeer) -> Stream: ...

    async def read(self, stream: Stream, peer: AsyncPeer) -> Batch[Item] | None:
        """The next answer; None: the peer has sent all that was asked for.

        Raises `GatewayError`, also where the stream has been cancelled.
        """
        response = await stream.read()
        if response is None:
            raise DeliverError(
                f"{self._action} failed: {peer.name} ended the stream without saying why.\n"
                "Begin again at the block after the last one received.",
                code=grpc.StatusCode.UNAVAILABLE,
            )
        return await self._decode(response, peer)

    @abstractmethod
    async def _decode(self, response: Any, peer: AsyncPeer) -> Batch[Item] | None: ...


class AsyncDeliverRequest(AsyncEventsRequest[Item]):
    """For blocks in one of three forms. `bytes` is a `common.Envelope`."""

    _method: ClassVar[str]
    _answer: ClassVar[str]
    """The field of `protos.DeliverResponse` in which it answers."""

    _what: ClassVar[str]

    def __init__(self, client: AsyncClient, message: Any, *, channel_name: str) -> None:
        """message: a `common.Envelope` around what `build_seek_payload` makes."""
        super().__init__(client, message, signed=message, content=message.payload)
        self._client = client
        self._channel_name = channel_name
        self._action = f"Reading {self._what} of channel {channel_name}"

    def _open(self, peer: AsyncPeer) -> Stream:
        method = getattr(peer.deliver, self._method)
        return Stream(peer, method, iter([self._message]), DeliverError, action=self._action)

    async def _decode(self, response: Any, peer: AsyncPeer) -> Batch[Item] | None:
        kind = response.WhichOneof("Type")
        if kind == self._answer:
            return await self._decode_block(response)
        if kind != "status":
            raise unusable_answer_error(
                DeliverError, action=self._action, address=peer.address, msp_id=peer.msp_id
            )
        if response.status == common_pb2.SUCCESS:
            return None
        raise status_error(response.status, action=self._action, peer=peer.name)

    @abstractmethod
    async def _decode_block(self, response: Any) -> Batch[Item]:
        """From a `protos.DeliverResponse` with the answer."""
