"""The decorators of the contract API: they attach a definition and do nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, overload

from medfab_chaincode._access import AccessRule

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
Intent = Literal["submit", "evaluate"]

_ATTRIBUTE = "__medfab_definition__"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a decorator says about a contract function."""

    wire_name: str
    """The name that clients call it by."""

    intent: Intent
    """Told to clients; a function that is to be evaluated may not write."""

    access: tuple[AccessRule, ...] = ()
    """Who may call it: a client that all these rules let in."""


@overload
def submit(function: FunctionT, /) -> FunctionT: ...
@overload
def submit(
    wire_name: str | None = None, /, *, access: Sequence[AccessRule] = ()
) -> Callable[[FunctionT], FunctionT]: ...
def submit(argument: Any = None, /, *, access: Sequence[AccessRule] = ()) -> Any:
    """Mark a function that changes the ledger: ``@submit`` or ``@submit("WireName")``.

    Without a wire name clients call it by its Python name. `access`: rules that a client must
    meet, all of them, before the function runs.
    """
    return _decorate("submit", argument, access)


@overload
def evaluate(function: FunctionT, /) -> FunctionT: ...
@overload
def evaluate(
    wire_name: str | None = None, /, *, access: Sequence[AccessRule] = ()
) -> Callable[[FunctionT], FunctionT]: ...
def evaluate(argument: Any = None, /, *, access: Sequence[AccessRule] = ()) -> Any:
    """Mark a function that only reads: ``@evaluate`` or ``@evaluate("WireName")``.

    It may neither write nor set an event: the transaction then fails with `EvaluateWriteError`.
    Otherwise as `submit`.
    """
    return _decorate("evaluate", argument, access)


def definition_of(function: object) -> Definition | None:
    """Return what a decorator attached to `function`, or None."""
    definition: Definition | None = getattr(function, _ATTRIBUTE, None)
    return definition


def _decorate(intent: Intent, argument: Any, access: Sequence[AccessRule]) -> Any:
    def attach(function: FunctionT) -> FunctionT:
        wire_name = function.__name__ if argument is None or argument is function else argument
        definition = Definition(wire_name=wire_name, intent=intent, access=tuple(access))
        setattr(function, _ATTRIBUTE, definition)
        return function

    return attach(argument) if callable(argument) else attach
