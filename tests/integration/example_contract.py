"""The contract that the examples in the client's docstrings call, for
`test_docstring_examples.py`: served by the network."""

from __future__ import annotations

import json

from medfab_chaincode import Context, Contract, ContractError, evaluate, submit


class Assets(Contract):
    name = "assets"

    @submit("MoveAsset")
    def move(self, context: Context, asset: str, ward: str) -> str:
        """Reads nothing, so that no two moves can conflict."""
        context.stub.put_state(asset, json.dumps({"id": asset, "ward": ward}).encode())
        context.stub.set_event("moved", ward.encode())
        return ward

    @submit("InspectAsset")
    def inspect(self, context: Context, asset: str) -> None:
        context.stub.put_private_data(
            "_implicit_org_HospitalMSP", asset, context.transient["report"]
        )

    @evaluate("ReadAsset")
    async def read(self, context: Context, asset: str) -> dict[str, str]:
        value = await context.stub.get_state(asset)
        if value is None:
            raise ContractError("There is no such asset.", code="NOT_FOUND")
        found: dict[str, str] = json.loads(value)
        return found
