"""The metadata of a chaincode: what `org.hyperledger.fabric:GetMetadata` answers.

Its form is that of fabric-contract-api-go, with what only Node's contract API gives: the real
names of the parameters. A function with access rules or transient parameters has `access` and
`transient` beside; the official schema of contracts allows other members there.
"""

import types
from collections.abc import Mapping
from typing import Any

from medfab_chaincode._route import Route
from medfab_chaincode._schema import Schemas
from medfab_chaincode._signature import Parameter
from medfab_chaincode.errors import DefinitionError


def chaincode_metadata(contracts: Mapping[str, Mapping[str, Route]]) -> dict[str, Any]:
    """Describe the routes of all contracts by their names; the first one is the default one.

    Raises `DefinitionError` where a result has no form on the wire, or two dataclasses have one
    name.
    """
    schemas = Schemas()
    default = next(iter(contracts))
    described = {
        name: _contract(name, routes, schemas) | {"default": name == default}
        for name, routes in contracts.items()
    }
    return {
        "info": described[default]["info"],
        "contracts": described,
        "components": {"schemas": schemas.components} if schemas.components else {},
    }


def _contract(name: str, routes: Mapping[str, Route], schemas: Schemas) -> dict[str, Any]:
    contract = next(iter(routes.values())).contract
    return {
        "name": name,
        "info": {"title": contract.title or name, "version": contract.version or "latest"},
        "transactions": [_transaction(routes[function], schemas) for function in sorted(routes)],
    }


def _transaction(route: Route, schemas: Schemas) -> dict[str, Any]:
    try:
        return _described(route, schemas)
    except DefinitionError as error:
        raise DefinitionError(f"{route.wire_name}: {error}") from error


def _described(route: Route, schemas: Schemas) -> dict[str, Any]:
    definition, signature = route.definition, route.signature
    described: dict[str, Any] = {
        "name": definition.wire_name,
        "tag": [definition.intent, definition.intent.upper()],
    }
    lists = {
        "parameters": [_parameter(given, schemas) for given in signature.arguments],
        "transient": [_parameter(given, schemas) for given in signature.transient],
        "access": [rule.metadata() for rule in definition.access],
    }
    described |= {name: entries for name, entries in lists.items() if entries}
    if signature.returns is not types.NoneType:
        described["returns"] = schemas.schema_of(signature.returns)
    return described


def _parameter(parameter: Parameter, schemas: Schemas) -> dict[str, Any]:
    return {
        "name": parameter.transient_key or parameter.name,
        "schema": schemas.schema_of(parameter.hint),
    }
