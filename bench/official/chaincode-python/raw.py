"""python raw.py ADDRESS: what bench/chaincodes.py has, on PyPI's fabric-chaincode-python.

It runs in an environment of its own: the package's names are not those of ours.
"""

import logging
import sys
from typing import Any

from fabric_chaincode_python.fabric_shim import server
from fabric_chaincode_python.fabric_shim.interfaces import Chaincode
from fabric_chaincode_python.fabric_shim.response import success


class Raw(Chaincode):
    async def init(self, stub: Any) -> Any:
        return success(None)

    async def invoke(self, stub: Any) -> Any:
        function, parameters = stub.get_function_and_parameters()
        if function == "Range":
            return success(str(await read_range(stub)))
        return success(str(await read_write(stub, int(parameters[0]))))


async def read_write(stub: Any, size: int) -> int:
    total = 0
    for number in range(size):
        value = await stub.get_state(f"key{number}")
        total += len(value)
        await stub.put_state(f"key{number}", value)
    return total


async def read_range(stub: Any) -> int:
    total = 0
    async for row in await stub.get_state_by_range("a", "b"):
        total += len(row.value)
    return total


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # it logs each message whole, which costs more than the rest
    server.start(Raw, cc_id="bench:1", address=sys.argv[1])
