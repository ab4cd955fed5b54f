"""gRPC and waiting, blocking the calling thread: what the synchronous twin builds on.

The names are those of `_aio.py`, which says why. Calls run on gRPC's own blocking form; there is
no event loop behind it. Everything here may be used by several threads at a time, except that one
thread alone reads a stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

import grpc

from medfab_gateway._method import Called, Method
from medfab_gateway._rpc_errors import already_closed_error, closed_error, translate_rpc_error
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import GatewayError
from medfab_gateway.identity import Signer

Item = TypeVar("Item")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

Channel = grpc.Channel
sleep = time.sleep


def in_background(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """`function`, at once: here is no event loop to be held up."""
    return function(*args, **kwargs)


def open_channel(endpoint: Endpoint) -> Channel:
    return endpoint.open_blocking_channel()


def sign(signer: Signer, digest: bytes) -> bytes:
    """The signature over `digest`."""
    return signer(digest)


def call(
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

    attempt: seconds for this one; timeout: those of the call of which it is a part.
    """
    error_type = method.error_type
    try:
        return method.of(peer)(request, timeout=attempt)
    except grpc.RpcError as error:
        if _was_closed(error):
            raise closed_error(error_type, action=action, transaction_id=transaction_id) from error
        raise translate_rpc_error(
            error,
            error_type,
            action=action,
            address=peer.address,
            msp_id=peer.msp_id,
            timeout=timeout,
            transaction_id=transaction_id,
        ) from error
    except ValueError as error:
        if not _refuses_calls(error):
            raise
        raise already_closed_error(action=action, transaction_id=transaction_id) from error


class Permits:
    """At most `count` at a time."""

    def __init__(self, count: int) -> None:
        self.count = count
        # Not a `threading.Semaphore`: that is written in Python, this in C.
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(count):
            self._free.put(None)

    def acquire(self, timeout: float) -> bool:
        """Waits for a permit; False where `timeout` seconds have passed without."""
        try:
            self._free.get(timeout=timeout)
        except Empty:
            return False
        return True

    def release(self) -> None:
        self._free.put(None)


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
        except ValueError as error:
            if not _refuses_calls(error):
                raise
            raise already_closed_error(action=action) from error

    def read(self) -> Any:
        """The next message; None after the last one, and after `cancel()`."""
        try:
            return next(self._call, None)
        except grpc.RpcError as error:
            if self._cancelled:
                return None
            if _was_closed(error):
                raise closed_error(self._error_type, action=self._action) from error
            raise translate_rpc_error(
                error,
                self._error_type,
                action=self._action,
                address=self._peer.address,
                msp_id=self._peer.msp_id,
                timeout=self._timeout,
            ) from error

    def cancel(self) -> None:
        """Ends the stream at the peer, and the `read()` that waits. Harmless afterwards."""
        self._cancelled = True
        self._call.cancel()


def for_each(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    at_once: int,
    done: Callable[[Result], None],
) -> None:
    """Call `function` with every item, some `at_once`, and `done` with each result as it comes.

    `function` is called in threads, `done` in the caller's. The first failure is raised as it is,
    once the calls under way have ended; no further ones are begun.
    """
    with ThreadPoolExecutor(at_once, thread_name_prefix="medfab") as executor:
        calls = [executor.submit(function, item) for item in items]
        try:
            for call in as_completed(calls):
                done(call.result())
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


# gRPC's own words (grpc/_channel.py, and its Cython part): they alone tell the end of a channel
# from a cancellation by the peer, and a closed channel from a wrong argument.


def _was_closed(error: grpc.RpcError) -> bool:
    code, text = error.code(), error.details() or ""
    return code is grpc.StatusCode.CANCELLED and "Channel closed!" in text


def _refuses_calls(error: ValueError) -> bool:
    return str(error).startswith("Cannot invoke RPC")
