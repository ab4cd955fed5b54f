"""Running a coroutine from a command, with Ctrl-C and SIGTERM ending it in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """`asyncio.run`, where SIGTERM cancels as Ctrl-C does; `KeyboardInterrupt` afterwards."""

    async def main() -> _T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            with contextlib.suppress(NotImplementedError):  # not on Windows
                loop.add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            return await coroutine
        except asyncio.CancelledError as error:
            raise KeyboardInterrupt from error

    return asyncio.run(main())
