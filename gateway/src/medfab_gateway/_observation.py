"""What a gateway does, told to whoever watches: to `logging` always, to an `Observer` where one is
set. Neither is told arguments, transient data, results or the words of a contract."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
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


@contextmanager
def watched(observer: Observer | None, operation: Operation) -> Iterator[Operation]:
    began = time.perf_counter()
    with nullcontext() if observer is None else observer.watch(operation):
        try:
            yield operation
        except BaseException as error:
            name, code = outcome_of(error)
            _write(logging.INFO, operation, began, f"{name} {code}" if code else name)
            raise
        _write(logging.DEBUG, operation, began, "done")


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
