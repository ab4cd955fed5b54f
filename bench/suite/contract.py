"""The contract of every stack in Python: small, and the same in bench/official/stack-{go,node}.

An asset is public JSON; the price of a transfer is private. It reads one key, a range, and writes
one public and one private value: what contracts do, and little of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from medfab_chaincode import (
    Context,
    Contract,
    ContractError,
    Transient,
    canonical_json,
    evaluate,
    parse_state,
    submit,
)

COLLECTION = "shared"


@dataclass(frozen=True, kw_only=True)
class Asset:
    id: str
    lot: str
    owner: str
    units: int
    version: int


class Assets(Contract):
    name = "assets"

    @submit("Fill")
    async def fill(self, context: Context, prefix: str, count: int) -> None:
        """Put so many assets on the ledger: preparation, and not measured."""
        for number in range(count):
            asset = Asset(
                id=f"{prefix}{number:05d}",
                lot=f"L{number % 10}",
                owner="maker",
                units=100 + number % 50,
                version=1,
            )
            context.stub.put_state(asset.id, canonical_json(asset))

    @evaluate("Read")
    async def read(self, context: Context, asset_id: str) -> Asset:
        return await _load(context, asset_id)

    @evaluate("List")
    async def list(self, context: Context, start: str, end: str) -> list[Asset]:
        rows = context.stub.get_state_by_range(start, end)
        return [parse_state(Asset, row.value) async for row in rows]

    @submit("Transfer")
    async def transfer(
        self,
        context: Context,
        asset_id: str,
        owner: str,
        units: int,
        price: Annotated[bytes, Transient()],
    ) -> Asset:
        asset = await _load(context, asset_id)
        if units > asset.units:
            raise ContractError(f"the asset has {asset.units} units", code="TOO_MANY")
        after = replace(asset, owner=owner, units=asset.units - units, version=asset.version + 1)
        context.stub.put_state(asset_id, canonical_json(after))
        context.stub.put_private_data(COLLECTION, asset_id, price)
        return after

    @evaluate("Price")
    async def price(self, context: Context, asset_id: str) -> bytes | None:
        return await context.stub.get_private_data(COLLECTION, asset_id)


async def _load(context: Context, asset_id: str) -> Asset:
    state = await context.stub.get_state(asset_id)
    if state is None:
        raise ContractError(f"there is no asset {asset_id}", code="NOT_FOUND", status=404)
    return parse_state(Asset, state)
