"""The transport seam over one grpc.aio call to a peer that we dial."""

from typing import Any

import grpc.aio

from medfab_chaincode._transport import MESSAGE_BYTES

SIZE_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
)


class GrpcStream:
    """A `Stream` of raw bytes: gRPC is given no (de)serialisers."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def receive(self) -> bytes | None:
        message: Any = await self._call.read()
        return None if message is grpc.aio.EOF else message

    async def send(self, message: bytes) -> None:
        await self._call.write(message)
