"""Submitting again what lost a race."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence

from medfab_gateway._contract_async import AsyncContract
from medfab_gateway.errors import CommitError

_ATTEMPTS = 6
_FIRST_PAUSE = 0.05  # seconds; doubled each time
_CONFLICTS = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})


async def submit_with_retry(
    contract: AsyncContract,
    name: str,
    *args: str,
    transient: Mapping[str, bytes] | None = None,
    endorsing_organizations: Sequence[str] | None = None,
) -> bytes:
    """Submit, and again as a new proposal where a concurrent transaction changed what was read.

    An invalid transaction has changed nothing, so repeating it is safe for any function.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await contract.submit(
                name,
                *args,
                transient=transient,
                endorsing_organizations=endorsing_organizations,
            )
        except CommitError as error:
            if error.code not in _CONFLICTS or attempt == _ATTEMPTS:
                raise
        # Jitter only keeps rivals apart; nothing rests on its being unpredictable.
        await asyncio.sleep(_FIRST_PAUSE * 2**attempt * random.random())  # noqa: S311
    raise AssertionError("unreachable")
