"""From a function's wire name to a call with typed parameters. Compiled once, at the start."""

import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from medfab_chaincode._contract import Context, Contract
from medfab_chaincode._convert import argument_converter
from medfab_chaincode._definition import Definition, definition_of
from medfab_chaincode.errors import DefinitionError, InvalidArgumentError, UnknownFunctionError


@dataclass(frozen=True, kw_only=True)
class Route:
    """One contract function, ready to be called."""

    wire_name: str
    """`contract:function`, as in the log."""

    function: Callable[..., Any]
    """The bound function."""

    parameters: tuple[tuple[str, Callable[[str, bytes], Any]], ...]
    """Name and converter of each parameter after the context."""

    async def call(self, context: Context, arguments: Sequence[bytes]) -> Any:
        """Convert the arguments and call the function.

        Raises `InvalidArgumentError` if there are too many or too few, or one does not convert.
        """
        if len(arguments) != len(self.parameters):
            names = ", ".join(name for name, _ in self.parameters) or "none"
            raise InvalidArgumentError(
                f"{self.wire_name} takes {len(self.parameters)} arguments ({names}),"
                f" got {len(arguments)}"
            )
        values = [
            convert(name, raw)
            for (name, convert), raw in zip(self.parameters, arguments, strict=True)
        ]
        result = self.function(context, *values)
        return await result if inspect.isawaitable(result) else result


class Router:
    """All functions of all contracts of one chaincode.

    The first contract is the default one: its functions need no `contract:` before the name.
    Raises `DefinitionError` where a contract cannot be served as it is written.
    """

    def __init__(self, contracts: Sequence[Contract]) -> None:
        if not contracts:
            raise DefinitionError("there is no contract to serve")
        self._contracts: dict[str, dict[str, Route]] = {}
        for contract in contracts:
            name = contract.name or type(contract).__name__
            if name in self._contracts:
                raise DefinitionError(f"two contracts have the name {name!r}")
            self._contracts[name] = _routes(name, contract)
        self._default = next(iter(self._contracts))

    def resolve(self, function: str) -> Route:
        """Find the route for a wire name. Raises `UnknownFunctionError`."""
        contract, _, name = function.rpartition(":")
        try:
            return self._contracts[contract or self._default][name]
        except KeyError:
            # The name is not repeated: a client may have put anything there.
            raise UnknownFunctionError(
                "no contract of this chaincode has a function of that name"
            ) from None


def _routes(contract_name: str, contract: Contract) -> dict[str, Route]:
    routes: dict[str, Route] = {}
    for attribute in dir(type(contract)):
        function = getattr(type(contract), attribute, None)
        definition = definition_of(function)
        if definition is None:
            continue
        if ":" in definition.wire_name:
            raise DefinitionError(f"{_place(contract, attribute)}: a wire name has no colon")
        if definition.wire_name in routes:
            raise DefinitionError(
                f"{_place(contract, attribute)}: the wire name {definition.wire_name!r} is taken"
            )
        routes[definition.wire_name] = _route(contract_name, contract, attribute, definition)
    if not routes:
        raise DefinitionError(
            f"{type(contract).__name__} has no function with @submit or @evaluate"
        )
    return routes


def _route(contract_name: str, contract: Contract, attribute: str, definition: Definition) -> Route:
    function = getattr(contract, attribute)
    place = _place(contract, attribute)
    try:
        hints = typing.get_type_hints(function)
    except NameError as error:
        raise DefinitionError(
            f"{place}: a type hint cannot be resolved ({error}); is it imported only while"
            " type checking?"
        ) from error
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise DefinitionError(f"{place}: the first parameter must be the context")
    converters = []
    for parameter in parameters[1:]:
        if (
            parameter.kind is not parameter.POSITIONAL_OR_KEYWORD
            or parameter.default is not parameter.empty
        ):
            raise DefinitionError(
                f"{place}: {parameter.name!r} must be a plain parameter without a default:"
                " a call has a fixed number of arguments"
            )
        if parameter.name not in hints:
            raise DefinitionError(f"{place}: {parameter.name!r} has no type hint")
        try:
            converters.append((parameter.name, argument_converter(hints[parameter.name])))
        except DefinitionError as error:
            raise DefinitionError(f"{place}: {parameter.name!r}: {error}") from error
    return Route(
        wire_name=f"{contract_name}:{definition.wire_name}",
        function=function,
        parameters=tuple(converters),
    )


def _place(contract: Contract, attribute: str) -> str:
    return f"{type(contract).__name__}.{attribute}"
