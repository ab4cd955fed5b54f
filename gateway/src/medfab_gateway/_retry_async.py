"""Doing again what came to nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import islice
from typing import TypeVar

from medfab_gateway import _aio
from medfab_gateway._backoff import pauses
from medfab_gateway._deadline import Deadline
from medfab_gateway._retry_options import RetryOptions
from medfab_gateway.errors import MedfabError

Result = TypeVar("Result")


async def with_retry(
    attempt: Callable[[], Awaitable[Result]], retry: RetryOptions | None, deadline: Deadline
) -> Result:
    """What `attempt` gives, as soon as it gives anything; None: one attempt."""
    if retry is None:
        return await attempt()
    for pause in islice(pauses(retry.first_pause, retry.longest_pause), retry.attempts - 1):
        try:
            return await attempt()
        except MedfabError as error:
            if not retry.covers(error) or deadline.comes_within(pause):
                raise
        await _aio.sleep(pause)
    return await attempt()
