"""What the pharma clients try again.

A commit is waited for at the caller's own peer; the authority's commits the same block some
milliseconds sooner or later. Until then it endorses from an older state: it does not know yet what
was commissioned or received a moment ago. Such a proposal has changed nothing.
"""

from __future__ import annotations

from medfab_gateway._retry_options import RetryOptions

SUBMIT = RetryOptions(
    # The last: a key's own policy changed in the same block, before this transaction.
    validation_codes=frozenset(
        {"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT", "ENDORSEMENT_POLICY_FAILURE"}
    ),
    chaincode_codes=frozenset({"NOT_ESTABLISHED", "NOT_FOUND", "NOT_HOLDER", "NOT_PARTNER"}),
    different_answers=True,
)
"""For every transaction: an invalid one has changed nothing, so repeating it is safe."""
