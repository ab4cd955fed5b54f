"""What runs around a function: hooks, the context class, evaluate functions that write."""

import json
from typing import Any

import pytest

from medfab_chaincode import (
    Context,
    Contract,
    ContractError,
    DefinitionError,
    EvaluateWriteError,
    Stub,
    UnknownFunctionError,
    evaluate,
    submit,
)
from medfab_chaincode._router import Router
from unit.chaincode.contract_help import run, stub_of


class Diary(Context):
    """A context that keeps what happened."""

    def __init__(self, stub: Stub) -> None:
        super().__init__(stub)
        self.entries: list[str] = []


class Hooked(Contract):
    name = "hooked"
    context_class = Diary

    def __init__(self) -> None:
        self.diaries: list[list[str]] = []

    async def before_transaction(self, context: Diary) -> None:
        self.diaries.append(context.entries)
        context.entries.append("before")
        if context.stub.args[-1] == b"refused":
            raise ContractError("not today", code="CLOSED", status=423)

    async def after_transaction(self, context: Diary, result: Any) -> None:
        context.entries.append(f"after {result}")
        if result == "odd":
            raise ContractError("the result is odd", code="ODD")

    async def unknown_transaction(self, context: Diary) -> str:
        context.entries.append("unknown")
        return f"no {context.stub.function}, with {len(context.stub.args) - 1} arguments"

    @submit
    async def write(self, context: Diary, value: int) -> str:
        context.entries.append("write")
        context.stub.put_state("key", b"value")
        return "odd" if value % 2 else "even"

    @evaluate
    async def read(self, context: Context, value: str) -> None:
        if value == "write":
            context.stub.put_state("key", b"value")
        if value == "event":
            context.stub.set_event("name", b"")


@pytest.mark.parametrize(
    ("arguments", "outcome", "entries"),
    [
        (["write", "2"], b"even", ["before", "write", "after even"]),
        (["write", "3"], "ODD", ["before", "write", "after odd"]),
        (["write", "refused"], "CLOSED", ["before"]),
        (["write", "x"], "INVALID_ARGUMENT", ["before"]),
        (
            ["hooked:other", "a", "b"],
            b"no hooked:other, with 2 arguments",
            ["before", "unknown", "after no hooked:other, with 2 arguments"],
        ),
        (["other", "refused"], "CLOSED", ["before"]),
    ],
)
async def test_the_order_and_what_ends_it(
    arguments: list[str], outcome: bytes | str, entries: list[str]
) -> None:
    contract = Hooked()
    try:
        result: bytes | str = await run(Router([contract]), stub_of(*arguments))
    except ContractError as error:
        result = error.code
    assert result == outcome
    assert contract.diaries == [entries]


@pytest.mark.parametrize("name", ["before_transaction", "unknown_transaction"])
def test_a_hook_is_asynchronous(name: str) -> None:
    contract = type("Plain", (Hooked,), {name: lambda self, context: None})()
    with pytest.raises(DefinitionError, match=f"{name} must be an `async def`"):
        Router([contract])


async def test_each_contract_has_its_own_handler_of_unknown_functions() -> None:
    class Other(Contract):
        name = "other"

        @evaluate
        def read(self, context: Context) -> None: ...

    router = Router([Other(), Hooked()])
    assert router.resolve("hooked:nothing").wire_name == "hooked:<unknown>"
    for name in ("nothing", "other:nothing", "nobody:nothing"):
        with pytest.raises(UnknownFunctionError):
            router.resolve(name)


@pytest.mark.parametrize("how", ["write", "event"])
async def test_a_function_to_evaluate_must_not_write(how: str) -> None:
    with pytest.raises(EvaluateWriteError, match="hooked:read is marked @evaluate"):
        await run(Router([Hooked()]), stub_of("read", how))


async def test_a_function_to_evaluate_may_read() -> None:
    assert await run(Router([Hooked()]), stub_of("read", "nothing")) == b""


def test_a_function_cannot_want_another_context_than_the_contract_makes() -> None:
    class Wrong(Contract):
        @submit
        async def write(self, context: Diary) -> None: ...

    with pytest.raises(DefinitionError, match=r"Wrong.write: 'context' is .*Diary.*is Context"):
        Router([Wrong()])


async def test_the_system_contract_has_no_hooks_of_others() -> None:
    contract = Hooked()
    metadata = await run(Router([contract]), stub_of("org.hyperledger.fabric:GetMetadata"))
    assert set(json.loads(metadata)["contracts"]) == {"hooked", "org.hyperledger.fabric"}
    assert contract.diaries == []
