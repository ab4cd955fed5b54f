"""A gateway peer that keeps the very bytes it was sent, and the official clients that send to it.

The programs are tests/official/gateway-node and tests/official/gateway-go.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import chaincode_event_pb2, events_pb2, proposal_pb2

import official
from medfab_gateway import Hash, Identity
from unit.gateway.fake_gateway import (
    Proposal,
    block_response,
    endorsed_payload,
    filtered_response,
)

_SECONDS = 120


@dataclass
class Recorder:
    """What arrived, in order: the last part of the method's name, and the message."""

    address: str
    requests: list[tuple[str, bytes]] = field(default_factory=list)

    def take(self) -> list[tuple[str, bytes]]:
        """What arrived since the last time."""
        taken, self.requests = self.requests, []
        return taken


@asynccontextmanager
async def recorder() -> AsyncIterator[Recorder]:
    """A server on loopback. It endorses whatever it gets; a stream has one event."""
    server = grpc.aio.server()
    address = f"localhost:{server.add_insecure_port('localhost:0')}"
    recorder = Recorder(address)

    def unary(method: str, answer: Any) -> Any:
        async def handle(request: bytes, context: Any) -> bytes:
            recorder.requests.append((method, request))
            data: bytes = answer(request).SerializeToString()
            return data

        return grpc.unary_unary_rpc_method_handler(handle)

    async def chaincode_events(request: bytes, context: Any) -> AsyncIterator[bytes]:
        recorder.requests.append(("ChaincodeEvents", request))
        event = chaincode_event_pb2.ChaincodeEvent(event_name="filed")
        yield gateway_pb2.ChaincodeEventsResponse(events=[event]).SerializeToString()

    def deliver(method: str, answer: Any) -> Any:
        async def handle(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            recorder.requests.append((method, await anext(aiter(requests))))
            yield answer.SerializeToString()

        return grpc.stream_stream_rpc_method_handler(handle)

    gateway = {
        "Evaluate": unary(
            "Evaluate", lambda _: gateway_pb2.EvaluateResponse(result={"status": 200})
        ),
        "Endorse": unary("Endorse", _endorse),
        "Submit": unary("Submit", lambda _: gateway_pb2.SubmitResponse()),
        "CommitStatus": unary(
            "CommitStatus", lambda _: gateway_pb2.CommitStatusResponse(block_number=7)
        ),
        "ChaincodeEvents": grpc.unary_stream_rpc_method_handler(chaincode_events),
    }
    block = block_response(7).block
    streams = {
        "Deliver": block_response(7),
        "DeliverFiltered": filtered_response(7),
        "DeliverWithPrivateData": events_pb2.DeliverResponse(
            block_and_private_data=events_pb2.BlockAndPrivateData(block=block)
        ),
    }
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("gateway.Gateway", gateway),
            grpc.method_handlers_generic_handler(
                "protos.Deliver",
                {method: deliver(method, answer) for method, answer in streams.items()},
            ),
        )
    )
    await server.start()
    try:
        yield recorder
    finally:
        await server.stop(grace=0)


def _endorse(request: bytes) -> Any:
    signed = gateway_pb2.EndorseRequest.FromString(request).proposed_transaction
    payload = endorsed_payload(Proposal.parse(signed), result=b"result")
    return gateway_pb2.EndorseResponse(prepared_transaction=common_pb2.Envelope(payload=payload))


def sign(digest: bytes) -> bytes:
    """What the programs sign with: the same for the same digest."""
    return b"signed " + digest


async def run(
    client: str,
    recorder: Recorder,
    identity: Identity,
    *,
    hash: Hash = Hash.SHA256,
    tls_certificate_hash: bytes | None = None,
    transactions: Sequence[Any] = (),
    events: Sequence[Any] = (),
    rebuild: Sequence[Any] = (),
    sign: Sequence[Any] = (),
) -> dict[str, list[Any]]:
    """What the official client, `node` or `go`, makes of the cases; bytes are `bytes`."""
    folder = Path(official.__file__).parent / f"gateway-{client}"
    if client == "node":
        project = await asyncio.to_thread(official.node_project, folder)
        command = [official.node(), project / "vectors.mjs"]
    else:
        command = [await official.go_program(folder)]
    cases = {
        "address": recorder.address,
        "msp_id": identity.msp_id,
        "certificate": identity.certificate,
        "hash": hash.value,
        "tls_certificate_hash": tls_certificate_hash,
        "transactions": transactions,
        "events": events,
        "rebuild": rebuild,
        "sign": sign,
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        given = json.dumps(_encode(cases)).encode()
        output, errors = await asyncio.wait_for(process.communicate(given), _SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    made: dict[str, list[Any]] = _decode(json.loads(output))
    return made


def _encode(value: Any) -> Any:
    """For JSON: bytes in base64, but for the certificate, which is text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {
            key: item.decode("ascii") if key == "certificate" else _encode(item)
            for key, item in value.items()
        }
    return [_encode(item) for item in value] if isinstance(value, (list, tuple)) else value


def _decode(value: Any) -> Any:
    """The reverse: everything that the programs print as text is base64, but for the ids."""
    if isinstance(value, dict):
        return {
            key: item if key == "transaction_id" else _decode(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return base64.b64decode(value, validate=True)


def nonce_and_time(proposal: bytes) -> tuple[bytes, int]:
    """What a client chose for a `gateway.ProposedTransaction`: the nonce, and nanoseconds."""
    message = gateway_pb2.ProposedTransaction.FromString(proposal)
    header = common_pb2.Header.FromString(
        proposal_pb2.Proposal.FromString(message.proposal.proposal_bytes).header
    )
    nonce: bytes = common_pb2.SignatureHeader.FromString(header.signature_header).nonce
    return nonce, _nanoseconds(header.channel_header)


def envelope_time(envelope: bytes) -> int:
    """The time in a `common.Envelope`, in nanoseconds."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    return _nanoseconds(payload.header.channel_header)


def _nanoseconds(channel_header: bytes) -> int:
    timestamp = common_pb2.ChannelHeader.FromString(channel_header).timestamp
    return int(timestamp.seconds) * 1_000_000_000 + int(timestamp.nanos)
