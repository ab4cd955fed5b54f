"""A new database that several open at the same moment: standbys and consumers start together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from medfab_gateway.consumers import SqliteStore, Store

AT_ONCE = 4


def open_at_once(make_store: Callable[[], Store]) -> None:
    together = threading.Barrier(AT_ONCE)

    def use() -> None:
        store = make_store()
        together.wait()
        store.open()
        assert not store.has_table("medfab_consumers")
        store.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for done in [threads.submit(use) for _ in range(AT_ONCE)]:
            done.result()


def test_a_new_database_can_be_opened_by_several_at_once(make_store: Callable[[], Store]) -> None:
    open_at_once(make_store)


@pytest.mark.parametrize("number", range(50))
def test_a_new_file_can_be_opened_by_several_at_once(tmp_path: Path, number: int) -> None:
    """SQLite's own waiting leaves out the change to its write-ahead log."""
    open_at_once(lambda: SqliteStore(tmp_path / "consumer.sqlite"))
