"""What the tests of `pharma` share: a founded supply chain in memory, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pharma_world import Chain, InMemory, Refused, found, ledger

_master_data: dict[str, bytes] = {}


@pytest.fixture
async def channel() -> InMemory:
    """A channel with its master data, which is made once."""
    if not _master_data:
        first = InMemory()
        await found(first)
        _master_data.update(first.ledger.state())
    return InMemory(ledger=ledger(_master_data))


@pytest.fixture
def chain(channel: InMemory) -> Chain:
    """Calls on it."""
    return Chain(channel)


@contextmanager
def refused(code: str, *words: str) -> Iterator[None]:
    """The call inside is refused with this code, and in these words."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.code == code, caught.value
    for word in words:
        assert word in caught.value.message
