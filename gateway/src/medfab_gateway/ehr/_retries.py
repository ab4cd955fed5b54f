"""What the clients of `ehr` try again.

A commit is waited for at the caller's own peer; other organisations' peers commit the same block
some milliseconds sooner or later. Until then they endorse from an older state: their answers do
not match, or they do not know yet what was registered or granted a moment ago. Such a proposal has
changed nothing, and a little later it is right.
"""

from __future__ import annotations

from medfab_gateway._retry_options import RetryOptions

SUBMIT = RetryOptions(
    chaincode_codes=frozenset({"DATA_UNAVAILABLE", "NOT_FOUND", "NOT_REGISTERED"}),
    different_answers=True,
)
"""For every transaction: an invalid one has changed nothing, so repeating it is safe."""

READ_JUST_PERMITTED = RetryOptions(chaincode_codes=frozenset({"NOT_PERMITTED"}))
"""For reading with a permit that was just given: it may not have reached the holder's peer."""
