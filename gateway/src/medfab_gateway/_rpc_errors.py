"""gRPC failures → `GatewayError`: the one place where this is done."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import grpc
from fabric_protos.gateway import gateway_pb2
from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from medfab_gateway.errors import (
    ChaincodeFailure,
    CommitStatusError,
    ConnectionFailedError,
    DeliverError,
    EndorseError,
    ErrorDetail,
    EvaluateError,
    GatewayError,
    OutcomeUnknownError,
    RequestLimitError,
    SubmitError,
)


def translate_rpc_error(
    error: grpc.RpcError,
    error_type: type[GatewayError],
    *,
    action: str,
    address: str | None,
    msp_id: str | None = None,
    timeout: float | None = None,
    transaction_id: str | None = None,
) -> GatewayError:
    """What to raise instead of `error`, with `raise … from error`.

    The result is an `error_type`, except that it is a `ConnectionFailedError` or a
    `RequestLimitError` where it is certain that the peer has not begun with the call.

    action: what was tried, to go into "… failed": "Endorsing Read of chaincode ehr on care".
    address, msp_id: of the peer called; None where they are not known (a channel made by the
    caller).
    timeout: seconds the call was allowed; None where it had no deadline.
    """
    code, text = error.code(), error.details() or ""
    peer = f"{address} ({msp_id})" if address and msp_id else address or "the peer"
    where: dict[str, Any] = {"address": address, "msp_id": msp_id, "transaction_id": transaction_id}
    if code is grpc.StatusCode.UNAVAILABLE and _NEVER_SENT.search(text):
        return ConnectionFailedError(
            f"{action} failed: {peer} cannot be reached ({text}).\n{_connection_advice(text)}",
            code=code,
            **where,
        )
    if code is grpc.StatusCode.UNKNOWN and text.startswith(_LIMITER_TEXT):
        return RequestLimitError(
            f"{action} failed: {peer} is busy ({text}).\nThe call had no effect: repeat it after "
            "a pause, send fewer at a time, or raise peer.limits.concurrency in its core.yaml.",
            code=code,
            **where,
        )
    details = _details(error)
    if issubclass(error_type, SubmitError) and not _certainly_not_ordered(code, details):
        error_type = OutcomeUnknownError
    access_denied = "access denied" in text
    chaincode = _chaincode_failure(details, text)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED and timeout is not None:
        text = f"no answer from {peer} within {round(timeout, 2):g} s" if not details else text
    if len(details) == 1 and details[0].message:
        text = text.removesuffix(details[0].message).rstrip(": ") or text  # said once is enough
    at = f" at {peer}" if address else ""
    lines = [f"{action} failed{at} ({code.name}): {text}"]
    lines += [f"  {detail}" for detail in details]
    advice = _advice(error_type, code, access_denied, chaincode, transaction_id)
    if chaincode is None and issubclass(error_type, EndorseError | EvaluateError):
        advice = _known_cause(lines) or advice
    if advice:
        lines.append(advice)
    return error_type(
        "\n".join(lines),
        code=code,
        details=details,
        chaincode=chaincode,
        **where,
    )


def closed_error(
    error_type: type[GatewayError], *, action: str, transaction_id: str | None = None
) -> GatewayError:
    """What to raise where a call was ended by closing the gateway.

    gRPC's asyncio form raises `asyncio.CancelledError` then, which would end a task that nobody
    cancelled.
    """
    code = grpc.StatusCode.CANCELLED
    if issubclass(error_type, SubmitError):
        error_type = OutcomeUnknownError
    advice = _advice(error_type, code, False, None, transaction_id)
    message = f"{action} failed: the gateway was closed meanwhile.\n{advice}".rstrip()
    return error_type(message, code=code, transaction_id=transaction_id)


def already_closed_error(*, action: str, transaction_id: str | None = None) -> GatewayError:
    """What to raise where a call was begun on a gateway, or a channel, that is closed."""
    return ConnectionFailedError(
        f"{action} failed: the gateway is closed.\nThe call had no effect: connect again.",
        code=grpc.StatusCode.CANCELLED,
        transaction_id=transaction_id,
    )


def own_limit_error(
    *, action: str, limit: int, address: str | None, transaction_id: str
) -> RequestLimitError:
    """What to raise where a call was not begun, because others of this gateway took too long."""
    return RequestLimitError(
        f"{action} failed: the {limit} calls that this gateway makes at a time to "
        f"{address or 'the peer'} did not leave room for it in time.\nThe call had no effect: "
        "repeat it, send fewer at a time, or raise the limits in GatewayOptions.",
        code=grpc.StatusCode.RESOURCE_EXHAUSTED,
        transaction_id=transaction_id,
    )


def unusable_answer_error(
    error_type: type[GatewayError],
    *,
    action: str,
    address: str | None,
    msp_id: str | None,
    transaction_id: str | None = None,
) -> GatewayError:
    """What to raise where a peer's answer cannot be read, or lacks what it is about."""
    code = grpc.StatusCode.INTERNAL
    if issubclass(error_type, SubmitError):
        error_type = OutcomeUnknownError
    advice = _advice(error_type, code, False, None, transaction_id)
    message = (
        f"{action} failed: {address or 'the peer'} answered with something else. "
        f"Check that a Fabric peer is at this address.\n{advice}"
    ).rstrip()
    return error_type(
        message, code=code, address=address, msp_id=msp_id, transaction_id=transaction_id
    )


