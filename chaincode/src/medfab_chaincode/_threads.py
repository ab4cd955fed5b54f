"""Contract functions that are a plain `def`: each call has a thread of its own.

Not a pool's thread: a function that calls another chaincode waits for a transaction of the same
process, which would wait for a free thread in turn. The threads are daemons: one that hangs does
not keep the process from ending.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_END: Any = object()


class _Thread(threading.local):
    loop: asyncio.AbstractEventLoop | None = None
    """Where the caller of `run_in_thread` runs; None in other threads."""


_thread = _Thread()


async def run_in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call `function` in a new thread, with this task's context variables.

    If the caller is cancelled the thread goes on; what it then asks of the peer fails.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def settle(result: Any, failure: BaseException | None) -> None:
        if not done.done():
            done.set_result((result, failure))

    def run() -> None:
        _thread.loop = loop
        result, failure = None, None
        try:
            result = function(*arguments)
        except BaseException as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), daemon=True).start()
    result, failure = await done
    if failure is not None:
        raise failure
    return result


def wait_in_thread(awaitable: Awaitable[T]) -> T:
    """Wait, in a thread of `run_in_thread`, for what only the event loop can do.

    Raises `RuntimeError` anywhere else.
    """
    if _thread.loop is None:
        raise RuntimeError("only a plain `def` waits like this; an `async def` uses `await`")

    async def resolve() -> T:
        return await awaitable

    return asyncio.run_coroutine_threadsafe(resolve(), _thread.loop).result()


def iterate_in_thread(items: AsyncIterator[T]) -> Iterator[T]:
    """Iterate like ``async for``, in a thread of `run_in_thread`."""
    while (item := wait_in_thread(anext(items, _END))) is not _END:
        yield item
