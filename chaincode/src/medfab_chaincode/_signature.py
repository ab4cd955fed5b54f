"""What a contract function takes and returns: read from its signature once, at the start."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from medfab_chaincode._convert import argument_converter
from medfab_chaincode._json_types import without_none
from medfab_chaincode._stub import Stub
from medfab_chaincode.errors import DefinitionError, InvalidArgumentError


@dataclass(frozen=True)
class Transient:
    """Marks a parameter that comes from the transient map instead of the arguments::

        @submit("Grant")
        async def grant(self, context: Context, terms: Annotated[Terms, Transient("terms")]) -> None

    The entry has the form that an argument of its type has: scalars as text, the rest as JSON. A
    parameter `X | None` is None where the entry is missing.
    """

    key: str = ""
    """The name of the entry; empty: the parameter's name."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter after the context."""

    name: str
    hint: Any
    """Its type."""

    transient_key: str | None
    """Its entry of the transient map; None: it is an argument."""

    convert: Callable[[str, bytes], Any]
    """From the path for errors and the raw bytes to the value."""

    def from_transient(self, transient: Mapping[str, bytes]) -> Any:
        """Take the value from the transient map. Raises `InvalidArgumentError`."""
        path = f"transient.{self.transient_key}"
        raw = transient.get(self.transient_key or "")
        if raw is not None:
            return self.convert(path, raw)
        if without_none(self.hint)[1]:
            return None
        raise InvalidArgumentError.at(path, "expected an entry, got nothing")


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The parameters after the context, and the result."""

    parameters: tuple[Parameter, ...]
    returns: Any
    """The type of the result; `NoneType` if there is none."""

    @cached_property
    def arguments(self) -> tuple[Parameter, ...]:
        """The parameters that the client's arguments fill, in their order."""
        return tuple(given for given in self.parameters if given.transient_key is None)

    @cached_property
    def transient(self) -> tuple[Parameter, ...]:
        """The parameters that the transient map fills."""
        return tuple(given for given in self.parameters if given.transient_key is not None)

    def bind(self, stub: Stub) -> list[Any]:
        """Convert what the client sent into the values of the parameters.

        Raises `InvalidArgumentError` if there are too many or too few arguments, a transient
        entry is missing, or a value is not of its type.
        """
        raw = stub.args[1:]
        if len(raw) != len(self.arguments):
            names = ", ".join(parameter.name for parameter in self.arguments) or "none"
            raise InvalidArgumentError(
                f"expected {len(self.arguments)} arguments ({names}), got {len(raw)}"
            )
        remaining = iter(raw)
        return [
            parameter.convert(parameter.name, next(remaining))
            if parameter.transient_key is None
            else parameter.from_transient(stub.transient)
            for parameter in self.parameters
        ]


class OpenSignature(Signature):
    """The signature of a function that takes whatever came, and reads it from the stub."""

    def bind(self, stub: Stub) -> list[Any]:
        """Convert nothing."""
        return []


def signature_of(function: Callable[..., Any], context_class: type) -> Signature:
    """Compile the signature of a bound contract function.

    Raises `DefinitionError` where it cannot be served, or wants another context than the
    contract's `context_class`.
    """
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise DefinitionError(
            f"a type hint cannot be resolved ({error}); is it imported only while type checking?"
        ) from error
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise DefinitionError("the first parameter must be the context")
    wanted = hints.get(parameters[0].name, context_class)
    if not (isinstance(wanted, type) and issubclass(context_class, wanted)):
        raise DefinitionError(
            f"{parameters[0].name!r} is {wanted!r}, and the contract's `context_class` is"
            f" {context_class.__name__}"
        )
    return Signature(
        parameters=tuple(_parameter(parameter, hints) for parameter in parameters[1:]),
        returns=_returned(hints.get("return", types.NoneType)),
    )


def _parameter(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Parameter:
    name = parameter.name
    if (
        parameter.kind is not parameter.POSITIONAL_OR_KEYWORD
        or parameter.default is not parameter.empty
    ):
        raise DefinitionError(
            f"{name!r} must be a plain parameter without a default: a call has a fixed number of"
            " arguments"
        )
    if name not in hints:
        raise DefinitionError(f"{name!r} has no type hint")
    hint, marks = hints[name], []
    if typing.get_origin(hint) is typing.Annotated:
        hint, *marks = typing.get_args(hint)
    transient = next((mark for mark in marks if isinstance(mark, Transient)), None)
    try:
        convert = argument_converter(hint)
    except DefinitionError as error:
        raise DefinitionError(f"{name!r}: {error}") from error
    return Parameter(
        name=name,
        hint=hint,
        transient_key=None if transient is None else transient.key or name,
        convert=convert,
    )


def _returned(hint: Any) -> Any:
    if typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    return types.NoneType if hint in (None, typing.NoReturn, typing.Never) else hint
