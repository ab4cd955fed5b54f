"""How a projection is declared. Decorators attach a definition; `_dispatch.py` executes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from medfab_gateway.consumers._changes import (
    Emitted,
    LedgerBlock,
    LedgerTransaction,
    PrivateWritten,
    Written,
)
from medfab_gateway.consumers._keys import KeyPattern
from medfab_gateway.consumers._tables import Operation, Table, View
from medfab_gateway.consumers.errors import DeclarationError

if TYPE_CHECKING:
    from medfab_gateway import AsyncNetwork

_P = TypeVar("_P", bound="Projection")
_DEFINITION = "__medfab_handler__"

OWN = "_implicit_org_{msp_id}"
"""As a collection: the implicit one of the consumer's own organisation."""


@dataclass(frozen=True, kw_only=True)
class Handler:
    """What a decorator has attached to a method."""

    kind: str
    """`write`, `event`, `private`, `transaction`, `block` or `reader`."""

    chaincode: str | None = None
    """None: the projection's."""

    key: KeyPattern | None = None
    event: str | None = None
    """None: every event."""

    collection: str | None = None
    block_to_live: int | None = None


class Projection:
    """Tables that follow a channel. Subclass it; give name, tables and handlers.

        class Packs(Projection):
            name = "packs"
            chaincode = "pharma"
            tables = [PACKS]

            @on_write(composite("pack", "gtin", "serial"))
            def pack(self, write: Written) -> Iterator[Operation]:
                if write.is_delete:
                    yield PACKS.delete(gtin=write["gtin"], serial=write["serial"])
                else:
                    yield PACKS.put(
                        gtin=write["gtin"], serial=write["serial"], status=write.json()["status"]
                    )

    A handler's rows depend on its change and nothing else: no clock, no randomness, no network.
    One that raises loses the whole transaction for this projection, which goes to the dead letters.
    """

    name: ClassVar[str]
    """Unique in a database."""

    version: ClassVar[int] = 1
    """Raise it whenever the rows of the same ledger change: that rebuilds, or migrates."""

    chaincode: str | None = None
    """The chaincode of handlers that name none. An option of the constructor too."""

    tables: ClassVar[Sequence[Table]] = ()
    views: ClassVar[Sequence[View]] = ()

    migrations: ClassVar[Mapping[int, Sequence[str]]] = {}
    """By version, SQL that makes it from the one before; without, the projection is rebuilt."""

    def __init__(self, *, chaincode: str | None = None) -> None:
        """Subclasses may have more options; a file of consumers can give them.

        chaincode: the name that it was deployed by; None: the class's own.
        """
        if chaincode is not None:
            self.chaincode = chaincode

    def handlers(self) -> list[tuple[Handler, Callable[..., Any]]]:
        """The definitions with their bound methods, in the order of the class's text."""
        found: dict[str, Handler] = {}
        for cls in reversed(type(self).__mro__):
            for attribute, member in vars(cls).items():
                definition = getattr(member, _DEFINITION, None)
                if definition is not None:
                    found[attribute] = definition
        return [(definition, getattr(self, attribute)) for attribute, definition in found.items()]


WriteHandler = Callable[[_P, Written], Iterable[Operation]]
EventHandler = Callable[[_P, Emitted], Iterable[Operation]]
PrivateHandler = Callable[[_P, PrivateWritten], Iterable[Operation]]
TransactionHandler = Callable[[_P, LedgerTransaction], Iterable[Operation]]
BlockHandler = Callable[[_P, LedgerBlock], Iterable[Operation]]
Reader = Callable[[_P, LedgerTransaction, "AsyncNetwork"], Awaitable[Iterable[tuple[str, bytes]]]]


def on_write(
    key: KeyPattern, *, chaincode: str | None = None
) -> Callable[[WriteHandler[_P]], WriteHandler[_P]]:
    """The handler of public keys of that form, written or deleted by valid transactions.

    chaincode: None: the projection's.
    """
    return _attach(Handler(kind="write", key=key, chaincode=chaincode))


def on_event(
    name: str | None = None, *, chaincode: str | None = None
) -> Callable[[EventHandler[_P]], EventHandler[_P]]:
    """The handler of events of that name; None: of every event."""
    return _attach(Handler(kind="event", event=name, chaincode=chaincode))


def on_private(
    collection: str,
    key: KeyPattern,
    *,
    chaincode: str | None = None,
    block_to_live: int | None = None,
) -> Callable[[PrivateHandler[_P]], PrivateHandler[_P]]:
    """The handler of private keys of that form in a collection; `OWN`: the organisation's own.

    Its rows go to private tables. They vanish by themselves when the key is written anew, deleted
    or purged. block_to_live: that of the collection's definition; None: values do not expire.
    """
    if block_to_live is not None and block_to_live < 1:
        raise DeclarationError("block_to_live is a number of blocks; None where nothing expires.")
    return _attach(
        Handler(
            kind="private",
            collection=collection,
            key=key,
            chaincode=chaincode,
            block_to_live=block_to_live,
        )
    )


def on_transaction(function: TransactionHandler[_P]) -> TransactionHandler[_P]:
    """The handler of every valid transaction."""
    setattr(function, _DEFINITION, Handler(kind="transaction"))
    return function


def on_block(function: BlockHandler[_P]) -> BlockHandler[_P]:
    """The handler of every block, with its invalid transactions: look at `validation_code`."""
    setattr(function, _DEFINITION, Handler(kind="block"))
    return function


def private_reader(
    collection: str, *, chaincode: str | None = None
) -> Callable[[Reader[_P]], Reader[_P]]:
    """How private values are read where the stream of them is closed: see docs/consumers.md.

        @private_reader(OWN)
        async def read(self, transaction, network):
            patient = transaction.decoded.args[1].decode()
            answer = await network.contract("ehr").evaluate("ListOwn", patient)
            return [(entry["key"], entry["value"].encode()) for entry in json.loads(answer)]

    Called for each valid transaction that wrote into the collection. It gives keys with values that
    might be what was written; those whose hashes are in the block are taken.
    """
    return _attach(Handler(kind="reader", collection=collection, chaincode=chaincode))


def _attach(definition: Handler) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        setattr(function, _DEFINITION, definition)
        return function

    return decorate
