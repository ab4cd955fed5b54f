"""Running coroutines at once, so that none outlives an error."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable


async def together(coroutines: Iterable[Coroutine[None, None, None]]) -> None:
    """Run all at once; the first error ends the others and is raised as itself."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
