# Made by scripts/make_sync.py from _ledger_async.py: change that, and run it.
"""Questions to a peer about its ledger (the system chaincode `qscc`)."""

from __future__ import annotations

import secrets
import time

import grpc
from fabric_protos.common import ledger_pb2
from fabric_protos.peer import proposal_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._block import Block
from medfab_gateway._block_decoder import decode_block
from medfab_gateway._calls import Client
from medfab_gateway._messages.proposal import NONCE_BYTES, build_proposal
from medfab_gateway._method import READ_BLOCK
from medfab_gateway._rpc_errors import unusable_answer_error
from medfab_gateway.errors import BlockDecodeError, DeliverError, GatewayError

_SUCCESS = 200


def fetch_block(client: Client, *, channel_name: str, number: int) -> Block:
    """One block, validation codes included. Raises `GatewayError`."""
    action = f"Reading block {number} of channel {channel_name}"
    answer = _ask(client, channel_name, b"GetBlockByNumber", str(number).encode(), action=action)
    try:
        return decode_block(answer)
    except BlockDecodeError as error:
        raise _unusable(action) from error


def fetch_height(client: Client, *, channel_name: str) -> int:
    """The number of the next block to be committed. Raises `GatewayError`."""
    action = f"Asking for the number of blocks of channel {channel_name}"
    answer = _ask(client, channel_name, b"GetChainInfo", action=action)
    try:
        height: int = ledger_pb2.BlockchainInfo.FromString(answer).height
    except DecodeError as error:
        raise _unusable(action) from error
    return height


def _ask(client: Client, channel_name: str, function: bytes, *args: bytes, action: str) -> bytes:
    """Asks a peer itself, not through its Gateway service, which may ask one that is behind."""
    unsigned = build_proposal(
        identity=client.identity,
        channel_id=channel_name,
        chaincode_name="qscc",
        args=[function, channel_name.encode(), *args],
        transient={},
        nonce=secrets.token_bytes(NONCE_BYTES),
        timestamp_ns=time.time_ns(),
    )
    signed = proposal_pb2.SignedProposal(
        proposal_bytes=unsigned.proposal_bytes,
        signature=client.sign(unsigned.proposal_bytes),
    )
    answer = client.call(
        READ_BLOCK,
        signed,
        action=action,
        timeout=client.options.evaluate_timeout,
        transaction_id=unsigned.transaction_id,
    )
    if answer.response.status != _SUCCESS:
        said = answer.response.message
        raise DeliverError(
            f"{action} failed: {said}.\nCheck that the identity may read the channel's blocks: "
            f"qscc/{function.decode()} in the channel's ACLs.",
            code=_code(said),
        )
    return bytes(answer.response.payload)


def _unusable(action: str) -> GatewayError:
    return unusable_answer_error(DeliverError, action=action, address=None, msp_id=None)


def _code(said: str) -> grpc.StatusCode:
    if "access denied" in said:
        return grpc.StatusCode.PERMISSION_DENIED
    if "no such block number" in said:  # fabric/common/ledger/blkstorage: the peer is behind
        return grpc.StatusCode.NOT_FOUND
    return grpc.StatusCode.UNKNOWN
