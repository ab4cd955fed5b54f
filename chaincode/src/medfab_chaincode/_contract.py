"""What a contract author writes against: `Contract` and `Context`.

::

    from medfab_chaincode import Context, Contract, ContractError, evaluate, submit

    class Notes(Contract):
        name = "notes"

        @submit("CreateNote")
        async def create_note(self, context: Context, note_id: str) -> None:
            if await context.stub.get_state(note_id) is not None:
                raise ContractError("the note exists already", code="EXISTS", status=409)
            context.stub.put_state(note_id, context.transient["text"])

        @evaluate("ReadNote")
        async def read_note(self, context: Context, note_id: str) -> bytes | None:
            return await context.stub.get_state(note_id)

Served by ``medfab-chaincode serve my_module:Notes``; called as `CreateNote`, or as
`notes:CreateNote` where several contracts are served.
"""

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from medfab_chaincode._convert import json_converter
from medfab_chaincode._identity import ClientIdentity
from medfab_chaincode._stub import Stub
from medfab_chaincode._threads import iterate_in_thread, wait_in_thread
from medfab_chaincode.errors import InvalidArgumentError

T = TypeVar("T")


class Context:
    """What a contract function knows about the transaction it runs in.

    A contract may have a subclass of its own (`Contract.context_class`), with what its functions
    and hooks share about one transaction. It is made with the stub alone.
    """

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        """The ledger."""

    def __repr__(self) -> str:
        return f"<Context of transaction {self.transaction_id}>"

    @property
    def transaction_id(self) -> str:
        """The id of the transaction."""
        return self.stub.transaction_id

    @property
    def channel_id(self) -> str:
        """The channel that the transaction runs on."""
        return self.stub.channel_id

    @property
    def timestamp(self) -> datetime:
        """The time in the client's proposal, in UTC; the only clock a contract may use."""
        return self.stub.timestamp

    @property
    def client_identity(self) -> ClientIdentity:
        """Who signed the proposal."""
        return self.stub.client_identity

    @property
    def transient(self) -> Mapping[str, bytes]:
        """Input that reaches the endorsers and never a block; `repr` shows a count only."""
        return self.stub.transient

    def transient_json(self, name: str, type_: type[T]) -> T:
        """Parse one transient entry as JSON into `type_`: a dataclass, `list[Item]`, …

        Strict: unknown or missing fields, doubled names, NaN and values of another type raise
        `InvalidArgumentError`, which names the path of the field and never a value.
        """
        path = f"transient.{name}"
        raw = self.transient.get(name)
        if raw is None:
            raise InvalidArgumentError.at(path, "expected an entry, got nothing")
        value: T = json_converter(type_)(path, raw)
        return value

    # -- for functions that are a plain `def` ------------------------------------------------

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Wait for a read: ``value = context.wait(context.stub.get_state(key))``.

        For a plain `def` alone; raises `RuntimeError` in an `async def`, which uses ``await``.
        """
        return wait_in_thread(awaitable)

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Iterate: ``for item in context.iterate(context.stub.get_state_by_range("", "")):``.

        For a plain `def` alone, like `wait`.
        """
        return iterate_in_thread(items)


class Contract:
    """Base class: subclasses set `name` and decorate functions with `submit` or `evaluate`.

    One instance serves all transactions at once: keep nothing in `self` that a transaction
    changes. A decorated function takes the context and then its parameters, each with a type
    hint. It is an `async def`, or a plain `def` for what blocks: that runs in a thread of its
    own, and reads with `Context.wait` and `Context.iterate`.

    The hooks may be overridden; what they raise ends the transaction as if the function had
    raised it.
    """

    name: ClassVar[str] = ""
    """What clients put before the colon in `name:function`; empty: the name of the class."""

    title: ClassVar[str] = ""
    """For the metadata; empty: the name."""

    version: ClassVar[str] = ""
    """For the metadata; empty: `latest`."""

    context_class: ClassVar[type[Context]] = Context
    """What the functions and the hooks get as their context: one object for each transaction."""

    # The contexts are `Any` so that a subclass may name its own context class.

    async def before_transaction(self, context: Any) -> None:
        """Run before the function, unless an access rule has refused the client."""

    async def after_transaction(self, context: Any, result: Any) -> None:
        """Run after the function, with what it returned, if it has not raised."""

    async def unknown_transaction(self, context: Any) -> Any:
        """Answer a call of a function that the contract has not: `context.stub.args` has it all.

        Where it is not overridden, the client gets `UNKNOWN_FUNCTION`, and no hook runs.
        """
