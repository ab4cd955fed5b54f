"""From a function's wire name to its route. Compiled once, at the start."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType

from medfab_chaincode._canonical import canonical_json
from medfab_chaincode._contract import Contract
from medfab_chaincode._contract_metadata import chaincode_metadata
from medfab_chaincode._definition import Definition, definition_of
from medfab_chaincode._route import Route, callable_of, hook_of
from medfab_chaincode._signature import OpenSignature, signature_of
from medfab_chaincode._system_contract import SystemContract
from medfab_chaincode.errors import DefinitionError, UnknownFunctionError

UNKNOWN = "<unknown>"
"""What the log calls a function that no contract has: its name is the caller's text."""


@dataclass(frozen=True, kw_only=True)
class _Routes:
    known: dict[str, Route]
    unknown: Route | None
    """Takes the calls of functions that there are not."""


class Router:
    """All functions of all contracts of one chaincode, and `GetMetadata`, which describes them.

    The first contract is the default one: its functions need no `contract:` before the name.
    Raises `DefinitionError` where a contract cannot be served as it is written.
    """

    def __init__(self, contracts: Sequence[Contract]) -> None:
        if not contracts:
            raise DefinitionError("there is no contract to serve")
        system = SystemContract()
        self._contracts: dict[str, _Routes] = {}
        for contract in (*contracts, system):
            name = contract.name or type(contract).__name__
            if name in self._contracts:
                raise DefinitionError(f"two contracts have the name {name!r}")
            self._contracts[name] = _routes(name, contract)
        self._default = next(iter(self._contracts))
        system.metadata = canonical_json(
            chaincode_metadata({name: routes.known for name, routes in self._contracts.items()})
        ).decode()
        self.metadata: str = system.metadata
        """What `GetMetadata` answers: JSON, the same bytes for the same contracts."""

    def resolve(self, function: str) -> Route:
        """Find the route for a wire name, `function` or `contract:function`.

        The last colon divides the two, as in Go. Raises `UnknownFunctionError` for a contract
        that there is not, and for a function that there is not where the contract does not
        override `unknown_transaction`.
        """
        contract, colon, name = function.rpartition(":")
        routes = self._contracts.get(contract if colon else self._default)
        route = None if routes is None else routes.known.get(name) or routes.unknown
        if route is None:
            # The name is not repeated: a client may have put anything there.
            raise UnknownFunctionError("no contract of this chaincode has a function of that name")
        return route


def _routes(contract_name: str, contract: Contract) -> _Routes:
    known: dict[str, Route] = {}
    for attribute in dir(type(contract)):
        definition = definition_of(getattr(type(contract), attribute, None))
        if definition is None:
            continue
        try:
            _check_name(definition.wire_name, known)
            known[definition.wire_name] = _route(contract_name, contract, attribute, definition)
        except DefinitionError as error:
            raise DefinitionError(f"{type(contract).__name__}.{attribute}: {error}") from error
    if not known:
        raise DefinitionError(
            f"{type(contract).__name__} has no function with @submit or @evaluate"
        )
    return _Routes(known=known, unknown=_unknown_route(contract_name, contract))


def _check_name(wire_name: str, known: dict[str, Route]) -> None:
    if not wire_name or ":" in wire_name:
        raise DefinitionError("a wire name is not empty and has no colon")
    if wire_name in known:
        raise DefinitionError(f"the wire name {wire_name!r} is taken")


def _route(contract_name: str, contract: Contract, attribute: str, definition: Definition) -> Route:
    function = getattr(contract, attribute)
    return Route(
        wire_name=f"{contract_name}:{definition.wire_name}",
        contract=contract,
        definition=definition,
        signature=signature_of(function, contract.context_class),
        before=hook_of(contract, "before_transaction"),
        function=callable_of(function),
        after=hook_of(contract, "after_transaction"),
    )


def _unknown_route(contract_name: str, contract: Contract) -> Route | None:
    function = hook_of(contract, "unknown_transaction")
    if function is None:
        return None
    return Route(
        wire_name=f"{contract_name}:{UNKNOWN}",
        contract=contract,
        definition=Definition(wire_name=UNKNOWN, intent="submit"),
        signature=OpenSignature(parameters=(), returns=NoneType),
        before=hook_of(contract, "before_transaction"),
        function=function,
        after=hook_of(contract, "after_transaction"),
    )
