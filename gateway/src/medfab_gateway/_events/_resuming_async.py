"""A stream that outlives its connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

import grpc

from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._events._connection_async import AsyncConnection
from medfab_gateway._events._feed_async import Batch, Item
from medfab_gateway._events._ledger_async import fetch_height
from medfab_gateway._events._recovery_async import AsyncRecovery
from medfab_gateway._events._request_async import AsyncEventsRequest
from medfab_gateway._peer_async import AsyncPeer
from medfab_gateway.errors import GatewayError


class AsyncResuming(Generic[Item]):
    """A feed that goes on with the next block, at whichever peer of the gateway is well."""

    def __init__(
        self,
        client: AsyncClient,
        request: Callable[[int, AsyncPeer], AsyncEventsRequest[Item]],
        *,
        channel_name: str,
        start_block: int | None,
        stop_block: int | None = None,
        position_is_known: bool = False,
    ) -> None:
        """request: makes one that begins with a block; a new one for each connection, because
        its time and the client certificate that it is bound to change. start_block: None: the next
        to be committed. stop_block: the last; None: without end. position_is_known: the channel
        has reached `start_block` before, for it was in a checkpoint."""
        self._client = client
        self._request = request
        self._channel_name = channel_name
        self._next_block = start_block
        self._stop_block = stop_block
        self._connection: AsyncConnection[Item] | None = None
        self._recovery = AsyncRecovery(client, position_is_known=position_is_known)

    async def next(self) -> Batch[Item] | None:
        """Raises `GatewayError` for what does not pass, and where it is given up."""
        while not self._recovery.closed:
            try:
                if self._next_block is None:
                    self._next_block = await self._pin()
                if self._stop_block is not None and self._next_block > self._stop_block:
                    return None
                batch = await self._receive(self._next_block)
            except GatewayError as error:
                await self._recovery.wait_after(error)
                continue
            if batch is None:
                return None
            self._recovery.succeeded()
            if batch.number >= self._next_block:
                self._next_block = batch.number + 1
                self._recovery.position_is_known = True
                return batch
        return None

    async def _pin(self) -> int:
        """The number of the next block: what is committed while a connection is lost, and
        before the first block has come, is then not missed."""
        self._recovery.attempt()
        height = await fetch_height(self._client, channel_name=self._channel_name)
        self._recovery.succeeded()
        self._recovery.position_is_known = True
        return height

    async def _receive(self, start_block: int) -> Batch[Item] | None:
        connection = self._connection or self._connect(start_block)
        try:
            batch = await connection.next()
        except GatewayError as error:
            connection.close()
            self._connection = None
            if error.code is grpc.StatusCode.UNAVAILABLE:
                self._client.peers.failed(connection.peer)
            raise
        connection.peer.succeeded()
        return batch

    def _connect(self, start_block: int) -> AsyncConnection[Item]:
        self._recovery.attempt()
        peer = self._client.peers.in_order()[0]
        self._connection = connection = AsyncConnection(self._request(start_block, peer), peer)
        if self._recovery.closed:  # meanwhile, by somebody who has not seen this connection
            connection.close()
        return connection

    def close(self) -> None:
        self._recovery.close()
        if self._connection is not None:
            self._connection.close()
