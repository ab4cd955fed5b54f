# Made by scripts/make_sync.py from _retry_async.py: change that, and run it.
"""Doing again what came to nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from medfab_gateway import _blocking
from medfab_gateway._backoff import pauses
from medfab_gateway._deadline import Deadline
from medfab_gateway._retry_options import RetryOptions
from medfab_gateway.errors import MedfabError

Result = TypeVar("Result")


def with_retry(
    attempt: Callable[[], Result], retry: RetryOptions | None, deadline: Deadline
) -> Result:
    """What `attempt` gives, as soon as it gives anything; None: one attempt."""
    if retry is None:
        return attempt()
    for pause in islice(pauses(retry.first_pause, retry.longest_pause), retry.attempts - 1):
        try:
            return attempt()
        except MedfabError as error:
            if not retry.covers(error) or deadline.comes_within(pause):
                raise
        _blocking.sleep(pause)
    return attempt()
