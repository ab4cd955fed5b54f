"""The request for a stream of chaincode events (`gateway.ChaincodeEventsRequest`)."""

from __future__ import annotations

from fabric_protos.gateway import gateway_pb2

from medfab_gateway._messages.deliver import seek_position
from medfab_gateway.identity import Identity


def build_chaincode_events_request(
    *,
    identity: Identity,
    channel_id: str,
    chaincode_name: str,
    start_block: int | None,
    after_transaction_id: str | None = None,
) -> bytes:
    """A `gateway.ChaincodeEventsRequest`, serialised: these bytes are what is signed.

    start_block: None means the next block to be committed. after_transaction_id: the peer begins
    in that transaction's block, and sends nothing before it has seen an event of it: one that
    emitted none means silence for ever. None: not used. The request holds neither time nor nonce,
    so its signature stays usable.
    """
    request = gateway_pb2.ChaincodeEventsRequest(
        channel_id=channel_id,
        chaincode_id=chaincode_name,
        identity=identity.serialized,
        start_position=seek_position(start_block),
        after_transaction_id=after_transaction_id or "",
    )
    serialized: bytes = request.SerializeToString()
    return serialized
