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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["__init__", "close"])
def test_a_signal_while_a_loop_is_made_or_taken_down(
    monkeypatch: pytest.MonkeyPatch, moment: str, number: signal.Signals
) -> None:
    """The program ends all the same, and no half of a loop is left to complain."""
    real = getattr(asyncio.SelectorEventLoop, moment)

    def interrupted(loop: asyncio.SelectorEventLoop) -> None:
        signal.raise_signal(number)
        real(loop)
        signal.raise_signal(number)

    async def work() -> None:
        events.append("began")
        await asyncio.sleep(0)
        events.append("went on")

    events: list[str] = []
    unraised: list[object] = []
    before = signal.getsignal(number)
    monkeypatch.setattr(asyncio.SelectorEventLoop, moment, interrupted)
    monkeypatch.setattr("sys.unraisablehook", unraised.append)
    with pytest.raises(KeyboardInterrupt):
        run(work)
    gc.collect()
    assert events == (["began"] if moment == "__init__" else ["began", "went on"])
    assert unraised == []
    assert signal.getsignal(number) is before


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
