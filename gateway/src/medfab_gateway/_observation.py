"""What a gateway does, told to whoever watches: to `logging` always, to an `Observer` where one is
set. Neither is told arguments, transient data, results or the words of a contract."""

from __future__ import annotations

import logging
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

_log = logging.getLogger("medfab_gateway.calls")


@dataclass(kw_only=True)
class Operation:
    """Something that a gateway does. What is not known, or not yet, is None."""

    name: str
    """What the program asked for: `evaluate`, `submit`, `submit_async`; or a step of it, one
    request to a peer: `query`, `endorse`, `order`, `commit`, `read block`."""

    is_step: bool
    channel: str | None = None
    chaincode: str | None = None
    function: str | None = None
    """With its contract's name before it, where it is not of the default contract."""

    transaction_id: str | None = None
    """Of the last attempt."""

    peer: str | None = None
    """The last one called: address, and the organisation where it is known."""


class Observer(Protocol):
    """Watches what a gateway does: `GatewayOptions(observer=…)`.

        class Counter:
            def __init__(self) -> None:
                self.counts = collections.Counter()

            @contextlib.contextmanager
            def watch(self, operation):
                try:
                    yield
                finally:
                    self.counts[operation.name] += 1

        options = GatewayOptions(observer=Counter())

    `medfab_gateway.telemetry` has one for OpenTelemetry.
    """

    def watch(self, operation: Operation) -> AbstractContextManager[object]:
        """What is entered as the operation begins, and left with its exception as it ends.

        `operation` is filled in meanwhile. Steps are within the operation that they belong to,
        in the same task or thread. An exception of its own spoils the call: raise none.
        """


def outcome_of(error: BaseException) -> tuple[str, str | None]:
    """The name of the error's type; and its gRPC or validation code, None where it has none."""
    code = getattr(error, "code", None)
    return type(error).__name__, getattr(code, "name", code)


class watched:
    """Tells of an operation as it begins and ends. Not a `@contextmanager`: that is a generator and
    three calls more, for every call."""

    def __init__(self, observer: Observer | None, operation: Operation) -> None:
        self._observer = observer
        self._operation = operation

    def __enter__(self) -> Operation:
        self._began = time.perf_counter()
        self._watch: AbstractContextManager[object] | None = None
        if self._observer is not None:
            self._watch = self._observer.watch(self._operation)
            self._watch.__enter__()
        return self._operation

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        if error is None:
            _write(logging.DEBUG, self._operation, self._began, "done")
        else:
            name, code = outcome_of(error)
            _write(logging.INFO, self._operation, self._began, f"{name} {code}" if code else name)
        return None if self._watch is None else self._watch.__exit__(kind, error, traceback)


def _write(level: int, operation: Operation, began: float, outcome: str) -> None:
    if _log.isEnabledFor(level):
        _log.log(
            level,
            "%s: %s (transaction %s, peer %s, %.1f ms)",
            operation.name,
            outcome,
            operation.transaction_id,
            operation.peer,
            (time.perf_counter() - began) * 1000,
        )
