# Made by scripts/make_sync.py from _discovery_async.py: change that, and run it.
"""What a peer knows of its network: Fabric's discovery service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric_protos.discovery import protocol_pb2
from fabric_protos.peer import proposal_response_pb2

from medfab_gateway import _blocking
from medfab_gateway._closing import Closing
from medfab_gateway._method import DISCOVER
from medfab_gateway.admin._discovered import (
    DiscoveredConfig,
    DiscoveredPeer,
    Endorsers,
    discovered_config,
    discovered_endorsers,
    discovered_peer,
)
from medfab_gateway.admin._node import Node
from medfab_gateway.admin.errors import DiscoveryError
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.identity import Hash, Identity, Signer


class Discovery(Closing):
    """Discovery at one peer.

        with Discovery(endpoint, identity, signer) as discovery:
            peers = discovery.peers("care")
            endorsers = discovery.endorsers("care", "ehr")

    The identity is any member of the channel's organisations. What a peer does not know yet it
    does not list: "every peer sees every other" is a question to each of them. Methods raise
    `DiscoveryError` where the peer says no (it has not joined the channel, the identity may not
    ask), and `GatewayError` where it does not answer.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        identity: Identity,
        signer: Signer,
        *,
        hash: Hash | None = None,
        channel: _blocking.Channel | None = None,
        timeout: float = 30.0,
    ) -> None:
        """Prepare; arguments are those of `PeerAdmin`."""
        self._node = Node(endpoint, identity, signer, hash=hash, channel=channel, timeout=timeout)
        # Bound to the connection by the hash, where the peer asks for client certificates.
        self._authentication = protocol_pb2.AuthInfo(
            client_identity=identity.serialized,
            client_tls_cert_hash=endpoint.client_certificate_hash or b"",
        )

    def close(self) -> None:
        """Close the connection, unless it was supplied."""
        self._node.close()

    def peers(self, channel_name: str) -> list[DiscoveredPeer]:
        """The peers of a channel that this one knows, itself included; sorted."""
        query = protocol_pb2.Query(
            channel=channel_name, peer_query=protocol_pb2.PeerMembershipQuery()
        )
        members = (self._discover(query, f"Discovering peers of {channel_name}")).members
        return sorted(
            (
                discovered_peer(msp_id, peer)
                for msp_id, peers in members.peers_by_org.items()
                for peer in peers.peers
            ),
            key=lambda peer: (peer.msp_id, peer.endpoint),
        )

    def config(self, channel_name: str) -> DiscoveredConfig:
        """The organisations of a channel, and its orderers."""
        query = protocol_pb2.Query(channel=channel_name, config_query=protocol_pb2.ConfigQuery())
        action = f"Discovering the organisations of {channel_name}"
        return discovered_config((self._discover(query, action)).config_result)

    def endorsers(
        self, channel_name: str, chaincode_name: str, *, collections: Sequence[str] = ()
    ) -> Endorsers:
        """Who can endorse calls of a chaincode that write to these collections."""
        interest = proposal_response_pb2.ChaincodeInterest(
            chaincodes=[
                proposal_response_pb2.ChaincodeCall(
                    name=chaincode_name, collection_names=collections
                )
            ]
        )
        query = protocol_pb2.Query(
            channel=channel_name, cc_query=protocol_pb2.ChaincodeQuery(interests=[interest])
        )
        action = f"Discovering endorsers of {chaincode_name} on {channel_name}"
        [descriptor] = (self._discover(query, action)).cc_query_res.content
        return discovered_endorsers(descriptor)

    def _discover(self, query: Any, action: str) -> Any:
        payload = protocol_pb2.Request(
            authentication=self._authentication, queries=[query]
        ).SerializeToString()
        request = protocol_pb2.SignedRequest(payload=payload, signature=self._node.sign(payload))
        address = self._node.address
        response = self._node.call(DISCOVER, request, action=f"{action} at {address}")
        result = response.results[0]
        if result.WhichOneof("result") == "error":
            message = result.error.content
            denied = "denied" in message
            raise DiscoveryError(
                f"{action} failed",
                address=address,
                message=message,
                status=None,
                advice="Has the peer joined the channel, and does the identity belong to one of "
                "its organisations?"
                if denied
                else "",
            )
        return result
