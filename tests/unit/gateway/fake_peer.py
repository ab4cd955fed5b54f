"""A peer's Endorser and Discovery services on loopback, with TLS, for administration calls."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from fabric_protos.discovery import protocol_pb2, protocol_pb2_grpc
from fabric_protos.peer import peer_pb2_grpc, proposal_response_pb2, query_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2

from medfab_gateway import Endpoint
from medfab_gateway.admin import package_id
from unit.gateway.fake_gateway import Proposal, verify


class RefusedError(Exception):
    """Becomes the answer of the peer, with status 500."""


@dataclass
class FakePeer:
    """Answers as Fabric does, refusals included; verifies every signature."""

    joined: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    refusal: str | None = None
    """Text with which every proposal is answered."""
    abort: grpc.StatusCode | None = None
    proposals: list[Proposal] = field(default_factory=list)
    discovery: Any = None
    """A `QueryResult`."""
    discovery_requests: list[Any] = field(default_factory=list)

    async def ProcessProposal(self, request: Any, context: Any) -> Any:
        proposal = Proposal.read(request)
        self.proposals.append(proposal)
        if self.abort is not None:
            await context.abort(self.abort, "aborted")
        try:
            if self.refusal is not None:
                raise RefusedError(self.refusal)
            answer = {"status": 200, "payload": self._invoke(proposal)}
        except RefusedError as error:
            answer = {"status": 500, "message": str(error)}
        return proposal_response_pb2.ProposalResponse(
            response=proposal_response_pb2.Response(**answer)
        )

    def _invoke(self, proposal: Proposal) -> bytes:
        function, *args = proposal.args
        answer: Any = None
        match proposal.chaincode, function:
            case "cscc", b"JoinChain":
                name = "care"
                if name in self.joined:
                    raise RefusedError(f"ledger [{name}] already exists with state [ACTIVE]")
                self.joined.append(name)
            case "cscc", b"GetChannels":
                answer = query_pb2.ChannelQueryResponse(
                    channels=[query_pb2.ChannelInfo(channel_id=name) for name in self.joined]
                )
            case "_lifecycle", b"InstallChaincode":
                arguments = lifecycle_pb2.InstallChaincodeArgs.FromString(args[0])
                identifier = package_id(arguments.chaincode_install_package)
                if identifier in self.packages:
                    raise RefusedError(
                        f"chaincode already successfully installed (package ID '{identifier}')"
                    )
                self.packages.append(identifier)
                answer = lifecycle_pb2.InstallChaincodeResult(package_id=identifier)
            case "_lifecycle", b"QueryInstalledChaincodes":
                answer = lifecycle_pb2.QueryInstalledChaincodesResult()
                for identifier in self.packages:
                    installed = answer.installed_chaincodes.add(
                        package_id=identifier, label=identifier.split(":")[0]
                    )
                    installed.references["care"].chaincodes.add(name="ehr", version="1.0")
            case _:
                raise RefusedError("Requested function not found")
        return b"" if answer is None else bytes(answer.SerializeToString())

    async def Discover(self, request: Any, context: Any) -> Any:
        read = protocol_pb2.Request.FromString(request.payload)
        verify(read.authentication.client_identity, request.payload, request.signature)
        shown = context.auth_context().get("x509_pem_cert")
        if shown:
            certificate = x509.load_pem_x509_certificate(shown[0])
            der = certificate.public_bytes(serialization.Encoding.DER)
            expected = hashlib.sha256(der).digest()
            assert read.authentication.client_tls_cert_hash == expected
        self.discovery_requests.append(read)
        return protocol_pb2.Response(results=[self.discovery])


@asynccontextmanager
async def serve_peer(fake: FakePeer, *, mutual_tls: bool = False) -> AsyncIterator[Endpoint]:
    authority = trustme.CA()
    roots = authority.cert_pem.bytes()
    issued = authority.issue_cert("localhost")
    credentials = grpc.ssl_server_credentials(
        [(issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes())],
        root_certificates=roots if mutual_tls else None,
        require_client_auth=mutual_tls,
    )
    server = grpc.aio.server()
    peer_pb2_grpc.add_EndorserServicer_to_server(fake, server)
    protocol_pb2_grpc.add_DiscoveryServicer_to_server(fake, server)
    port = server.add_secure_port("localhost:0", credentials)
    await server.start()
    client = authority.issue_cert("client.example") if mutual_tls else None
    try:
        yield Endpoint(
            f"localhost:{port}",
            tls_root_certificates=roots,
            client_certificate=client.cert_chain_pems[0].bytes() if client else None,
            client_key=client.private_key_pem.bytes() if client else None,
        )
    finally:
        await server.stop(grace=0)
