"""What the tests of `pharma` share: a founded supply chain in memory, and what is refused."""

from __future__ import annotations

import pytest

from pharma_world import Chain, InMemory, found, ledger, refused

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


__all__ = ["chain", "channel", "refused"]
