"""The conformance contracts about what the contract API itself does: types, hooks, routing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conformance.contracts.encoding import encode
from medfab_chaincode import Context, Contract, ContractError, Stub, evaluate, submit


@dataclass(frozen=True)
class Part:
    code: str
    count: int


@dataclass(frozen=True)
class Item:
    """A field of each kind."""

    name: str
    count: int
    ready: bool
    tags: list[str]
    main: Part
    parts: list[Part]
    labels: dict[str, str]


@dataclass(frozen=True)
class Extra:
    """A field that may be absent."""

    code: str
    note: str | None = None


@dataclass(frozen=True)
class Tree:
    """Holds itself."""

    name: str
    children: list[Tree]


class Types(Contract):
    """Gives back what it is given."""

    name = "types"

    @evaluate("Text")
    def text(self, context: Context, value: str) -> str:
        return value

    @evaluate("Whole")
    def whole(self, context: Context, value: int) -> int:
        return value

    @evaluate("Flag")
    def flag(self, context: Context, value: bool) -> bool:
        return value

    @evaluate("Bytes")
    def bytes(self, context: Context, value: bytes) -> bytes:
        return value

    @evaluate("Moment")
    def moment(self, context: Context, value: datetime) -> datetime:
        return value

    @evaluate("Texts")
    def texts(self, context: Context, value: list[str]) -> list[str]:
        return value

    @evaluate("Wholes")
    def wholes(self, context: Context, value: list[int]) -> list[int]:
        return value

    @evaluate("Counts")
    def counts(self, context: Context, value: dict[str, int]) -> dict[str, int]:
        return value

    @evaluate("Part")
    def part(self, context: Context, value: Part) -> Part:
        return value

    @evaluate("Parts")
    def parts(self, context: Context, value: list[Part]) -> list[Part]:
        return value

    @evaluate("Item")
    def item(self, context: Context, value: Item) -> Item:
        return value

    @evaluate("Extra")
    def extra(self, context: Context, value: Extra) -> Extra:
        return value

    @evaluate("Tree")
    def tree(self, context: Context, value: Tree) -> Tree:
        return value

    @evaluate("Nothing")
    def nothing(self, context: Context) -> None:
        return None

    @evaluate("NoPart")
    def no_part(self, context: Context) -> Part | None:
        return None

    @submit("Two")
    def two(self, context: Context, first: str, second: int) -> str:
        return encode([first, second])


class NotedContext(Context):
    """Carries a note from the hook before to the function."""

    def __init__(self, stub: Stub) -> None:
        super().__init__(stub)
        self.note = ""


class Hooks(Contract):
    """All three hooks."""

    name = "hooks"
    context_class = NotedContext

    async def before_transaction(self, context: NotedContext) -> None:
        if context.transient.get("refuse") == b"before":
            raise ContractError("before refuses")
        context.note = "before"

    async def after_transaction(self, context: NotedContext, result: Any) -> None:
        if context.transient.get("refuse") == b"after":
            raise ContractError("after refuses")
        context.stub.set_event("after", (result or "").encode())

    async def unknown_transaction(self, context: NotedContext) -> str:
        if context.stub.function == "hooks:Refused":
            raise ContractError("unknown refuses")
        context.stub.put_state("unknown", b"1")
        return "unknown"

    @submit("Note")
    async def add_note(self, context: NotedContext, value: str) -> str:
        context.note += " function"
        context.stub.put_state("hooks", value.encode())
        return f"{context.note} {value}"

    @submit("Fail")
    async def fail(self, context: NotedContext) -> None:
        raise ContractError("the function refuses")


class Colon(Contract):
    """A contract with a colon in its name."""

    name = "org:colon"

    @submit("Where")
    def where(self, context: Context) -> str:
        return "colon"
