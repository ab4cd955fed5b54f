"""How a call finds its way to one of the peers of a gateway."""

from __future__ import annotations

import time
from typing import Any

import grpc

from medfab_gateway import _aio
from medfab_gateway._backoff import pauses
from medfab_gateway._client import BaseClient
from medfab_gateway._method import Method
from medfab_gateway._observation import Operation, watched
from medfab_gateway._options import GatewayOptions
from medfab_gateway._peer_async import AsyncPeer, AsyncPeers
from medfab_gateway._rpc_errors import own_limit_error, unusable_answer_error
from medfab_gateway.errors import (
    ConnectionFailedError,
    GatewayError,
    RequestLimitError,
    SubmitError,
)
from medfab_gateway.identity import Hash, Identity, Signer

# The peer is away, or going down: a process that ends may reset its streams with CANCELLED.
_LOST = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}

# What another peer may well answer better: this one is lost, coming up, or without what it needs.
# An error of the chaincode has other codes.
_ELSEWHERE = _LOST | {grpc.StatusCode.FAILED_PRECONDITION}

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0  # seconds, before the peers are asked again

# For a call that waits: the peer is lost, or the turn is over.
_NO_ANSWER_YET = _LOST | {grpc.StatusCode.DEADLINE_EXCEEDED}

# So long may one question hold a permit of its peer while others queue for it, in seconds.
_TURN = 2.0


class AsyncClient(BaseClient):
    """The peers of one gateway and one caller. Private; `AsyncGateway` is the door."""

    def __init__(
        self,
        *,
        peers: AsyncPeers,
        identity: Identity,
        signer: Signer | None,
        hash: Hash,
        options: GatewayOptions,
    ) -> None:
        super().__init__(identity=identity, signer=signer, hash=hash)
        self.peers = peers
        self.options = options

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

        timeout: seconds for all attempts together. Raises what `translate_rpc_error` makes of
        the last failure.
        """
        call = _Call(method, request, action=action, timeout=timeout, transaction_id=transaction_id)
        step = Operation(name=method.name, is_step=True, transaction_id=transaction_id)
        with watched(self.options.observer, step):
            try:
                return await self._until_answered(call, method)
            finally:
                step.peer = call.peer_name

    async def _until_answered(self, call: _Call, method: Method) -> Any:
        before_next = pauses(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            try:
                return await call.try_each(self.peers)
            except GatewayError as error:
                if not _may_be_asked_again(error, method):
                    raise
                over = error.code is grpc.StatusCode.DEADLINE_EXCEEDED  # the turn
                pause = 0.0 if over else next(before_next)
                # As much again is left for the attempt: what it says is worth more than "too late".
                if 2 * pause >= call.remaining():
                    raise
            await _aio.sleep(pause)


_NOT_ON_CHANNEL = "response from orderer: status=BAD_REQUEST, info=channel does not exist"


class _Call:
    """One call under way."""

    def __init__(
        self, method: Method, request: Any, *, action: str, timeout: float, transaction_id: str
    ) -> None:
        self._method = method
        self._request = request
        self._action = action
        self._timeout = timeout
        self._transaction_id = transaction_id
        self._end = time.monotonic() + timeout
        self.peer_name: str | None = None
        """The last one tried; None at first."""

    def remaining(self) -> float:
        """Seconds, never below 0."""
        return max(self._end - time.monotonic(), 0.0)

    async def try_each(self, peers: AsyncPeers) -> Any:
        """Each peer once, in order, until one gives an answer that is worth having."""
        order = peers.in_order()
        failure: GatewayError | None = None
        refused: list[AsyncPeer] = []
        while True:
            peer = order.pop(0)
            self.peer_name = peer.name
            try:
                answer = await self._try(peer)
            except GatewayError as error:
                # What a peer said tells more than that another one is not there.
                if failure is None or not isinstance(error, ConnectionFailedError):
                    failure = error
                if error.code in _LOST:
                    peers.failed(peer)
                else:
                    refused.append(peer)
                if not order or not self.remaining() or not self._may_go_elsewhere(error):
                    raise failure from failure.__cause__
            else:
                peer.succeeded()
                for other in refused:  # it is known only now that the request was all right
                    peers.failed(other)
                return answer

    async def _try(self, peer: AsyncPeer) -> Any:
        waits = self._method.waits
        permits = peer.wait_permits if waits else peer.call_permits
        if not await permits.acquire(self.remaining()):
            raise own_limit_error(
                action=self._action,
                limit=permits.count,
                address=peer.address,
                transaction_id=self._transaction_id,
            )
        try:
            answer = await _aio.call(
                peer,
                self._method,
                self._request,
                attempt=min(self.remaining(), _TURN) if waits else self.remaining(),
                action=self._action,
                timeout=self._timeout,
                transaction_id=self._transaction_id,
            )
        finally:
            permits.release()
        if answer is None or not self._method.is_usable(answer):
            raise unusable_answer_error(
                self._method.error_type,
                action=self._action,
                address=peer.address,
                msp_id=peer.msp_id,
                transaction_id=self._transaction_id,
            )
        return answer

    def _may_go_elsewhere(self, error: GatewayError) -> bool:
        if isinstance(error, ConnectionFailedError):
            return not _is_closed(error)
        return self._method.repeatable and error.code in _ELSEWHERE


def _may_be_asked_again(error: GatewayError, method: Method) -> bool:
    if isinstance(error, RequestLimitError):
        return True  # turned away unread
    if isinstance(error, SubmitError) and _NOT_ON_CHANNEL in str(error):
        # An orderer that is only just coming or going. Peers pick one by chance, and one that was
        # started since it joined never hears that the channel's list of orderers has changed.
        return True
    return method.waits and error.code in _NO_ANSWER_YET and not _is_closed(error)


def _is_closed(error: GatewayError) -> bool:
    """Whether the gateway was closed before the call was begun."""
    return isinstance(error, ConnectionFailedError) and error.code is grpc.StatusCode.CANCELLED
