"""An endorsed transaction, and what a test wants to know about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from medfab_chaincode.testing._read_write_set import NamespaceSet, ReadWriteSet


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event that a contract has set."""

    name: str
    payload: bytes = field(repr=False)
    transaction_id: str
    chaincode: str


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """An endorsed transaction; `Ledger.commit` puts it into a block."""

    transaction_id: str
    chaincode: str
    timestamp: datetime
    result: bytes = field(repr=False)
    """What the function returned."""
    event: Event | None
    endorsers: tuple[str, ...]
    """The organisations that signed, by MSP id."""
    response_payload: bytes = field(repr=False)
    """What they signed: a serialised `protos.ProposalResponsePayload`, as a peer makes it."""
    sets: ReadWriteSet = field(repr=False)
    """What it read and wrote, by chaincode."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The public keys of its own chaincode that it read one by one, sorted."""
        return tuple(sorted(self._own.reads))

    @property
    def writes(self) -> Mapping[str, bytes | None]:
        """What it writes to the public state of its own chaincode; None for a deletion."""
        return {key: value or None for key, value in self._own.writes.items()}

    @property
    def private_writes(self) -> Mapping[str, Mapping[str, bytes | None]]:
        """What it writes to each collection of its own chaincode; None for a deletion."""
        return {
            name: {key: value or None for key, value in each.writes.items()}
            for name, each in self._own.collections.items()
            if each.writes
        }

    @property
    def _own(self) -> NamespaceSet:
        return self.sets.get(self.chaincode) or NamespaceSet()
