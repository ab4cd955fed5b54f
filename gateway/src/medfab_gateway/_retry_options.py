"""When to do again what came to nothing."""

from __future__ import annotations

from dataclasses import dataclass

from medfab_gateway.errors import CommitError, EndorseError, EvaluateError, MedfabError

# The words of a gateway peer: fabric/internal/pkg/gateway/endorsement.go.
_DIFFERENT_ANSWERS = "ProposalResponsePayloads do not match"


@dataclass(frozen=True, kw_only=True)
class RetryOptions:
    """What to repeat, as a new proposal with a new transaction id, and how often.

        await contract.submit("MoveAsset", "asset-1", "ward-3", retry=RetryOptions())

    Only what certainly changed nothing is repeated. The pauses count against the call's
    `timeout`. Raises `ValueError` for settings that make no sense.
    """

    attempts: int = 6
    """How many, the first included."""

    first_pause: float = 0.05
    """Seconds before the second attempt; doubled each time, with jitter. The defaults are about a
    second in all."""

    longest_pause: float = 2.0
    """Seconds; no pause is longer."""

    validation_codes: frozenset[str] = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})
    """A transaction that is invalid for one of these reasons is repeated: another one changed
    first what it had read."""

    chaincode_codes: frozenset[str] = frozenset()
    """The contract's own codes after which it is asked again: what it refuses because its peer
    has not got the newest block yet."""

    different_answers: bool = False
    """Whether to ask again where endorsers answered differently: their peers commit the same block
    some milliseconds apart. A contract that is not deterministic fails so every time."""

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first_pause < 0 or self.longest_pause < self.first_pause:
            raise ValueError("attempts is 1 or more, and 0 <= first_pause <= longest_pause.")

    def covers(self, error: MedfabError) -> bool:
        """Whether to repeat after `error`."""
        if isinstance(error, CommitError):
            return error.code in self.validation_codes
        if not isinstance(error, EndorseError | EvaluateError):
            return False
        if error.chaincode is not None and error.chaincode.code in self.chaincode_codes:
            return True
        return self.different_answers and any(
            _DIFFERENT_ANSWERS in detail.message for detail in error.details
        )
