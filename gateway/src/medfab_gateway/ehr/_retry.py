# Made by scripts/make_sync.py from _retry_async.py: change that, and run it.
"""Calling again what lost a race.

A commit is waited for at the caller's own peer; other organisations' peers commit the same block
some milliseconds sooner or later. Until then they endorse from an older state: their answers do
not match, or they do not know yet what was registered or granted a moment ago. Such a proposal has
changed nothing, and a little later it is right.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from medfab_gateway import _blocking
from medfab_gateway._contract import Contract
from medfab_gateway.errors import CommitError, EndorseError, EvaluateError

_ATTEMPTS = 6
_FIRST_PAUSE = 0.05  # seconds; doubled each time, so about a second and a half in all

_CONFLICTS = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})
_BEHIND = frozenset({"DATA_UNAVAILABLE", "NOT_FOUND", "NOT_REGISTERED"})

# The words of a gateway peer: fabric/internal/pkg/gateway/endorsement.go.
_DIFFERENT_ANSWERS = "ProposalResponsePayloads do not match"


def submit_with_retry(
    contract: Contract,
    name: str,
    *args: str,
    transient: Mapping[str, bytes] | None = None,
    endorsing_organizations: Sequence[str] | None = None,
) -> bytes:
    """Submit, and again as a new proposal where peers are behind or a rival came first.

    An invalid transaction has changed nothing, so repeating it is safe for any function.
    """

    def submit() -> bytes:
        return contract.submit(
            name, *args, transient=transient, endorsing_organizations=endorsing_organizations
        )

    return _repeat(submit, _is_transient)


def evaluate_with_retry(
    contract: Contract,
    name: str,
    *args: str,
    target_organizations: Sequence[str],
    behind: frozenset[str],
) -> bytes:
    """Evaluate, and again where the contract refuses with one of the codes ``behind``."""

    def evaluate() -> bytes:
        return contract.evaluate(name, *args, target_organizations=target_organizations)

    def is_behind(error: Exception) -> bool:
        return isinstance(error, EvaluateError) and _refusal(error) in behind

    return _repeat(evaluate, is_behind)


def _repeat(call: Callable[[], bytes], is_transient: Callable[[Exception], bool]) -> bytes:
    pause = _FIRST_PAUSE
    for _ in range(_ATTEMPTS - 1):
        try:
            return call()
        except Exception as error:
            if not is_transient(error):
                raise
        # Jitter only keeps rivals apart; nothing rests on its being unpredictable.
        _blocking.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311
        pause *= 2
    return call()


def _is_transient(error: Exception) -> bool:
    if isinstance(error, CommitError):
        return error.code in _CONFLICTS
    if isinstance(error, EndorseError):
        return _refusal(error) in _BEHIND or any(
            _DIFFERENT_ANSWERS in detail.message for detail in error.details
        )
    return False


def _refusal(error: EndorseError | EvaluateError) -> str | None:
    return error.chaincode.code if error.chaincode is not None else None
