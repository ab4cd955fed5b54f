"""The stream between a simulated peer and the shim: real messages, no socket."""

import asyncio
from typing import Any

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2

from medfab_chaincode._execution import Executor
from medfab_chaincode._handler import StreamHandler
from medfab_chaincode._observation import Observers
from medfab_chaincode.testing._refusal import RefusalError
from medfab_chaincode.testing._requests import Requests

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage

_BATCH_SIZE = 1000
"""What peers announce as they are delivered."""

_READY = ChaincodeMessage(
    type="READY",
    payload=chaincode_pb2.ChaincodeAdditionalParams(
        use_write_batch=True,
        max_size_write_batch=_BATCH_SIZE,
        use_get_multiple_keys=True,
        max_size_get_multiple_keys=_BATCH_SIZE,
    ).SerializeToString(),
).SerializeToString()


class PeerStream:
    """The shim's transport seam: shakes hands, runs one transaction, then ends the stream."""

    def __init__(self, transaction: Any, requests: Requests) -> None:
        self.ending: Any = None
        """The COMPLETED or ERROR message, once it has come."""
        self._transaction = transaction
        self._requests = requests
        self._to_chaincode: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def receive(self) -> bytes | None:
        return await self._to_chaincode.get()

    async def send(self, message: bytes) -> None:
        sent = ChaincodeMessage.FromString(message)
        if sent.type == ChaincodeMessage.REGISTER:
            self._to_chaincode.put_nowait(_READY)
            self._to_chaincode.put_nowait(self._transaction.SerializeToString())
        elif sent.type in (ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR):
            self.ending = sent
            self._to_chaincode.put_nowait(None)
        else:
            self._to_chaincode.put_nowait(await self._answer(sent))

    async def _answer(self, request: Any) -> bytes:
        answer = ChaincodeMessage(txid=request.txid, channel_id=request.channel_id)
        kind = ChaincodeMessage.Type.Name(request.type)
        try:
            answer.payload = await self._requests.answer(kind, request.payload)
            answer.type = ChaincodeMessage.RESPONSE
        except RefusalError as error:
            answer.payload = str(error).encode()
            answer.type = ChaincodeMessage.ERROR
        serialized: bytes = answer.SerializeToString()
        return serialized


async def run_transaction(executor: Executor, transaction: Any, requests: Requests) -> Any:
    """Let the chaincode run a TRANSACTION message; returns the message that ended it."""
    stream = PeerStream(transaction, requests)
    handler = StreamHandler(
        stream, chaincode_id="in-memory", executor=executor, observer=Observers([])
    )
    await handler.run()
    if stream.ending is None:
        raise RuntimeError("the chaincode's handler ended before the transaction; see its log")
    return stream.ending