def task_is_cancelled() -> bool:
    """Whether the running task has been cancelled, by its owner or a timeout."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


# gRPC's own words where no connection was made: nothing of the call has left this machine.
_NEVER_SENT = re.compile(r"failed to connect to all addresses|DNS resolution failed", re.IGNORECASE)

# fabric/internal/peer/node/grpc_limiters.go: sent before the request is looked at.
_LIMITER_TEXT = "too many requests for /"


def _details(error: grpc.RpcError) -> tuple[ErrorDetail, ...]:
    """The `gateway.ErrorDetail`s in the trailing metadata; none where they cannot be read."""
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key != "grpc-status-details-bin":
            continue
        try:
            status = status_pb2.Status.FromString(value)
            return tuple(_detail(packed.value) for packed in status.details if _is_detail(packed))
        except DecodeError:
            return ()  # a failure of the call must not be hidden by a failure to explain it
    return ()


def _is_detail(packed: object) -> bool:
    return str(getattr(packed, "type_url", "")).endswith("/gateway.ErrorDetail")


def _detail(serialized: bytes) -> ErrorDetail:
    message = gateway_pb2.ErrorDetail.FromString(serialized)
    return ErrorDetail(address=message.address, msp_id=message.msp_id, message=message.message)


def _chaincode_failure(details: tuple[ErrorDetail, ...], text: str) -> ChaincodeFailure | None:
    for candidate in (*(detail.message for detail in details), text):
        failure = ChaincodeFailure.parse(candidate)
        if failure is not None:
            return failure
    return None


def _connection_advice(text: str) -> str:
    if "certificate has expired" in text:
        return (
            "The call had no effect. The TLS certificate of the node has expired: whoever runs it "
            "has to renew the certificate, and to start the node again (unless the clock of this "
            "machine is wrong)."
        )
    if re.search(r"certificate|handshake|verification|ssl|tls", text, re.IGNORECASE):
        return (
            "TLS did not come about: check that the TLS CA certificate is that of the node's "
            "organisation, that the node's certificate is made out to this host name (or set "
            "server_name), and that the node speaks TLS."
        )
    return "The call had no effect. Check that the node is running and that the address is right."


def _advice(
    error_type: type[GatewayError],
    code: grpc.StatusCode,
    access_denied: bool,
    chaincode: ChaincodeFailure | None,
    transaction_id: str | None,
) -> str:
    """What to do next; empty where the peers' own words say it."""
    if issubclass(error_type, SubmitError):
        return "The orderers did not take the transaction; nothing has changed."
    if issubclass(error_type, CommitStatusError):
        if code is grpc.StatusCode.PERMISSION_DENIED:
            return (
                "Check that the peer has joined the channel, and that the identity is a member "
                "of it whose key belongs to its certificate."
            )
        return (
            f"Its outcome is not known yet: ask network.commit({transaction_id!r}).status() again."
        )
    if issubclass(error_type, OutcomeUnknownError):
        return (
            f"The transaction may have been ordered nevertheless: ask "
            f"network.commit({transaction_id!r}).status() before submitting anything again."
        )
    if chaincode is not None:
        return ""
    if issubclass(error_type, EndorseError | EvaluateError):
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return "Nothing was submitted. Repeat it, or allow it more time with timeout=."
        if access_denied:
            return (
                "Check that the identity belongs to an organisation of the channel, that its "
                "certificate is valid and not revoked, and that its key belongs to it."
            )
        return _ENDORSER_ADVICE.get(code, "")
    if issubclass(error_type, DeliverError) and code is grpc.StatusCode.UNAVAILABLE:
        return "The connection was lost: begin again at the block after the last one received."
    return ""


def _known_cause(lines: list[str]) -> str:
    """Advice where a peer's words tell the cause better than the gRPC code; else empty."""
    said = "\n".join(lines)
    return next((advice for words, advice in _KNOWN_CAUSES if words in said), "")


# The words of fabric/core/handlers/auth/filter, core/chaincode/chaincode_support.go and
# gossip/service/gossip_service.go.
_KNOWN_CAUSES = (
    (
        "incorrect timestamp",
        "Nothing was submitted. The clocks of this machine and of the peer differ by more than "
        "the peer allows: set them right, or make a new proposal where this one is old.",
    ),
    (
        "identity expired",
        "Nothing was submitted. The certificate has expired: enrol the identity again.",
    ),
    (
        "could not launch chaincode",
        "Nothing was submitted. The peer cannot reach its chaincode: see that the chaincode's "
        "process runs at the address that the peer dialled, and repeat the call.",
    ),
    (
        "failed to distribute private collection",
        "Nothing was submitted. The endorsing peer found fewer peers than private data must be "
        "with (requiredPeerCount of the collection): see that the other peers of the organisation, "
        "or of the collection's members, run, and repeat the call.",
    ),
)

# What fabric/internal/pkg/gateway/submit.go answers before it sends anything to an orderer, and
# ABORTED where an orderer refused.
_NOT_ORDERED = {
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
}


def _certainly_not_ordered(code: grpc.StatusCode, details: tuple[ErrorDetail, ...]) -> bool:
    """Two details are of two orderers: the one before the last may have taken the transaction,
    and its answer have been lost."""
    return code in _NOT_ORDERED and len(details) < 2


_ENDORSER_ADVICE = {
    grpc.StatusCode.ABORTED: (
        "Nothing was submitted. The chaincode or its peers failed; their logs say more."
    ),
    grpc.StatusCode.FAILED_PRECONDITION: (
        "Check that the chaincode is committed on the channel, that it runs at the peers of "
        "enough organisations, and that a peer of every organisation named is running."
    ),
    grpc.StatusCode.UNAVAILABLE: (
        "Check that the peer has joined the channel, and that a peer of every organisation named "
        "is running and known to it."
    ),
}
