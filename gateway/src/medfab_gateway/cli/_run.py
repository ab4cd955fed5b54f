"""Running coroutines from a command: Ctrl-C, SIGTERM and SIGHUP end them in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, TypeVar

_T = TypeVar("_T")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_on_termination() -> None:
    """Let SIGTERM and SIGHUP (the terminal was closed) raise `KeyboardInterrupt`, as Ctrl-C does.

    Signals that the caller ignores stay ignored (`nohup`).
    """
    for number in _heeded():
        signal.signal(number, _interrupt)


def run(function: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Like `asyncio.run(function())`; a signal cancels it, then raises `KeyboardInterrupt`.

    A second signal cancels it once more: what cleans up decides what that means. (With asyncio's
    own handling, a second Ctrl-C tears down the loop under the cleaning up.)
    """
    before = {number: signal.getsignal(number) for number in _heeded()}
    noted: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        """While a loop is made or taken down: an exception in the middle would leave half a one."""
        noted.append(number)

    async def main() -> _T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            for number in before:
                loop.add_signal_handler(number, task.cancel)
            if noted:
                noted.clear()
                task.cancel()
        try:
            return await function()
        except asyncio.CancelledError as error:
            raise KeyboardInterrupt from error
        finally:
            for number in before:
                loop.remove_signal_handler(number)
                signal.signal(number, note)

    for number in before:
        signal.signal(number, note)
    running = main()
    try:
        return asyncio.run(running)
    finally:
        running.close()  # where the loop never began: Python warns of coroutines that never ran
        for number, handler in before.items():
            signal.signal(number, handler)
        if noted:
            raise KeyboardInterrupt


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals are ignored for the length of the block, which must be short."""
    before = {number: signal.getsignal(number) for number in _heeded()}
    for number in before:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heeded() -> list[signal.Signals]:
    return [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
