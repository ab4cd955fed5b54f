"""What a client of a real gateway would get to know, in the same shape.

::

    ChaincodeError
    └── LedgerError              a call failed: gRPC code, and what each peer said
        ├── EndorseError         nothing was submitted
        │   └── NondeterminismError  the endorsers' answers differ
        ├── EvaluateError
        ├── CommitError          in a block, but invalid: the transaction changed nothing
        └── PeerCrashError       real peers would not survive the block
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from medfab_chaincode.errors import ChaincodeError


@dataclass(frozen=True, kw_only=True)
class ChaincodeFailure:
    """The answer of a contract that refused, or failed."""

    status: int
    """400…499: the contract refused the request. 500 and above: it failed."""
    code: str | None
    """The contract's own code; None where the answer is not of the form `{"code", "message"}`."""
    message: str

    @classmethod
    def parse(cls, status: int, answer: str) -> "ChaincodeFailure":
        """Read the message of a response."""
        try:
            body = json.loads(answer)
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("code"), str):
            return cls(status=status, code=None, message=answer)
        return cls(status=status, code=body["code"], message=str(body.get("message", "")))


@dataclass(frozen=True, kw_only=True)
class ErrorDetail:
    """What the peer of one organisation said."""

    msp_id: str
    message: str


class LedgerError(ChaincodeError):
    """A call failed."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        transaction_id: str,
        details: Sequence[ErrorDetail] = (),
        chaincode: ChaincodeFailure | None = None,
    ) -> None:
        said = "".join(f"\n  {detail.msp_id}: {detail.message}" for detail in details)
        super().__init__(message + said)
        self.code = code
        """The name of the gRPC status code, or for a `CommitError` of the validation code."""
        self.transaction_id = transaction_id
        self.details = tuple(details)
        """What each peer involved said; may be empty."""
        self.chaincode = chaincode
        """What the contract answered; None where the failure is not a contract's."""


class EvaluateError(LedgerError):
    """Evaluating a function failed; an evaluation changes nothing."""


class EndorseError(LedgerError):
    """Too few organisations endorsed the proposal. Nothing was submitted."""


class NondeterminismError(EndorseError):
    """The peers of two organisations gave different answers to one proposal."""

    def __init__(self, transaction_id: str, msp_ids: tuple[str, str], what: list[str]) -> None:
        first, second = msp_ids
        super().__init__(
            f"the answers of {first} and {second} differ in: {'; '.join(what)}",
            code="ABORTED",
            transaction_id=transaction_id,
            details=[ErrorDetail(msp_id=second, message="ProposalResponsePayloads do not match")],
        )
        self.differences = tuple(what)
        """What differs: parts of the answer, and keys; never values."""


class CommitError(LedgerError):
    """The transaction is in a block, but invalid: it changed nothing. `code` says why."""


class PeerCrashError(LedgerError):
    """Every peer of a real channel crashes on this block, and again whenever it is started.

    Fabric 3.1.1 does so (seen on a real network) where one transaction deletes a key and a later
    one of the same block sets its endorsement policy without having read it. A contract that
    reads the key, or writes its value beside the policy, is safe.
    """

    def __init__(self, transaction_id: str) -> None:
        super().__init__(
            f"transaction {transaction_id} sets the policy of a key that an earlier transaction of"
            " its block deletes: real peers crash on this (statedb: Nil value not allowed); let"
            " the contract read the key first",
            code="PANIC",
            transaction_id=transaction_id,
        )
