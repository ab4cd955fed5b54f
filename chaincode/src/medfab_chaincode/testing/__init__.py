"""Testing contracts without a network: state in, transaction, state out.

`Ledger` is a channel in memory with one peer for each organisation. It runs contracts through
the same shim as a real peer does, keeps what a real ledger keeps, and refuses what a real peer
refuses; ``docs/testing-contracts.md`` is the guide, and says what it does not do.
"""

from medfab_chaincode.testing._definitions import Collection
from medfab_chaincode.testing._errors import (
    ChaincodeFailure,
    CommitError,
    EndorseError,
    ErrorDetail,
    EvaluateError,
    LedgerError,
    NondeterminismError,
    PeerCrashError,
)
from medfab_chaincode.testing._identities import Identity
from medfab_chaincode.testing._ledger import Ledger
from medfab_chaincode.testing._policies import (
    EndorsementPolicy,
    all_of,
    any_of,
    majority_of,
    out_of,
)
from medfab_chaincode.testing._transaction import Event, Transaction

__all__ = [
    "ChaincodeFailure",
    "Collection",
    "CommitError",
    "EndorseError",
    "EndorsementPolicy",
    "ErrorDetail",
    "EvaluateError",
    "Event",
    "Identity",
    "Ledger",
    "LedgerError",
    "NondeterminismError",
    "PeerCrashError",
    "Transaction",
    "all_of",
    "any_of",
    "majority_of",
    "out_of",
]
