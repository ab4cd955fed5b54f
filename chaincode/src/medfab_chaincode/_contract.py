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

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, TypeVar

from medfab_chaincode._convert import json_converter
from medfab_chaincode._identity import ClientIdentity
from medfab_chaincode._stub import Stub
from medfab_chaincode.errors import InvalidArgumentError

T = TypeVar("T")


class Contract:
    """Base class: subclasses set `name` and decorate functions with `submit` or `evaluate`.

    One instance serves all transactions at once: keep nothing in `self` that a transaction
    changes. A decorated function takes a `Context` and then its parameters, each with a type
    hint; it may be `async def` or, if it reads nothing, a plain `def`.
    """

    name: ClassVar[str] = ""
    """What clients put before the colon in `name:function`."""


class Context:
    """What a contract function knows about the transaction it runs in."""

    __slots__ = ("stub",)

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
        try:
            raw = self.transient[name]
        except KeyError:
            raise InvalidArgumentError(f"the transient entry {name!r} is missing") from None
        value: T = json_converter(type_)(f"the transient entry {name!r}", raw)
        return value
