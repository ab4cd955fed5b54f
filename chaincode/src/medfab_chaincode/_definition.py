"""The decorators of the contract API: they attach a definition and do nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, overload

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_ATTRIBUTE = "__medfab_definition__"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a decorator says about a contract function."""

    wire_name: str
    """The name that clients call it by."""

    intent: Literal["submit", "evaluate"]
    """Whether the function is meant to change the ledger; told to clients, not enforced."""


@overload
def submit(function: FunctionT, /) -> FunctionT: ...
@overload
def submit(wire_name: str | None = None, /) -> Callable[[FunctionT], FunctionT]: ...
def submit(argument: Any = None, /) -> Any:
    """Mark a function that changes the ledger: ``@submit`` or ``@submit("WireName")``.

    Without a wire name clients call it by its Python name.
    """
    return _decorate("submit", argument)


@overload
def evaluate(function: FunctionT, /) -> FunctionT: ...
@overload
def evaluate(wire_name: str | None = None, /) -> Callable[[FunctionT], FunctionT]: ...
def evaluate(argument: Any = None, /) -> Any:
    """Mark a function that only reads: ``@evaluate`` or ``@evaluate("WireName")``.

    Without a wire name clients call it by its Python name.
    """
    return _decorate("evaluate", argument)


def definition_of(function: object) -> Definition | None:
    """Return what a decorator attached to `function`, or None."""
    definition: Definition | None = getattr(function, _ATTRIBUTE, None)
    return definition


def _decorate(intent: Literal["submit", "evaluate"], argument: Any) -> Any:
    if callable(argument):
        return _attach(argument, intent, None)
    return lambda function: _attach(function, intent, argument)


def _attach(
    function: FunctionT, intent: Literal["submit", "evaluate"], wire_name: str | None
) -> FunctionT:
    definition = Definition(wire_name=wire_name or function.__name__, intent=intent)
    setattr(function, _ATTRIBUTE, definition)
    return function
