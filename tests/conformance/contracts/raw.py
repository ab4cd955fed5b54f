"""The conformance contract without the contract API: raw on the shim, served by this program.

python -m conformance.contracts.raw
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable
from pathlib import Path

from conformance.contracts.raw_functions import FUNCTIONS, RefusedError
from medfab_chaincode import (
    Chaincode,
    ChaincodeError,
    PeerError,
    Response,
    ServerSettings,
    Stub,
    serve,
)


class Raw(Chaincode):
    async def invoke(self, stub: Stub) -> Response:
        function = FUNCTIONS.get(stub.args[0].decode().removeprefix("ledger:"))
        if function is None:
            return Response(500, "there is no such function", b"")
        try:
            # Arguments are bytes: `Args` is called with some that are no text.
            texts = [argument.decode("utf-8", "replace") for argument in stub.args[1:]]
            result = function(stub, *texts)
            answer = await result if isinstance(result, Awaitable) else result
        except PeerError as error:
            return Response(500, error.reason, b"")
        except (ChaincodeError, RefusedError) as error:
            return Response(500, str(error), b"")
        return Response(200, "", (answer or "").encode())


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    environment = os.environ
    settings = ServerSettings(
        address=environment["CHAINCODE_SERVER_ADDRESS"],
        chaincode_id=environment["CHAINCODE_ID"],
        tls_key_file=Path(environment["CHAINCODE_TLS_KEY_FILE"]),
        tls_certificate_file=Path(environment["CHAINCODE_TLS_CERT_FILE"]),
        client_ca_certificate_file=Path(environment["CHAINCODE_CLIENT_CA_CERT_FILE"]),
    )
    await serve(Raw(), settings, stop=stop)


if __name__ == "__main__":
    asyncio.run(main())
