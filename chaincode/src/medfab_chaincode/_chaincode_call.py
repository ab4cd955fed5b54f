"""Calling another chaincode from within a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2

from medfab_chaincode import _keys
from medfab_chaincode._conversation import Conversation
from medfab_chaincode.errors import InvalidKeyError, PeerError

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage


@dataclass(frozen=True, slots=True)
class Response:
    """What a called chaincode answered; `repr` shows the status alone."""

    status: int
    """200 for success; 400 and above is a refusal, which the caller has to look for."""

    message: str = field(repr=False)
    payload: bytes = field(repr=False)


async def invoke_chaincode(
    conversation: Conversation, name: str, args: Sequence[str | bytes], channel: str
) -> Response:
    """Send INVOKE_CHAINCODE; see `Stub.invoke_chaincode`."""
    if isinstance(args, str | bytes):
        raise TypeError("the arguments of a chaincode are a list, not one string")
    if not name:
        raise InvalidKeyError("the name of a chaincode must not be empty")
    if any(sign in name or sign in channel for sign in "/:"):
        # The peer reads "name:version/channel": a name could lead to another channel.
        raise InvalidKeyError("the names of chaincodes and channels hold no slash and no colon")
    instance = _keys.encodable(f"{name}/{channel}" if channel else name, "a chaincode's name")
    spec = chaincode_pb2.ChaincodeSpec(
        chaincode_id=chaincode_pb2.ChaincodeID(name=instance),
        input=chaincode_pb2.ChaincodeInput(
            args=[arg.encode() if isinstance(arg, str) else arg for arg in args]
        ),
    )
    payload = await conversation.request("INVOKE_CHAINCODE", spec.SerializeToString())
    ending = ChaincodeMessage.FromString(payload)
    if ending.type != ChaincodeMessage.COMPLETED:
        raise PeerError("INVOKE_CHAINCODE", ending.payload.decode("utf-8", "replace"))
    response = proposal_response_pb2.Response.FromString(ending.payload)
    return Response(response.status, response.message, response.payload)
