"""What `GetMetadata` tells of the contracts: chaincode.md §3."""

from __future__ import annotations

import json
from typing import Any

from conformance.calls import call
from conformance.case import Case

NODE_LACKS = {
    "ledger": {
        "GetMany",
        "PrivateGetMany",
        "AllCompositePage",
        "Creator",
        "Decorations",
        "SignedProposal",
    },
    "types": {"Bytes", "Moment"},
}
PARAMETER_NAMES = (
    "Metadata: Go numbers the parameters (`param0`), Node has their names, and so has ours; all"
    " else is Go's form, because Node tells less: every number is `number`, nothing is required,"
    " and the tags have other spellings."
)
INFO = (
    "Metadata: title and version of the chaincode are Go's settings or the `package.json` of Node;"
    " ours are those of the default contract."
)


def without_names(payload: str) -> str:
    """Everything but the names of the parameters, the title and version of the chaincode, and
    that a field of ours may be null."""
    metadata = json.loads(payload)
    del metadata["info"]
    for contract in metadata["contracts"].values():
        for transaction in contract["transactions"]:
            for parameter in transaction.get("parameters", []):
                del parameter["name"]
    for schema in metadata["components"]["schemas"].values():
        for field in schema["properties"].values():
            if "type" in field:
                field["type"] = _type(field)
    return json.dumps(metadata)


def names(payload: str) -> str:
    """The functions that all have, with the names and the kinds of their parameters."""
    contracts = json.loads(payload)["contracts"]
    return json.dumps(
        {
            name: {
                transaction["name"]: [
                    [parameter["name"], _kind(parameter["schema"])]
                    for parameter in transaction.get("parameters", [])
                ]
                for transaction in sorted(contract["transactions"], key=lambda each: each["name"])
                if transaction["name"] not in NODE_LACKS.get(name, ())
            }
            for name, contract in contracts.items()
        }
    )


def components(payload: str) -> str:
    """The objects with the kinds of their fields."""
    schemas = json.loads(payload)["components"]["schemas"]
    return json.dumps(
        {
            name: {field: _kind(kind) for field, kind in schema["properties"].items()}
            for name, schema in schemas.items()
        }
    )


def _type(schema: dict[str, Any]) -> Any:
    """Without the null that ours may be; see `cases_contract.OPTIONAL`."""
    kind = schema["type"]
    return kind[0] if isinstance(kind, list) and kind[1:] == ["null"] else kind


def _kind(schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return schema["$ref"]
    kind = "number" if _type(schema) == "integer" else _type(schema)
    inner = schema.get("items") or schema.get("additionalProperties")
    return [kind, _kind(inner)] if isinstance(inner, dict) else kind


GET_METADATA = (call("org.hyperledger.fabric:GetMetadata"),)
METADATA = [
    Case(
        name="all of it but the parameters' names",
        calls=GET_METADATA,
        among=("ours", "go"),
        view=without_names,
        why=INFO,
    ),
    Case(
        name="functions, and the names and kinds of parameters",
        calls=GET_METADATA,
        among=("ours", "go", "node"),
        follows="node",
        view=names,
        why=PARAMETER_NAMES,
    ),
    Case(
        name="objects, and the kinds of their fields",
        calls=GET_METADATA,
        among=("ours", "go", "node"),
        view=components,
    ),
]
