"""Commands that run a coroutine, and the signals that end them."""

from __future__ import annotations

import asyncio
import gc
import signal
import warnings

import pytest

from medfab_gateway.cli import run


async def forever(events: list[str]) -> None:
    events.append("began")
    try:
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()
    finally:
        events.append("cleaned up")


def test_a_signal_cancels_the_coroutine() -> None:
    events: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(lambda: forever(events))
    assert events == ["began", "cleaned up"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_before_the_loop_runs_leaves_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupted)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(KeyboardInterrupt):
            run(lambda: forever([]))
        gc.collect()
    assert caught == []
