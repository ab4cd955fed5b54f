"""gRPC and waiting, on asyncio: what `*_async.py` builds on.

`_blocking.py` has the same names for the synchronous twin that scripts/make_sync.py generates.
Whatever differs for real between the two is in this pair, and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

import grpc.aio

from medfab_gateway._method import Called, Method
from medfab_gateway._rpc_errors import (
    already_closed_error,
    closed_error,
    task_is_cancelled,
    translate_rpc_error,
    unusable_answer_error,
)
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import GatewayError
from medfab_gateway.identity import Signer, WaitingSigner

Item = TypeVar("Item")
Result = TypeVar("Result")

Channel = grpc.aio.Channel
sleep = asyncio.sleep
in_background = asyncio.to_thread  # for what would hold up the event loop


def open_channel(endpoint: Endpoint) -> Channel:
    return endpoint.open_channel()


async def sign(signer: Signer, digest: bytes) -> bytes:
    """The signature over `digest`; a signer that waits does so in a thread of its own."""
    if isinstance(signer, WaitingSigner):
        return await in_background(signer, digest)
    return signer(digest)


async def call(
    peer: Called,
    method: Method,
    request: Any,
    *,
    attempt: float,
    action: str,
    timeout: float,
    transaction_id: str,
) -> Any:
    """The answer of one peer to one request; failures as `translate_rpc_error` makes them.

    None is what gRPC's asyncio form gives for an answer that it cannot read.

    attempt: seconds for this one; timeout: those of the call of which it is a part.
    """
    error_type = method.error_type
    try:
        return await method.of(peer)(request, timeout=attempt)
    except grpc.aio.AioRpcError as error:
        raise translate_rpc_error(
            error,
            error_type,
            action=action,
            address=peer.address,
            msp_id=peer.msp_id,
            timeout=timeout,
            transaction_id=transaction_id,
        ) from error
    except grpc.aio.UsageError as error:
        raise already_closed_error(action=action, transaction_id=transaction_id) from error
    except asyncio.CancelledError as error:
        if task_is_cancelled():
            raise
        raise closed_error(error_type, action=action, transaction_id=transaction_id) from error


class Permits:
    """At most `count` at a time; who comes first is served first."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._semaphore = asyncio.Semaphore(count)

    async def acquire(self, timeout: float) -> bool:
        """Waits for a permit; False where `timeout` seconds have passed without."""
        if not self._semaphore.locked():
            return await self._semaphore.acquire()  # at once, and no timer for it
        try:
            async with asyncio.timeout(timeout):
                return await self._semaphore.acquire()
        except TimeoutError:
            return False

    def release(self) -> None:
        self._semaphore.release()


class Stream:
    """One request that is answered by many messages."""

    def __init__(
        self,
        peer: Called,
        method: Callable[..., Any],
        request: Any,
        error_type: type[GatewayError],
        *,
        action: str,
        timeout: float | None = None,
    ) -> None:
        """request: an iterator of one, where the method takes a stream itself.

        timeout: seconds for the whole stream; None: it may go on for ever.
        """
        self._peer = peer
        self._error_type = error_type
        self._action = action
        self._timeout = timeout
        self._cancelled = False
        try:
            self._call = method(request, timeout=timeout)
        except grpc.aio.UsageError as error:
            raise already_closed_error(action=action) from error

    async def read(self) -> Any:
        """The next message; None after the last one, and after `cancel()`."""
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise translate_rpc_error(
                error,
                self._error_type,
                action=self._action,
                address=self._peer.address,
                msp_id=self._peer.msp_id,
                timeout=self._timeout,
            ) from error
        except asyncio.CancelledError as error:
            if task_is_cancelled():
                raise
            if self._cancelled:
                return None
            raise closed_error(self._error_type, action=self._action) from error
        if response is None:  # gRPC's asyncio form could not read it
            raise unusable_answer_error(
                self._error_type,
                action=self._action,
                address=self._peer.address,
                msp_id=self._peer.msp_id,
            )
        return None if response is grpc.aio.EOF else response

    def cancel(self) -> None:
        """Ends the stream at the peer, and the `read()` that waits. Harmless afterwards."""
        self._cancelled = True
        with suppress(RuntimeError):  # the event loop may be closed by now
            self._call.cancel()


async def for_each(
    function: Callable[[Item], Awaitable[Result]],
    items: Iterable[Item],
    *,
    at_once: int,
    done: Callable[[Result], None],
) -> None:
    """Call `function` with every item, some `at_once`, and `done` with each result as it comes.

    The first failure cancels the calls under way and is raised as it is.
    """
    remaining = iter(items)

    async def work() -> None:
        for item in remaining:
            done(await function(item))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except* Exception as failures:
        # The first: callers branch on the error of a transaction, not on a group.
        raise failures.exceptions[0] from None
