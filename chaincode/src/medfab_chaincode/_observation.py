"""What the shim tells about its work: a report of each transaction, and the number of streams.

Reports are made after the answer is on its way, and hold nothing of what a transaction said.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_log = logging.getLogger("medfab_chaincode.transaction")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionReport:
    """How one transaction went."""

    transaction_id: str
    channel_id: str

    function: str
    """Its name as the contract declares it: the caller's own text is never repeated."""

    status: int | None
    """The response's status; None: given up by the peer, or its stream ended."""

    began_ns: int
    """Wall clock, nanoseconds since 1970."""

    seconds: float

    messages: int
    """Messages of this transaction on the stream, both ways."""

    @property
    def status_text(self) -> str:
        """The status for logs and labels."""
        return "cancelled" if self.status is None else str(self.status)

    @property
    def round_trips(self) -> int:
        """Requests to the peer: the messages without TRANSACTION and COMPLETED, in pairs."""
        return self.messages // 2 - 1


class Observer(Protocol):
    """Somebody who is told. Called on the event loop: must not wait, and must not raise."""

    def transaction_ended(self, report: TransactionReport) -> None:
        """A transaction is over."""

    def streams_changed(self, count: int) -> None:
        """So many peers are connected now."""


class Observers:
    """Several observers as one."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def transaction_ended(self, report: TransactionReport) -> None:
        for observer in self._observers:
            observer.transaction_ended(report)

    def streams_changed(self, count: int) -> None:
        for observer in self._observers:
            observer.streams_changed(count)


class TransactionLog:
    """One log line for each transaction."""

    def transaction_ended(self, report: TransactionReport) -> None:
        if _log.isEnabledFor(logging.INFO):
            _log.handle(
                _record(
                    transaction_id=report.transaction_id,
                    function=report.function,
                    status="cancelled" if report.status is None else report.status,
                    milliseconds=round(report.seconds * 1000, 3),
                    messages=report.messages,
                )
            )

    def streams_changed(self, count: int) -> None:
        """Nothing: the server logs who connects and disconnects."""


_COMMON = vars(
    logging.LogRecord(_log.name, logging.INFO, __file__, 0, "transaction", None, None, "")
)


def _record(**fields: object) -> logging.LogRecord:
    """A record as `_log.info` would make it, without looking for who calls: always the same."""
    record = logging.LogRecord.__new__(logging.LogRecord)
    now = time.time()
    vars(record).update(_COMMON, created=now, msecs=now % 1 * 1000, **fields)
    return record
