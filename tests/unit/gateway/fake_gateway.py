"""A peer's Gateway and Deliver services on loopback, with TLS and a memory of what it was sent.

It checks every signature as Fabric's MSP does (SHA-256, low s), so that a test that passes says
that a peer would have accepted the bytes.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from fabric_protos.msp import identities_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import (
    chaincode_pb2,
    events_pb2,
    events_pb2_grpc,
    peer_pb2_grpc,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from google.protobuf import any_pb2
from google.rpc import status_pb2

from medfab_gateway import Endpoint, Identity

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
LIMITER_TEXT = "too many requests for /gateway.Gateway, exceeding concurrency limit (500)"

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def make_identity(msp_id: str = "HospitalMSP", key: Key | None = None) -> tuple[Identity, bytes]:
    """An identity with a self-signed certificate, and its private key in PEM form."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dr.okafor")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Identity(msp_id, certificate.public_bytes(serialization.Encoding.PEM)), key_pem


def verify(creator: bytes, message: bytes, signature: bytes) -> None:
    """As Fabric's MSP: ECDSA over SHA-256 with a low s, or Ed25519 over the message itself."""
    certificate = identities_pb2.SerializedIdentity.FromString(creator).id_bytes
    public_key = x509.load_pem_x509_certificate(certificate).public_key()
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        public_key.verify(signature, message)
        return
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    public_key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    assert decode_dss_signature(signature)[1] <= P256_ORDER // 2


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How a method answers instead of succeeding."""

    code: grpc.StatusCode
    text: str
    details: Sequence[tuple[str, str, str]] = ()
    """address, MSP id, message"""


@dataclass
class Proposal:
    """A proposal as a peer reads it."""

    signed: Any
    channel_header: Any
    signature_header: Any
    header: bytes
    payload: Any
    args: list[bytes]
    chaincode: str

    @classmethod
    def parse(cls, signed: Any) -> Proposal:
        """Without a look at the signature."""
        proposal = proposal_pb2.Proposal.FromString(signed.proposal_bytes)
        header = common_pb2.Header.FromString(proposal.header)
        payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
        spec = chaincode_pb2.ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec
        return cls(
            signed=signed,
            channel_header=common_pb2.ChannelHeader.FromString(header.channel_header),
            signature_header=common_pb2.SignatureHeader.FromString(header.signature_header),
            header=proposal.header,
            payload=payload,
            args=list(spec.input.args),
            chaincode=spec.chaincode_id.name,
        )

    @classmethod
    def read(cls, signed: Any) -> Proposal:
        read = cls.parse(signed)
        creator = read.signature_header.creator
        verify(creator, signed.proposal_bytes, signed.signature)
        expected = hashlib.sha256(read.signature_header.nonce + creator).hexdigest()
        assert read.channel_header.tx_id == expected
        return read


@dataclass
class FakeGateway:
    """The services. What is set here decides the answers; what was asked is kept here."""

    result: bytes = b"result"
    code: int = 0
    """The validation code of every transaction."""
    failures: dict[str, Failure] = field(default_factory=dict)
    """By method name, until removed."""
    delays: dict[str, float] = field(default_factory=dict)
    """By method name, in seconds."""
    before: Callable[[str], None] | None = None
    """Called with the name of each method that begins."""
    answered_transaction_id: str | None = None
    """What Endorse answers about, where it is not what it was asked."""
    calls: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    cancelled: Counter[str] = field(default_factory=Counter)
    deliver: Sequence[Any] = ()
    """What a block stream sends: `DeliverResponse`s; None stands for waiting for ever."""
    deliver_filtered: Sequence[Any] = ()
    """The same of a stream of filtered blocks."""
    qscc_refusal: str = ""
    """Text with which every block asked for by its number is refused."""
    deliver_ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def _begin(self, method: str, request: Any, context: Any) -> None:
        self.calls.append(method)
        self.requests.append(request)
        if self.before:
            self.before(method)
        try:
            await asyncio.sleep(self.delays.get(method, 0))
        except asyncio.CancelledError:
            self.cancelled[method] += 1
            raise
        failure = self.failures.get(method)
        if failure is None:
            return
        if failure.details:
            status = status_pb2.Status(code=failure.code.value[0], message=failure.text)
            for address, msp_id, message in failure.details:
                detail = gateway_pb2.ErrorDetail(address=address, msp_id=msp_id, message=message)
                packed = any_pb2.Any()
                packed.Pack(detail)
                status.details.append(packed)
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),)
            )
        await context.abort(failure.code, failure.text)

    async def Evaluate(self, request: Any, context: Any) -> Any:
        await self._begin("Evaluate", request, context)
        Proposal.read(request.proposed_transaction)
        return gateway_pb2.EvaluateResponse(
            result=proposal_response_pb2.Response(status=200, payload=self.result)
        )

    async def Endorse(self, request: Any, context: Any) -> Any:
        await self._begin("Endorse", request, context)
        proposal = Proposal.read(request.proposed_transaction)
        if self.answered_transaction_id is not None:
            proposal.channel_header.tx_id = self.answered_transaction_id
        return gateway_pb2.EndorseResponse(
            prepared_transaction=common_pb2.Envelope(
                payload=endorsed_payload(proposal, result=self.result)
            )
        )

    async def Submit(self, request: Any, context: Any) -> Any:
        await self._begin("Submit", request, context)
        envelope = request.prepared_transaction
        header = common_pb2.Payload.FromString(envelope.payload).header
        creator = common_pb2.SignatureHeader.FromString(header.signature_header).creator
        verify(creator, envelope.payload, envelope.signature)
        return gateway_pb2.SubmitResponse()

    async def CommitStatus(self, request: Any, context: Any) -> Any:
        await self._begin("CommitStatus", request, context)
        question = gateway_pb2.CommitStatusRequest.FromString(request.request)
        verify(question.identity, request.request, request.signature)
        return gateway_pb2.CommitStatusResponse(result=self.code, block_number=7)

    async def ChaincodeEvents(self, request: Any, context: Any) -> AsyncIterator[Any]:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "see FakeLedger")
        yield

    async def Deliver(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        envelope = await anext(aiter(requests))
        payload = common_pb2.Payload.FromString(envelope.payload)
        header = common_pb2.SignatureHeader.FromString(payload.header.signature_header)
        verify(header.creator, envelope.payload, envelope.signature)
        try:
            await self._begin("Deliver", payload, context)
            for response in self.deliver:
                if response is None:
                    await asyncio.Event().wait()
                yield response
        except asyncio.CancelledError:
            self.cancelled["Deliver"] += 1
            raise
        finally:
            self.deliver_ended.set()

    async def DeliverFiltered(
        self, requests: AsyncIterator[Any], context: Any
    ) -> AsyncIterator[Any]:
        envelope = await anext(aiter(requests))
        payload = common_pb2.Payload.FromString(envelope.payload)
        await self._begin("DeliverFiltered", payload, context)
        for response in self.deliver_filtered:
            yield response

    async def ProcessProposal(self, request: Any, context: Any) -> Any:
        """`qscc` alone."""
        await self._begin("ProcessProposal", request, context)
        proposal = Proposal.read(request)
        function, channel, *numbers = proposal.args
        assert proposal.chaincode == "qscc"
        assert channel.decode() == proposal.channel_header.channel_id
        if self.qscc_refusal:
            answer = proposal_response_pb2.Response(status=500, message=self.qscc_refusal)
        elif function == b"GetChainInfo":
            answer = proposal_response_pb2.Response(status=200)  # no block yet
        else:
            block = block_response(int(numbers[0])).block
            answer = proposal_response_pb2.Response(status=200, payload=block.SerializeToString())
        return proposal_response_pb2.ProposalResponse(response=answer)

    async def DeliverWithPrivateData(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "see FakeLedger")
        yield


def endorsed_payload(
    proposal: Proposal,
    *,
    result: bytes = b"",
    results: bytes = b"",
    event: bytes = b"",
    endorsers: Sequence[str] = (),
) -> bytes:
    """The payload of the transaction that a gateway peer makes of an endorsed proposal."""
    action = proposal_pb2.ChaincodeAction(
        results=results,
        events=event,
        response=proposal_response_pb2.Response(status=200, payload=result),
        chaincode_id=chaincode_pb2.ChaincodeID(name=proposal.chaincode, version="1.0"),
    )
    response = proposal_response_pb2.ProposalResponsePayload(extension=action.SerializeToString())
    endorsements = [
        proposal_response_pb2.Endorsement(
            endorser=identities_pb2.SerializedIdentity(mspid=msp_id).SerializeToString()
        )
        for msp_id in endorsers
    ]
    action_payload = transaction_pb2.ChaincodeActionPayload(
        # without the transient map: no peer puts it into a transaction
        chaincode_proposal_payload=proposal_pb2.ChaincodeProposalPayload(
            input=proposal.payload.input
        ).SerializeToString(),
        action=transaction_pb2.ChaincodeEndorsedAction(
            proposal_response_payload=response.SerializeToString(), endorsements=endorsements
        ),
    )
    transaction = transaction_pb2.Transaction(
        actions=[transaction_pb2.TransactionAction(payload=action_payload.SerializeToString())]
    )
    header = common_pb2.Header(
        channel_header=proposal.channel_header.SerializeToString(),
        signature_header=proposal.signature_header.SerializeToString(),
    )
    payload: bytes = common_pb2.Payload(
        header=header, data=transaction.SerializeToString()
    ).SerializeToString()
    return payload


def block_response(number: int, data: Sequence[bytes] = ()) -> Any:
    block = common_pb2.Block(
        header=common_pb2.BlockHeader(number=number, previous_hash=b"p", data_hash=b"d"),
        data=common_pb2.BlockData(data=data),
    )
    return events_pb2.DeliverResponse(block=block)


def filtered_response(number: int) -> Any:
    return events_pb2.DeliverResponse(filtered_block=events_pb2.FilteredBlock(number=number))


def status_response(status: int) -> Any:
    return events_pb2.DeliverResponse(status=status)


def read_seek(payload: Any) -> tuple[Any, Any]:
    """The channel header and the `SeekInfo` of a block request."""
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    return header, ab_pb2.SeekInfo.FromString(payload.data)


@asynccontextmanager
async def serve(
    fake: FakeGateway,
    *,
    host: str = "localhost",
    mutual_tls: bool = False,
    options: Sequence[tuple[str, int]] = (),
) -> AsyncIterator[Endpoint]:
    """Serves `fake`; gives the endpoint to reach it by. The certificate is made out to `host`.

    options: of gRPC, for the server.
    """
    authority = trustme.CA()
    roots = authority.cert_pem.bytes()
    certificate = authority.issue_cert(host)
    credentials = grpc.ssl_server_credentials(
        [(certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())],
        root_certificates=roots if mutual_tls else None,
        require_client_auth=mutual_tls,
    )
    server = grpc.aio.server(options=options)
    gateway_pb2_grpc.add_GatewayServicer_to_server(fake, server)
    events_pb2_grpc.add_DeliverServicer_to_server(fake, server)
    peer_pb2_grpc.add_EndorserServicer_to_server(fake, server)
    port = server.add_secure_port("localhost:0", credentials)
    await server.start()
    client = authority.issue_cert("client.example") if mutual_tls else None
    try:
        yield Endpoint(
            f"localhost:{port}",
            tls_root_certificates=roots,
            server_name=None if host == "localhost" else host,
            client_certificate=client.cert_chain_pems[0].bytes() if client else None,
            client_key=client.private_key_pem.bytes() if client else None,
        )
    finally:
        await server.stop(grace=0)
