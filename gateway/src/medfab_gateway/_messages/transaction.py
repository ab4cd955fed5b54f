"""Endorsed transactions, and the question whether one was committed."""

from __future__ import annotations

from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2

from medfab_gateway.identity import Identity


def read_channel_header(envelope_payload: bytes) -> Any:
    """The `common.ChannelHeader` in the payload of an envelope. Raises protobuf's `DecodeError`."""
    payload = common_pb2.Payload.FromString(envelope_payload)
    return common_pb2.ChannelHeader.FromString(payload.header.channel_header)


def read_transaction_result(envelope_payload: bytes) -> bytes:
    """What the contract answered, from the payload of an endorsed transaction's envelope.

    Raises protobuf's `DecodeError` or `ValueError` for bytes that are no such payload.
    """
    payload = common_pb2.Payload.FromString(envelope_payload)
    transaction = transaction_pb2.Transaction.FromString(payload.data)
    if not transaction.actions:
        raise ValueError("the transaction has no action")
    action = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    endorsed = action.action.proposal_response_payload
    if not endorsed:  # a proposal is read as far as this without an error
        raise ValueError("the transaction is not endorsed")
    response = proposal_response_pb2.ProposalResponsePayload.FromString(endorsed)
    chaincode_action = proposal_pb2.ChaincodeAction.FromString(response.extension)
    result: bytes = chaincode_action.response.payload
    return result


def build_commit_status_request(
    *, identity: Identity, channel_id: str, transaction_id: str
) -> bytes:
    """A `gateway.CommitStatusRequest`, serialised: these bytes are what is signed.

    It holds neither time nor nonce, so its signature stays usable.
    """
    request = gateway_pb2.CommitStatusRequest(
        transaction_id=transaction_id, channel_id=channel_id, identity=identity.serialized
    )
    serialized: bytes = request.SerializeToString()
    return serialized
