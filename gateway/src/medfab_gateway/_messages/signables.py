"""Signables from bytes that came from elsewhere, checked before anything is done with them.

A signature is worth what was looked at before it was made: bytes that are no such message, belong
to somebody else, or contradict themselves are refused here, not by the peer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._messages.transaction import read_transaction_result
from medfab_gateway.errors import SignableError
from medfab_gateway.identity import Identity


@dataclass(frozen=True, kw_only=True)
class ReadProposal:
    """What is in the bytes of a proposal."""

    message: Any = field(repr=False)
    """A `gateway.ProposedTransaction`."""

    channel_name: str
    chaincode_name: str
    function: str
    """With the name of the contract before it, where there is one: `contract:function`."""


@dataclass(frozen=True, kw_only=True)
class ReadCommit:
    """What is in the bytes of a commit."""

    message: Any = field(repr=False)
    """A `gateway.SignedCommitStatusRequest`."""

    channel_name: str
    transaction_id: str


@dataclass(frozen=True, kw_only=True)
class ReadEventsRequest:
    """What is in the bytes of a request for events."""

    message: Any = field(repr=False)
    """A `gateway.SignedChaincodeEventsRequest`, or for blocks a `common.Envelope`."""

    channel_name: str
    chaincode_name: str = ""
    """Empty for blocks."""


def read_proposal(data: bytes, identity: Identity) -> ReadProposal:
    """From a `gateway.ProposedTransaction`. Raises `SignableError`."""
    what = "a proposal"
    message = _parse(gateway_pb2.ProposedTransaction, data, what)
    proposal = _parse(proposal_pb2.Proposal, message.proposal.proposal_bytes, what)
    header = _parse(common_pb2.Header, proposal.header, what)
    channel_header = _check_transaction_header(header, message.transaction_id, identity, what)
    payload = _parse(proposal_pb2.ChaincodeProposalPayload, proposal.payload, what)
    invocation = _parse(chaincode_pb2.ChaincodeInvocationSpec, payload.input, what)
    spec = invocation.chaincode_spec
    _require(bool(spec.input.args), what, "it calls no function")
    extension = _parse(proposal_pb2.ChaincodeHeaderExtension, channel_header.extension, what)
    _require(
        extension.chaincode_id.name == spec.chaincode_id.name,
        what,
        "its header and its content name different chaincodes",
    )
    return ReadProposal(
        message=message,
        channel_name=channel_header.channel_id,
        chaincode_name=spec.chaincode_id.name,
        function=spec.input.args[0].decode(errors="replace"),
    )


def read_transaction(data: bytes, identity: Identity) -> Any:
    """The `gateway.PreparedTransaction`. Raises `SignableError`."""
    what = "an endorsed transaction"
    message = _parse(gateway_pb2.PreparedTransaction, data, what)
    payload = _parse(common_pb2.Payload, message.envelope.payload, what)
    _check_transaction_header(payload.header, message.transaction_id, identity, what)
    try:
        read_transaction_result(message.envelope.payload)
    except (DecodeError, ValueError) as error:
        raise _refusal(what, "it holds no answer of a contract") from error
    return message


def read_commit(data: bytes, identity: Identity) -> ReadCommit:
    """From a `gateway.SignedCommitStatusRequest`. Raises `SignableError`."""
    what = "a commit"
    message = _parse(gateway_pb2.SignedCommitStatusRequest, data, what)
    request = _parse(gateway_pb2.CommitStatusRequest, message.request, what)
    _check_creator(request.identity, identity, what)
    _require(_is_transaction_id(request.transaction_id), what, "it names no transaction")
    return ReadCommit(
        message=message, channel_name=request.channel_id, transaction_id=request.transaction_id
    )


def read_chaincode_events_request(data: bytes, identity: Identity) -> ReadEventsRequest:
    """From a `gateway.SignedChaincodeEventsRequest`. Raises `SignableError`."""
    what = "a request for chaincode events"
    message = _parse(gateway_pb2.SignedChaincodeEventsRequest, data, what)
    request = _parse(gateway_pb2.ChaincodeEventsRequest, message.request, what)
    _check_creator(request.identity, identity, what)
    # Which a commit does not have, and is else the same on the wire.
    _require(request.HasField("start_position"), what, "it says not where to begin")
    return ReadEventsRequest(
        message=message, channel_name=request.channel_id, chaincode_name=request.chaincode_id
    )


def read_blocks_request(data: bytes, identity: Identity) -> ReadEventsRequest:
    """From a `common.Envelope` with a seek request, for blocks of any form. Raises
    `SignableError`."""
    what = "a request for blocks"
    message = _parse(common_pb2.Envelope, data, what)
    payload = _parse(common_pb2.Payload, message.payload, what)
    channel_header = _parse(common_pb2.ChannelHeader, payload.header.channel_header, what)
    _require(channel_header.type == common_pb2.DELIVER_SEEK_INFO, what, "it is of another type")
    signature_header = _parse(common_pb2.SignatureHeader, payload.header.signature_header, what)
    _check_creator(signature_header.creator, identity, what)
    seek = _parse(ab_pb2.SeekInfo, payload.data, what)
    whole = seek.HasField("start") and seek.HasField("stop")
    _require(whole, what, "it says not where to begin and to end")
    return ReadEventsRequest(message=message, channel_name=channel_header.channel_id)


def _check_transaction_header(
    header: Any, transaction_id: str, identity: Identity, what: str
) -> Any:
    """The `common.ChannelHeader` of a transaction, if all that it says fits together."""
    channel_header = _parse(common_pb2.ChannelHeader, header.channel_header, what)
    _require(channel_header.type == common_pb2.ENDORSER_TRANSACTION, what, "it is of another type")
    signature_header = _parse(common_pb2.SignatureHeader, header.signature_header, what)
    creator = signature_header.creator
    _check_creator(creator, identity, what)
    derived = hashlib.sha256(signature_header.nonce + creator).hexdigest()
    _require(transaction_id == channel_header.tx_id == derived, what, "its transaction ids differ")
    return channel_header


def _check_creator(creator: bytes, identity: Identity, what: str) -> None:
    _require(
        creator == identity.serialized,
        what,
        f"it was not made for the {identity.msp_id} identity that this gateway has",
    )


def _is_transaction_id(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _parse(message_type: Any, data: bytes, what: str) -> Any:
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        raise _refusal(what, "they are cut off, or something else") from error


def _require(holds: bool, what: str, otherwise: str) -> None:
    if not holds:
        raise _refusal(what, otherwise)


def _refusal(what: str, reason: str) -> SignableError:
    return SignableError(f"The bytes are not {what} that can be used here: {reason}.")
