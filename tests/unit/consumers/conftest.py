"""Both databases, for the tests of consumers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medfab_gateway.consumers import PostgresStore, SqliteStore, Store
from postgres import Postgres, postgres_server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Stores of one database that is empty at first, as of several processes."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "consumer.sqlite")
    server = request.getfixturevalue("postgres")
    schema = f"test_{secrets.token_hex(6)}"
    return lambda: PostgresStore(server.address, schema=schema)


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Iterator[Store]:
    store = make_store()
    yield store
    store.close()
