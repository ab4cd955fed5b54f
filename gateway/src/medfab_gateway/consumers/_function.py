"""A Python function as a sink."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from medfab_gateway.consumers._changes import Failure
from medfab_gateway.consumers._delivery import Delivery, Selection
from medfab_gateway.consumers._sink import Sink
from medfab_gateway.consumers._state import DeadLetter
from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers.errors import LeadLostError, StoreUnavailableError


class Database:
    """What a function does with it is in the transaction that holds the checkpoint."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """SQL, with `?` for each parameter; the number of rows concerned."""
        return self._store.execute(statement, parameters)

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._store.query(statement, parameters)


Function = Callable[[Delivery, Database], None]


class FunctionSink(Sink):
    """Calls a function for each delivery, in order.

        def note(delivery, database):
            database.execute("INSERT INTO seen VALUES (?)", [delivery.id])

        FunctionSink("seen", note)

    What it does in the database is there exactly once. What it does elsewhere it may do again, for
    the same `delivery.id`: the transaction may be rolled back after it. One that raises goes to the
    dead letters, and what it did in the database is undone.
    """

    def __init__(self, name: str, function: Function, selection: Selection | None = None) -> None:
        super().__init__(name, selection or Selection())
        self._function = function

    def write(self, deliveries: Sequence[Delivery], store: Store) -> list[DeadLetter]:
        letters = []
        for delivery in deliveries:
            try:
                with store.savepoint():
                    self._function(delivery, Database(store))
            except (StoreUnavailableError, LeadLostError):
                raise
            except Exception as error:
                # Whatever it is, it must not stop the consumer: it is set aside by name.
                failure = Failure.of(error, handler=getattr(self._function, "__name__", "function"))
                letters.append(
                    DeadLetter(
                        feed=self.name,
                        block_number=delivery.transaction.block_number,
                        transaction_number=delivery.transaction.number,
                        transaction_id=delivery.transaction.transaction_id,
                        handler=failure.handler,
                        error=failure.error,
                    )
                )
        return letters
