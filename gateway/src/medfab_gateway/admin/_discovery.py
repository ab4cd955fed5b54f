"""What a peer knows of its network: Fabric's discovery service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from fabric_protos.discovery import protocol_pb2, protocol_pb2_grpc
from fabric_protos.gossip import message_pb2

from medfab_gateway._aio import sign
from medfab_gateway._closing_async import AsyncClosing
from medfab_gateway._rpc_errors import translate_rpc_error
from medfab_gateway.admin.errors import DiscoveryError
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import GatewayError
from medfab_gateway.identity import Hash, Identity, Signer


@dataclass(frozen=True, kw_only=True)
class DiscoveredPeer:
    """A peer, as another one sees it."""

    msp_id: str
    """Its organisation."""
    endpoint: str
    """`host:port`; empty where a peer of another organisation announces none
    (`peer.gossip.externalEndpoint`)."""
    ledger_height: int
    """Number of blocks it has of the channel."""
    chaincodes: tuple[tuple[str, str], ...]
    """(name, sequence) of the chaincodes that it can endorse for: their package is installed and
    the definition of that sequence, in decimal, is committed. `_lifecycle` is always there."""


class Discovery(AsyncClosing):
    """Discovery at one peer.

        async with Discovery(endpoint, identity, signer) as discovery:
            peers = await discovery.peers("care")

    The identity is any member of the channel's organisations. What a peer does not know yet it
    does not list: "every peer sees every other" is a question to each of them.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        identity: Identity,
        signer: Signer,
        *,
        hash: Hash | None = None,
        channel: grpc.aio.Channel | None = None,
        timeout: float = 30.0,
    ) -> None:
        """Prepare; arguments are those of `PeerAdmin`."""
        self._endpoint = endpoint
        self._signer = signer
        self._hash = hash or identity.default_hash()
        self._own_channel = endpoint.open_channel() if channel is None else None
        self._stub = protocol_pb2_grpc.DiscoveryStub(channel or self._own_channel)
        self._timeout = timeout
        # Bound to the connection by the hash, where the peer asks for client certificates.
        self._authentication = protocol_pb2.AuthInfo(
            client_identity=identity.serialized,
            client_tls_cert_hash=endpoint.client_certificate_hash or b"",
        )

    async def close(self) -> None:
        """Close the connection, unless it was supplied."""
        if self._own_channel is not None:
            await self._own_channel.close()

    async def peers(self, channel_name: str) -> list[DiscoveredPeer]:
        """The peers of a channel that this one knows, itself included; sorted.

        Raises:
            DiscoveryError: The peer has not joined the channel, or the identity may not ask.
            GatewayError: The peer did not answer.
        """
        query = protocol_pb2.Query(
            channel=channel_name, peer_query=protocol_pb2.PeerMembershipQuery()
        )
        members = (await self._discover(query, f"Discovering peers of {channel_name}")).members
        return sorted(
            (
                _peer(msp_id, peer)
                for msp_id, peers in members.peers_by_org.items()
                for peer in peers.peers
            ),
            key=lambda peer: (peer.msp_id, peer.endpoint),
        )

    async def _discover(self, query: Any, action: str) -> Any:
        payload = protocol_pb2.Request(
            authentication=self._authentication, queries=[query]
        ).SerializeToString()
        request = protocol_pb2.SignedRequest(
            payload=payload, signature=await sign(self._signer, self._hash.digest(payload))
        )
        try:
            response = await self._stub.Discover(request, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise translate_rpc_error(
                error,
                GatewayError,
                action=f"{action} at {self._endpoint.address}",
                address=self._endpoint.address,
                timeout=self._timeout,
            ) from error
        result = response.results[0]
        if result.WhichOneof("result") == "error":
            message = result.error.content
            denied = "denied" in message
            raise DiscoveryError(
                f"{action} failed",
                address=self._endpoint.address,
                message=message,
                status=None,
                advice="Has the peer joined the channel, and does the identity belong to one of "
                "its organisations?"
                if denied
                else "",
            )
        return result


def _peer(msp_id: str, peer: Any) -> DiscoveredPeer:
    alive = message_pb2.GossipMessage.FromString(peer.membership_info.payload).alive_msg
    state = message_pb2.GossipMessage.FromString(peer.state_info.payload).state_info.properties
    return DiscoveredPeer(
        msp_id=msp_id,
        endpoint=alive.membership.endpoint,
        ledger_height=state.ledger_height,
        chaincodes=tuple(sorted((each.name, each.version) for each in state.chaincodes)),
    )
