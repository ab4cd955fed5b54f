"""What the parts of one gateway share: the connection, the identity, and the way to call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio
from fabric_protos.gateway import gateway_pb2_grpc

from medfab_gateway._options import GatewayOptions
from medfab_gateway._rpc_errors import closed_error, task_is_cancelled, translate_rpc_error
from medfab_gateway.errors import GatewayError, SigningError
from medfab_gateway.identity import Hash, Identity, Signer


class Client:
    """One channel and one caller. Private; `AsyncGateway` is the door."""

    def __init__(
        self,
        *,
        channel: grpc.aio.Channel,
        address: str | None,
        tls_certificate_hash: bytes | None,
        identity: Identity,
        signer: Signer | None,
        hash: Hash,
        options: GatewayOptions,
    ) -> None:
        self.channel = channel
        self.address = address
        self.tls_certificate_hash = tls_certificate_hash
        self.identity = identity
        self.options = options
        self.gateway: Any = gateway_pb2_grpc.GatewayStub(channel)
        self._signer = signer
        self._hash = hash

    @property
    def can_sign(self) -> bool:
        return self._signer is not None

    def digest(self, message: bytes) -> bytes:
        """What a signer is given for `message`."""
        return self._hash.digest(message)

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`. Raises `SigningError` where there is no signer."""
        if self._signer is None:
            raise SigningError(
                "This gateway has no signer: connect with signer=private_key_signer(key)."
            )
        return self._signer(self._hash.digest(message))

    async def call(
        self,
        method: Callable[..., Awaitable[Any]],
        request: Any,
        error_type: type[GatewayError],
        *,
        action: str,
        timeout: float,
        transaction_id: str,
    ) -> Any:
        """The answer to one request; failures as `translate_rpc_error` makes them."""
        try:
            return await method(request, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise translate_rpc_error(
                error,
                error_type,
                action=action,
                address=self.address,
                timeout=timeout,
                transaction_id=transaction_id,
            ) from error
        except asyncio.CancelledError as error:
            if task_is_cancelled():
                raise
            raise closed_error(error_type, action=action, transaction_id=transaction_id) from error
