"""How a call finds its way to one of the peers of a gateway."""

from __future__ import annotations

import time
from typing import Any

import grpc

from medfab_gateway import _aio
from medfab_gateway._client import BaseClient
from medfab_gateway._method import Method
from medfab_gateway._peer import Peer
from medfab_gateway.errors import ConnectionFailedError, GatewayError

# What another peer may well answer better: this one is going down, coming up, or without what it
# needs. An error of the chaincode has other codes.
_ELSEWHERE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.FAILED_PRECONDITION}


class AsyncClient(BaseClient[_aio.Channel]):
    """The peers of one gateway and one caller. Private; `AsyncGateway` is the door."""

    async def sign(self, message: bytes) -> bytes:
        """The signature over `message`. Raises `SigningError` where there is no signer."""
        return await _aio.sign(self.signer, self.digest(message))

    async def call(
        self,
        method: Method,
        request: Any,
        *,
        action: str,
        timeout: float,
        transaction_id: str,
    ) -> Any:
        """The answer to one request, of the first peer that gives one.

        timeout: seconds for all attempts together. Raises what `translate_rpc_error` makes: of
        the last peer that answered, or that nobody could be reached.
        """
        end = time.monotonic() + timeout
        failure: GatewayError | None = None
        refused: list[Peer[_aio.Channel]] = []
        peers = self.peers.in_order()
        while True:
            peer = peers.pop(0)
            try:
                answer = await _aio.call(
                    peer,
                    method,
                    request,
                    action=action,
                    timeout=max(end - time.monotonic(), 0.0),
                    transaction_id=transaction_id,
                )
            except GatewayError as error:
                if failure is None or not isinstance(error, ConnectionFailedError):
                    failure = error
                if not _may_go_elsewhere(error, method):
                    raise failure from failure.__cause__
                if error.code is grpc.StatusCode.UNAVAILABLE:
                    self.peers.failed(peer)
                else:
                    refused.append(peer)
                if not peers or time.monotonic() >= end:
                    raise failure from failure.__cause__
            else:
                peer.succeeded()
                for other in refused:  # that it was not the request is known only now
                    self.peers.failed(other)
                return answer


def _may_go_elsewhere(error: GatewayError, method: Method) -> bool:
    if isinstance(error, ConnectionFailedError):
        return error.code is grpc.StatusCode.UNAVAILABLE  # otherwise the gateway is closed
    return method.repeatable and error.code in _ELSEWHERE
