"""Decorators, routing and the mistakes that stop the start."""

import asyncio
from collections.abc import Callable

import pytest

from medfab_chaincode import (
    Context,
    Contract,
    DefinitionError,
    InvalidArgumentError,
    UnknownFunctionError,
    evaluate,
    submit,
)
from medfab_chaincode._definition import definition_of
from medfab_chaincode._router import Router
from unit.chaincode.contract_help import router_of, run, stub_of


class First(Contract):
    name = "first"

    @submit("Write")
    async def write(self, context: Context, key: str, count: int) -> str:
        return f"{key}{count}"

    @evaluate
    def plain(self, context: Context) -> str:
        return "plain"

    @evaluate()
    def brackets(self, context: Context) -> str:
        return "brackets"

    def helper(self) -> None:
        """Not decorated: clients cannot call it."""


class Org(Contract):
    name = "org:second"

    @evaluate("Read")
    async def read(self, context: Context) -> str:
        return "second"


class Child(First):
    name = "child"

    @evaluate("Own")
    def own(self, context: Context) -> str:
        return "own"


class Nameless(Contract):
    @evaluate("Read")
    async def read(self, context: Context) -> str:
        return "nameless"


ROUTER = Router([First(), Org(), Child(), Nameless()])


@pytest.mark.parametrize(
    ("wire_name", "arguments", "result"),
    [
        ("Write", [b"a", b"1"], b"a1"),
        ("first:Write", [b"a", b"1"], b"a1"),
        ("plain", [], b"plain"),
        ("brackets", [], b"brackets"),
        ("org:second:Read", [], b"second"),
        ("child:Write", [b"a", b"1"], b"a1"),
        ("child:Own", [], b"own"),
        ("Nameless:Read", [], b"nameless"),
    ],
)
async def test_routing(wire_name: str, arguments: list[bytes], result: bytes) -> None:
    assert await run(ROUTER, stub_of(wire_name, *arguments)) == result


@pytest.mark.parametrize(
    "wire_name",
    [
        "",
        "Nothing",
        "write",
        "helper",
        "Read",
        "second:Read",
        "first:Read",
        "first:",
        "name",
        ":Write",
    ],
)
def test_unknown_functions(wire_name: str) -> None:
    with pytest.raises(UnknownFunctionError) as caught:
        ROUTER.resolve(wire_name)
    assert caught.value.code == "UNKNOWN_FUNCTION"


@pytest.mark.parametrize("arguments", [[], [b"a"], [b"a", b"1", b"2"]])
async def test_arity_is_strict(arguments: list[bytes]) -> None:
    expected = rf"expected 2 arguments \(key, count\), got {len(arguments)}"
    with pytest.raises(InvalidArgumentError, match=expected):
        await run(ROUTER, stub_of("Write", *arguments))


async def test_a_refusal_names_the_parameter() -> None:
    with pytest.raises(InvalidArgumentError, match="count: expected a whole number") as caught:
        await run(ROUTER, stub_of("Write", "a", "canary"))
    assert caught.value.fields == {
        "count": "expected a whole number of 64 bits, got other text",
    }
    assert "canary" not in caught.value.message


def test_decorators_only_attach_a_definition() -> None:
    definition = definition_of(First.write)
    assert definition is not None
    assert (definition.wire_name, definition.intent) == ("Write", "submit")
    assert asyncio.iscoroutinefunction(First.write)
    assert definition_of(First.helper) is None


def _no_hint(self: Contract, context: Context, key) -> None: ...  # type: ignore[no-untyped-def]
def _default(self: Contract, context: Context, key: str = "") -> None: ...
def _variable(self: Contract, context: Context, *keys: str) -> None: ...
def _keyword(self: Contract, context: Context, *, key: str) -> None: ...
def _float(self: Contract, context: Context, key: float) -> None: ...
def _unresolved(self: Contract, context: Context, key: "Missing") -> None: ...  # type: ignore[name-defined] # noqa: F821
def _no_context(self: Contract) -> None: ...
def _result(self: Contract, context: Context) -> float: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (_no_hint, "'key' has no type hint"),
        (_default, "'key' must be a plain parameter without a default"),
        (_variable, "'keys' must be a plain parameter"),
        (_keyword, "'key' must be a plain parameter"),
        (_float, "'key': <class 'float'> has no form on the wire"),
        (_unresolved, "type hint cannot be resolved"),
        (_no_context, "the first parameter must be the context"),
        (_result, "<class 'float'> has no form on the wire"),
    ],
)
def test_functions_that_cannot_be_served(function: Callable[..., None], text: str) -> None:
    with pytest.raises(DefinitionError, match=f"(Bad.function|bad:_result): .*{text}"):
        router_of(submit(function))


def test_contracts_that_cannot_be_served() -> None:
    with pytest.raises(DefinitionError, match="no contract to serve"):
        Router([])
    with pytest.raises(DefinitionError, match="two contracts have the name 'first'"):
        Router([First(), First()])
    with pytest.raises(DefinitionError, match=r"two contracts have the name 'org\.hyperledger"):
        Router([First(), type("System", (First,), {"name": "org.hyperledger.fabric"})()])
    with pytest.raises(DefinitionError, match="no function with"):
        Router([Contract()])

    def read(self: Contract, context: Context) -> None: ...
    def other(self: Contract, context: Context) -> None: ...

    same = {"a": submit("Same")(read), "b": submit("Same")(other)}
    with pytest.raises(DefinitionError, match="'Same' is taken"):
        Router([type("Twice", (Contract,), same)()])
    with pytest.raises(DefinitionError, match="no colon"):
        Router([type("Colon", (Contract,), {"a": submit("a:b")(read)})()])
