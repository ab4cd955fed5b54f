"""The chaincodes that `bench.chaincode` measures: the same on our shim and on our contract API.

python -m bench.chaincodes raw ADDRESS; the contract is served by `medfab-chaincode serve`.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from medfab_chaincode import Chaincode, Context, Contract, Response, ServerSettings, Stub, serve
from medfab_chaincode import submit as submits


class Raw(Chaincode):
    async def invoke(self, stub: Stub) -> Response:
        function, size = stub.args
        total = (
            await read_range(stub) if function == b"Range" else await read_write(stub, int(size))
        )
        return Response(200, "", str(total).encode())


class Api(Contract):
    name = "api"

    @submits("ReadWrite")
    async def read_write(self, context: Context, size: int) -> int:
        return await read_write(context.stub, size)

    @submits("Range")
    async def range(self, context: Context, size: int) -> int:
        return await read_range(context.stub)


async def read_write(stub: Stub, size: int) -> int:
    keys = [f"key{number}" for number in range(size)]
    values = await asyncio.gather(*(stub.get_state(key) for key in keys))
    for key, value in zip(keys, values, strict=True):
        stub.put_state(key, value or b"")
    return sum(len(value or b"") for value in values)


async def read_range(stub: Stub) -> int:
    return sum([len(row.value) async for row in stub.get_state_by_range("a", "b")])


if __name__ == "__main__":
    settings = ServerSettings(chaincode_id="bench:1", address=sys.argv[2], tls_disabled=True)
    uvloop.run(serve(Raw(), settings))
