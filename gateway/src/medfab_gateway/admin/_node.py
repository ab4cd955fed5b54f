# Made by scripts/make_sync.py from _node_async.py: change that, and run it.
"""One node, and who calls it: what the administration of peers and orderers has in common."""

from __future__ import annotations

import secrets
import time
from typing import Any

from fabric_protos.discovery import protocol_pb2_grpc
from fabric_protos.orderer import ab_pb2_grpc
from fabric_protos.peer import peer_pb2_grpc, proposal_pb2, snapshot_pb2_grpc

from medfab_gateway import _blocking
from medfab_gateway._messages.proposal import NONCE_BYTES, build_proposal
from medfab_gateway._method import PROPOSE, Method
from medfab_gateway._rpc_errors import unusable_answer_error
from medfab_gateway.admin.errors import PeerAdminError
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import GatewayError
from medfab_gateway.identity import Hash, Identity, Signer

_SUCCESS_BELOW = 400  # shim: statuses from 400 on are errors


class Node:
    """A node, by its own connection or one that is shared."""

    def __init__(
        self,
        endpoint: Endpoint,
        identity: Identity,
        signer: Signer,
        *,
        hash: Hash | None,
        channel: _blocking.Channel | None,
        timeout: float,
    ) -> None:
        """Arguments are those of `PeerAdmin`."""
        self.endpoint = endpoint
        self.address: str = endpoint.address
        self.msp_id: str | None = endpoint.msp_id
        self.identity = identity
        self.timeout = timeout
        self._signer = signer
        self._hash = hash or identity.default_hash()
        self._own_channel = _blocking.open_channel(endpoint) if channel is None else None
        used = channel or self._own_channel
        self.endorser: Any = peer_pb2_grpc.EndorserStub(used)
        self.discovery: Any = protocol_pb2_grpc.DiscoveryStub(used)
        self.snapshots: Any = snapshot_pb2_grpc.SnapshotStub(used)
        self.ordering: Any = ab_pb2_grpc.AtomicBroadcastStub(used)

    def close(self) -> None:
        """Close the connection, unless it was supplied."""
        if self._own_channel is not None:
            self._own_channel.close()

    def sign(self, message: bytes) -> bytes:
        """The identity's signature over a message."""
        return _blocking.sign(self._signer, self._hash.digest(message))

    def call(
        self, method: Method, request: Any, *, action: str, timeout: float | None = None
    ) -> Any:
        """The answer to one request. Raises `GatewayError`."""
        seconds = timeout or self.timeout
        answer = _blocking.call(
            self,
            method,
            request,
            attempt=seconds,
            action=action,
            timeout=seconds,
            transaction_id="",
        )
        if answer is None or not method.is_usable(answer):
            raise unusable_answer_error(
                method.error_type, action=action, address=self.address, msp_id=self.msp_id
            )
        return answer

    def first_answer(self, open_stream: Any, request: Any, *, action: str) -> Any:
        """The first message that comes back on a stream of one request; None where none comes."""
        stream = _blocking.Stream(
            self, open_stream, iter([request]), GatewayError, action=action, timeout=self.timeout
        )
        try:
            return stream.read()
        finally:
            stream.cancel()

    def propose(
        self,
        action: str,
        chaincode_name: str,
        function: str,
        *arguments: bytes,
        channel_name: str = "",
        timeout: float | None = None,
    ) -> bytes:
        """Payload of a system chaincode's answer; without a channel the peer's own MSP decides.

        Raises `PeerAdminError` where the peer says no.
        """
        proposal = build_proposal(
            identity=self.identity,
            channel_id=channel_name,
            chaincode_name=chaincode_name,
            args=[function.encode(), *arguments],
            transient={},
            nonce=secrets.token_bytes(NONCE_BYTES),
            timestamp_ns=time.time_ns(),
        )
        signed = proposal_pb2.SignedProposal(
            proposal_bytes=proposal.proposal_bytes,
            signature=self.sign(proposal.proposal_bytes),
        )
        answer = self.call(PROPOSE, signed, action=f"{action} at {self.address}", timeout=timeout)
        if answer.response.status >= _SUCCESS_BELOW:
            message = answer.response.message
            raise PeerAdminError(
                f"{action} failed",
                address=self.address,
                message=message,
                status=answer.response.status,
                advice=_advice(message, self.identity.msp_id, channel_name),
            )
        payload: bytes = answer.response.payload
        return payload


def _advice(message: str, msp_id: str, channel_name: str) -> str:
    if "access denied" in message or "ACL check" in message:
        if channel_name:
            return (
                f"Does {msp_id} belong to the channel, has the peer joined it, and is the "
                "certificate valid?"
            )
        return (
            f"The peer wants an admin of its own organisation here, and takes the {msp_id} "
            "identity for none: with NodeOUs, its certificate needs OU=admin (type admin)"
        )
    if "could not build chaincode" in message:
        return (
            "No external builder took the package, or it failed: see "
            "chaincode.externalBuilders in core.yaml and the peer's log"
        )
    return ""
