"""Several calls at once, on asyncio and in threads: the same promises."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from medfab_gateway import _aio, _blocking


class Work:
    """Counts what runs; item 2 fails, if it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.begun: list[int] = []
        self.running = self.most = 0
        self._lock = threading.Lock()

    def begin(self, item: int) -> None:
        with self._lock:
            self.begun.append(item)
            self.running += 1
            self.most = max(self.most, self.running)

    def end(self, item: int) -> int:
        with self._lock:
            self.running -= 1
        if self.fails and item == 2:
            raise LookupError(item)
        return item

    async def asynchronous(self, item: int) -> int:
        self.begin(item)
        await asyncio.sleep(0.01)
        return self.end(item)

    def blocking(self, item: int) -> int:
        self.begin(item)
        time.sleep(0.01)
        return self.end(item)

    async def run(self, form: str, count: int) -> list[int]:
        done: list[int] = []
        if form == "async":
            await _aio.for_each(self.asynchronous, range(count), at_once=3, done=done.append)
            return done
        caller: list[int] = []

        def note(item: int) -> None:
            caller.append(threading.get_ident())
            done.append(item)

        def call() -> int:
            _blocking.for_each(self.blocking, range(count), at_once=3, done=note)
            return threading.get_ident()

        assert {await asyncio.to_thread(call)} >= {*caller}  # `done` needs no lock
        return done


@pytest.mark.parametrize("form", ["async", "blocking"])
@pytest.mark.parametrize("count", [0, 1, 10])
async def test_every_item_once_and_never_more_at_once(form: str, count: int) -> None:
    work = Work()
    assert sorted(await work.run(form, count)) == [*range(count)]
    assert work.begun == [*range(count)]
    assert work.most == min(count, 3)


@pytest.mark.parametrize("form", ["async", "blocking"])
async def test_the_first_failure_comes_as_it_is_and_ends_the_rest(form: str) -> None:
    work = Work(fails=True)
    with pytest.raises(LookupError):
        await work.run(form, 100)
    assert len(work.begun) < 20
    if form == "blocking":
        assert work.running == 0  # those under way have ended
