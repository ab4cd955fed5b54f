"""`GetMetadata`, held against what fabric-contract-api-go v2.2.0 writes for the same contract."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any

import pytest

from medfab_chaincode import (
    Attribute,
    Context,
    Contract,
    DefinitionError,
    Organisation,
    Role,
    Transient,
    evaluate,
    submit,
)
from medfab_chaincode._convert import argument_converter
from medfab_chaincode._router import Router
from medfab_chaincode._schema import Schemas


@dataclass
class Owner:
    name: str


@dataclass
class Asset:
    id: str
    owner: Owner
    parts: list["Asset"]
    amounts: dict[str, int]
    note: str | None = None
    labels: list[str] = field(default_factory=list)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(Enum):
    LOW = 1
    TOP = "top"


class Assets(Contract):
    name = "assets"
    version = "1.2.0"

    @submit("Put")
    async def put(self, context: Context, asset: Asset, raw: bytes, at: datetime) -> None: ...

    @evaluate("Get")
    async def get(self, context: Context, asset_id: str, exact: bool) -> Asset: ...  # type: ignore[empty-body]


class Guarded(Contract):
    @submit(access=[Organisation("A", "B"), Role("admin"), Attribute("role", "nurse")])
    def guarded(self, context: Context, secret: Annotated[Owner, Transient("owner")]) -> None: ...


def metadata(*contracts: Contract) -> Any:
    return json.loads(Router(contracts).metadata)


def test_the_form_is_that_of_the_go_contract_api() -> None:
    assert metadata(Assets()) == {
        "info": {"title": "assets", "version": "1.2.0"},
        "contracts": {
            "assets": {
                "name": "assets",
                "info": {"title": "assets", "version": "1.2.0"},
                "default": True,
                "transactions": [
                    {
                        "name": "Get",
                        "tag": ["evaluate", "EVALUATE"],
                        "parameters": [
                            {"name": "asset_id", "schema": {"type": "string"}},
                            {"name": "exact", "schema": {"type": "boolean"}},
                        ],
                        "returns": {"$ref": "#/components/schemas/Asset"},
                    },
                    {
                        "name": "Put",
                        "tag": ["submit", "SUBMIT"],
                        "parameters": [
                            {"name": "asset", "schema": {"$ref": "#/components/schemas/Asset"}},
                            {"name": "raw", "schema": {"type": "string", "format": "byte"}},
                            {"name": "at", "schema": {"type": "string", "format": "date-time"}},
                        ],
                    },
                ],
            },
            "org.hyperledger.fabric": {
                "name": "org.hyperledger.fabric",
                "info": {"title": "org.hyperledger.fabric", "version": "latest"},
                "default": False,
                "transactions": [
                    {
                        "name": "GetMetadata",
                        "tag": ["evaluate", "EVALUATE"],
                        "returns": {"type": "string"},
                    }
                ],
            },
        },
        "components": {
            "schemas": {
                "Asset": {
                    "$id": "Asset",
                    "properties": {
                        "id": {"type": "string"},
                        "owner": {"$ref": "Owner"},
                        "parts": {"type": "array", "items": {"$ref": "Asset"}},
                        "amounts": {
                            "type": "object",
                            "additionalProperties": {"type": "integer", "format": "int64"},
                        },
                        "note": {"type": ["string", "null"]},
                        "labels": {"type": "array", "items": {"type": "string"}},
                    },
                    "required": ["id", "owner", "parts", "amounts"],
                    "additionalProperties": False,
                },
                "Owner": {
                    "$id": "Owner",
                    "properties": {"name": {"type": "string"}},
                    "required": ["name"],
                    "additionalProperties": False,
                },
            }
        },
    }


def test_access_rules_and_transient_entries_are_shown() -> None:
    (transaction,) = metadata(Guarded())["contracts"]["Guarded"]["transactions"]
    assert transaction == {
        "name": "guarded",
        "tag": ["submit", "SUBMIT"],
        "transient": [{"name": "owner", "schema": {"$ref": "#/components/schemas/Owner"}}],
        "access": [
            {"kind": "organisation", "values": ["A", "B"]},
            {"kind": "role", "values": ["admin"]},
            {"kind": "attribute", "name": "role", "values": ["nurse"]},
        ],
    }


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (Decimal, {"type": "string", "format": "decimal"}),
        (Colour, {"type": "string", "enum": ["red", "blue"]}),
        (Level, {"type": ["integer", "string"], "enum": [1, "top"]}),
        (Colour | None, {"type": ["string", "null"], "enum": ["red", "blue", None]}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer", "format": "int64"}}),
        (Owner | None, {"$ref": "#/components/schemas/Owner"}),
        (
            list[dict[str, Owner]],
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": {"$ref": "#/components/schemas/Owner"},
                },
            },
        ),
    ],
)
def test_schemas_of_hints(hint: Any, schema: object) -> None:
    argument_converter(hint)  # what has a schema has a converter, too
    assert Schemas().schema_of(hint) == schema


def test_any_result_has_the_empty_schema() -> None:
    assert Schemas().schema_of(list[Any]) == {"type": "array", "items": {}}


@pytest.mark.parametrize("hint", [float, set[str], object, int | str, list[float]])
def test_hints_without_a_schema(hint: Any) -> None:
    with pytest.raises(DefinitionError):
        Schemas().schema_of(hint)


def test_two_dataclasses_of_one_name_stop_the_start() -> None:
    def other() -> type:
        @dataclass
        class Owner:
            id: str

        return Owner

    schemas = Schemas()
    schemas.schema_of(Owner)
    with pytest.raises(DefinitionError, match="two dataclasses have the name 'Owner'"):
        schemas.schema_of(other())


def test_the_first_contract_is_the_default_one() -> None:
    contracts = metadata(Guarded(), Assets())["contracts"]
    assert {name: contract["default"] for name, contract in contracts.items()} == {
        "Guarded": True,
        "assets": False,
        "org.hyperledger.fabric": False,
    }
