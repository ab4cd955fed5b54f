"""Both forms of the client for the same tests: the synchronous one, awaited.

`InThreads` shows a synchronous object as if it were its asynchronous original; what blocks runs in
a thread, so that the server of the test can run in its event loop.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from medfab_gateway import AsyncGateway, Endpoint, Gateway

Connect = Callable[..., AsyncGateway]
"""As `AsyncGateway.connect`."""


class InThreads:
    def __init__(self, target: Any, original: type) -> None:
        self._target = target
        self._original = original

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return as_async(value)
        if inspect.iscoroutinefunction(getattr(self._original, name)):

            async def in_thread(*args: Any, **kwargs: Any) -> Any:
                return as_async(await asyncio.to_thread(value, *args, **kwargs))

            return in_thread
        return lambda *args, **kwargs: as_async(value(*args, **kwargs))

    def __repr__(self) -> str:
        return repr(self._target)

    async def __aenter__(self) -> InThreads:
        return InThreads(self._target.__enter__(), self._original)

    async def __aexit__(self, *exception: Any) -> None:
        await asyncio.to_thread(self._target.__exit__, *exception)

    def __aiter__(self) -> InThreads:
        assert iter(self._target) is self._target
        return self

    async def __anext__(self) -> Any:
        end = object()  # a StopIteration cannot leave a thread's future
        item = await asyncio.to_thread(next, self._target, end)
        if item is end:
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        self._target.close()


def as_async(value: Any) -> Any:
    """An object of the client as its asynchronous original; anything else as it is."""
    original = _originals().get(type(value))
    return value if original is None else InThreads(value, original)


@functools.cache
def _originals() -> dict[type, type]:
    import medfab_gateway

    names = [name.removeprefix("Async") for name in medfab_gateway.__all__ if name[:5] == "Async"]
    return {getattr(medfab_gateway, n): getattr(medfab_gateway, "Async" + n) for n in names}


def connect_blocking(endpoint: Endpoint | Any, *args: Any, **kwargs: Any) -> Any:
    return as_async(Gateway.connect(endpoint, *args, **kwargs))


only_async = pytest.mark.parametrize("connect", ["async"], indirect=True)
"""For tests of what has no synchronous form: the cancelling of tasks."""

FORMS = {"async": AsyncGateway.connect, "blocking": connect_blocking}
