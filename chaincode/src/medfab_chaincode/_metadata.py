"""A key's metadata: Fabric keeps one entry there, the endorsement policy of the key."""

from fabric_protos.peer import chaincode_shim_pb2

from medfab_chaincode import _keys
from medfab_chaincode._conversation import Conversation

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"


async def read_validation_parameter(
    conversation: Conversation, collection: str, key: str
) -> bytes | None:
    """Return the key's validation parameter; None if it has none."""
    request = chaincode_shim_pb2.GetStateMetadata(key=_keys.checked_key(key), collection=collection)
    payload = await conversation.request("GET_STATE_METADATA", request.SerializeToString())
    for entry in chaincode_shim_pb2.StateMetadataResult.FromString(payload).entries:
        if entry.metakey == VALIDATION_PARAMETER:
            return bytes(entry.value) or None
    return None
