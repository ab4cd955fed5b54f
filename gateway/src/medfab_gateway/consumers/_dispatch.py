"""Blocks → what happens to the rows of each projection. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from medfab_gateway._read_write_set import NamespaceReadWriteSet
from medfab_gateway.consumers._changes import (
    Emitted,
    Failure,
    LedgerBlock,
    LedgerTransaction,
    PrivateWritten,
    Written,
    private_source,
)
from medfab_gateway.consumers._keys import KeyPattern
from medfab_gateway.consumers._projection import OWN, Handler, Projection
from medfab_gateway.consumers._tables import Operation
from medfab_gateway.consumers.errors import DeclarationError

_Function = Callable[..., Iterable[Operation]]
WHOLE_BLOCK = -1
"""As the number of a transaction: the block itself."""


class Step(NamedTuple):
    """An operation that is derived from a private value; or, without one, that all rows derived
    from `source` go."""

    operation: Operation | None
    source: bytes
    """See `private_source`."""

    expires_at: int | None = None
    """The block at which the private value expires."""


@dataclass(slots=True, eq=False)
class Group:
    """What one transaction does to one projection: as a whole, or not at all."""

    plan: Plan
    block_number: int
    transaction_number: int
    """`WHOLE_BLOCK` for what `on_block` gave."""

    transaction_id: str
    steps: list[Operation | Step] = field(default_factory=list)
    """Operations that are not derived from private data stand by themselves."""

    failure: Failure | None = None


@dataclass(slots=True)
class _WriteHandlers:
    by_object_type: dict[str, list[tuple[KeyPattern, _Function]]] = field(default_factory=dict)
    others: list[tuple[KeyPattern, _Function]] = field(default_factory=list)

    def find(self, key: str) -> Iterator[tuple[Mapping[str, str], _Function]]:
        candidates = self.others
        if key.startswith("\x00"):
            object_type = key[1 : key.find("\x00", 1)]
            candidates = [*self.by_object_type.get(object_type, ()), *candidates]
        for pattern, function in candidates:
            attributes = pattern.match(key)
            if attributes is not None:
                yield attributes, function


@dataclass(slots=True)
class PrivateHandlers:
    """Of one collection."""

    handlers: list[tuple[KeyPattern, _Function]] = field(default_factory=list)
    block_to_live: int | None = None


class Plan:
    """The handlers of one projection, found by what they are for."""

    def __init__(self, projection: Projection, *, msp_id: str) -> None:
        """msp_id: of the organisation whose private data is its own."""
        self.projection = projection
        self.name = projection.name
        self._msp_id = msp_id
        self._writes: dict[str, _WriteHandlers] = {}
        self._events: dict[str, list[tuple[str | None, _Function]]] = {}
        self.private: dict[tuple[str, str], PrivateHandlers] = {}
        self.readers: dict[tuple[str, str], Callable[..., Any]] = {}
        self._transactions: list[_Function] = []
        self._blocks: list[_Function] = []
        self._public = frozenset(table for table in projection.tables if not table.private)
        self._private = frozenset(projection.tables) - self._public
        for handler, function in projection.handlers():
            self._add(handler, function)
        if self.private and not any(table.private for table in projection.tables):
            raise DeclarationError(
                f"Projection {self.name} handles private data and has no private table for it."
            )

    def _add(self, handler: Handler, function: _Function) -> None:
        if handler.kind == "transaction":
            self._transactions.append(function)
            return
        if handler.kind == "block":
            self._blocks.append(function)
            return
        chaincode = handler.chaincode or self.projection.chaincode
        if chaincode is None:
            raise DeclarationError(
                f"Projection {self.name}: of which chaincode is {function.__name__}? Give the "
                "class a `chaincode`, or the decorator."
            )
        if handler.kind == "event":
            self._events.setdefault(chaincode, []).append((handler.event, function))
            return
        if handler.kind == "write" and handler.key is not None:
            writes = self._writes.setdefault(chaincode, _WriteHandlers())
            if handler.key.object_type is not None:
                of_type = writes.by_object_type.setdefault(handler.key.object_type, [])
                of_type.append((handler.key, function))
            else:
                writes.others.append((handler.key, function))
            return
        collection = (handler.collection or OWN).format(msp_id=self._msp_id)
        if handler.kind == "reader":
            self.readers[chaincode, collection] = function
        elif handler.key is not None:
            private = self.private.setdefault((chaincode, collection), PrivateHandlers())
            private.handlers.append((handler.key, function))
            private.block_to_live = handler.block_to_live or private.block_to_live

    def groups(self, block: LedgerBlock) -> Iterator[Group]:
        """What the block does, in order; groups that failed say so, and have no steps."""
        number = block.block.number
        if self._blocks:
            group = Group(self, number, WHOLE_BLOCK, "")
            for function in self._blocks:
                self._run(group, function, block)
            if group.steps or group.failure:
                yield group
        if not (self._transactions or self._writes or self._events or self.private):
            return
        for index, decoded in enumerate(block.block.transactions):
            if decoded.validation_code != "VALID":
                continue
            transaction = LedgerTransaction(number, index, decoded)
            group = Group(self, number, index, decoded.transaction_id)
            if transaction.wrong is not None:
                group.failure = Failure(handler="decoder", error="undecodable transaction")
            elif block.unread and (self.name, index) in block.unread:
                group.failure = block.unread[self.name, index]
            else:
                self._fill(group, transaction, block)
            if group.steps or group.failure:
                yield group

    def _fill(self, group: Group, transaction: LedgerTransaction, block: LedgerBlock) -> None:
        for function in self._transactions:
            self._run(group, function, transaction)
        if self._writes or self.private:
            for namespace in transaction.decoded.read_write_sets:
                self._fill_writes(group, transaction, namespace)
                if self.private and namespace.collections:
                    self._fill_private(group, transaction, namespace, block)
        if self._events:
            event = transaction.decoded.event
            chaincode = transaction.decoded.chaincode_name or ""
            if event is not None and chaincode in self._events:
                emitted = Emitted(transaction, chaincode, event.name, event.payload)
                for name, function in self._events[chaincode]:
                    if name is None or name == event.name:
                        self._run(group, function, emitted)

    def _fill_writes(
        self, group: Group, transaction: LedgerTransaction, namespace: NamespaceReadWriteSet
    ) -> None:
        handlers = self._writes.get(namespace.namespace)
        if handlers is None:
            return
        for write in namespace.writes:
            for attributes, function in handlers.find(write.key):
                written = Written(
                    transaction,
                    namespace.namespace,
                    write.key,
                    attributes,
                    write.value,
                    write.is_delete,
                )
                self._run(group, function, written)

    def _fill_private(
        self,
        group: Group,
        transaction: LedgerTransaction,
        namespace: NamespaceReadWriteSet,
        block: LedgerBlock,
    ) -> None:
        for collection in namespace.collections:
            place = namespace.namespace, collection.collection
            handlers = self.private.get(place)
            if handlers is None:
                continue
            values = _values(block, transaction.number, *place)
            for hashed in collection.writes:
                source = private_source(*place, hashed.key_hash)
                expires_at = None
                if handlers.block_to_live is not None:
                    # fabric/core/ledger/pvtdatapolicy/btlpolicy.go: gone with that block
                    expires_at = transaction.block_number + handlers.block_to_live + 1
                group.steps.append(Step(None, source))
                found = values.get(hashed.key_hash)
                if found is None or hashed.is_delete or hashed.is_purge:
                    continue
                key, value = found
                if hashlib.sha256(value).digest() != hashed.value_hash:
                    continue  # a later value: its own block brings it in
                for pattern, function in handlers.handlers:
                    attributes = pattern.match(key)
                    if attributes is not None:
                        written = PrivateWritten(transaction, *place, key, attributes, value)
                        self._run(group, function, written, source, expires_at)

    def _run(
        self,
        group: Group,
        function: _Function,
        change: Any,
        source: bytes | None = None,
        expires_at: int | None = None,
    ) -> None:
        """Adds what the handler gives; after a failure, nothing more."""
        if group.failure is not None:
            return
        try:
            allowed = self._public if source is None else self._private
            for operation in function(change):
                if operation.table not in allowed:
                    raise DeclarationError(
                        f"{operation.table.name} is no table of {self.name} for this: rows of "
                        "private data go to private tables, and only they do"
                    )
                group.steps.append(
                    operation if source is None else Step(operation, source, expires_at)
                )
        except Exception as error:
            # Whatever it is, it must not stop the consumer: the change is set aside by name.
            group.failure = Failure.of(error, handler=function.__name__)
            group.steps.clear()


def _values(
    block: LedgerBlock, transaction_number: int, chaincode: str, collection: str
) -> dict[bytes, tuple[str, bytes]]:
    """The private values that have been read, by the hash of their key."""
    return {
        hashlib.sha256(write.key.encode()).digest(): (write.key, write.value)
        for writes in block.private_data
        if writes.transaction_number == transaction_number
        and writes.namespace == chaincode
        and writes.collection == collection
        for write in writes.message.writes
        if not write.is_delete
    }


def plans(projections: Sequence[Projection], *, msp_id: str) -> list[Plan]:
    """Raises `DeclarationError`."""
    found = [Plan(projection, msp_id=msp_id) for projection in projections]
    names = [plan.name for plan in found]
    tables = [each.name for plan in found for each in (*plan.projection.tables,)]
    for kind, each in (("projections", names), ("tables", tables)):
        twice = {name for name in each if each.count(name) > 1}
        if twice:
            raise DeclarationError(f"Two {kind} are called {', '.join(sorted(twice))}.")
    return found
