# Made by scripts/make_sync.py from _block_fetch_async.py: change that, and run it.
"""One block, read from the gateway's peer by its number (`qscc`, `GetBlockByNumber`)."""

from __future__ import annotations

import secrets
import time

import grpc
from fabric_protos.peer import proposal_pb2

from medfab_gateway._block import Block
from medfab_gateway._block_decoder import decode_block
from medfab_gateway._calls import Client
from medfab_gateway._messages.proposal import NONCE_BYTES, build_proposal
from medfab_gateway._method import READ_BLOCK
from medfab_gateway.errors import DeliverError

_SUCCESS = 200


def fetch_block(client: Client, *, channel_name: str, number: int) -> Block:
    """The block, validation codes included. Raises `DeliverError`.

    Asked of the peer itself, not through its Gateway service, which may ask a peer that has not
    got the block yet.
    """
    unsigned = build_proposal(
        identity=client.identity,
        channel_id=channel_name,
        chaincode_name="qscc",
        args=[b"GetBlockByNumber", channel_name.encode(), str(number).encode()],
        transient={},
        nonce=secrets.token_bytes(NONCE_BYTES),
        timestamp_ns=time.time_ns(),
    )
    signed = proposal_pb2.SignedProposal(
        proposal_bytes=unsigned.proposal_bytes,
        signature=client.sign(unsigned.proposal_bytes),
    )
    action = f"Reading block {number} of channel {channel_name}"
    answer = client.call(
        READ_BLOCK,
        signed,
        action=action,
        timeout=client.options.evaluate_timeout,
        transaction_id=unsigned.transaction_id,
    )
    if answer.response.status != _SUCCESS:
        raise DeliverError(
            f"{action} failed: {answer.response.message}.\nCheck that the identity "
            "may read the channel's blocks: qscc/GetBlockByNumber in the channel's ACLs.",
            code=grpc.StatusCode.PERMISSION_DENIED
            if "access denied" in answer.response.message
            else grpc.StatusCode.UNKNOWN,
        )
    return decode_block(bytes(answer.response.payload))
