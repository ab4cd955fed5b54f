# Made by scripts/make_sync.py from _outcome_async.py: change that, and run it.
"""From an endorsed transaction to what became of it."""

from __future__ import annotations

from medfab_gateway._commit import Commit
from medfab_gateway._deadline import Deadline
from medfab_gateway._transaction import Transaction
from medfab_gateway.errors import (
    CommitError,
    CommitStatusError,
    GatewayError,
    OutcomeUnknownError,
)


def submit_and_wait(transaction: Transaction, deadline: Deadline) -> None:
    """Submits, and returns once the transaction is in the ledger.

    Where the answer to the submission is lost, the outcome is asked for: the transaction is
    never endorsed or sent a second time. Raises `SubmitError`, `OutcomeUnknownError`,
    `CommitError`; and `ConnectionFailedError`, `RequestLimitError` where nothing was sent.
    """
    try:
        commit = transaction.submit(timeout=deadline.remaining())
    except OutcomeUnknownError:
        if deadline.comes_within(0):
            raise
        commit = transaction.commit()
    _wait(commit, transaction.result, deadline)


def _wait(commit: Commit, result: bytes, deadline: Deadline) -> None:
    try:
        status = commit.status(timeout=deadline.remaining())
    except CommitStatusError as error:
        error.result = result
        raise
    except GatewayError as error:
        # By itself it promises that nothing happened, but the transaction is submitted.
        happened, _, _ = str(error).partition("\n")
        raise CommitStatusError(
            f"{happened}\nThe transaction has been submitted; its outcome is not known yet: ask "
            f"network.commit({commit.transaction_id!r}).status() again.",
            code=error.code,
            address=error.address,
            msp_id=error.msp_id,
            transaction_id=commit.transaction_id,
            result=result,
        ) from error
    if not status.successful:
        raise CommitError(
            code=status.code,
            transaction_id=status.transaction_id,
            block_number=status.block_number,
            result=result,
        )
