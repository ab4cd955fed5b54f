"""Random operations by random parties: the contract against a small model of its own.

``PHARMA_STEPS=2000`` takes longer walks.
"""

from __future__ import annotations

import asyncio
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pharma_model import Model, Walk
from pharma_world import MAKER, RIVAL, TRADERS, InMemory, found

STEPS = int(os.environ.get("PHARMA_STEPS", "40"))
WALKS = int(os.environ.get("PHARMA_WALKS", "5"))


@settings(
    max_examples=WALKS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(1, 2**24))
def test_random_operations_agree_with_the_model(seed: int) -> None:
    async def walk() -> None:
        channel = InMemory()
        await found(channel)
        model = Model(makers=(MAKER, RIVAL), traders=TRADERS)
        random_walk = Walk(channel, model, seed)
        for _ in range(STEPS):
            await random_walk.step()
            await random_walk.compare()
        if os.environ.get("PHARMA_STEPS"):
            print(dict(sorted(model.outcomes.items())))

    asyncio.run(walk())
