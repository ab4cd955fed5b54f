"""Peer administration and discovery against a fake peer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.discovery import protocol_pb2
from fabric_protos.gossip import message_pb2

from medfab_gateway import (
    ConnectionFailedError,
    Endpoint,
    GatewayError,
    Identity,
    private_key_signer,
)
from medfab_gateway.admin import (
    AdministrationError,
    AsyncDiscovery,
    AsyncPeerAdmin,
    DiscoveredPeer,
    DiscoveryError,
    JoinOutcome,
    PackageError,
    PeerAdmin,
    PeerAdminError,
    package_ccaas,
    package_id,
)
from unit.gateway.fake_gateway import make_identity
from unit.gateway.fake_peer import FakePeer, serve_peer
from unit.gateway.forms import InThreads
from unit.gateway.made_config import made_config

IDENTITY, KEY = make_identity()
SIGNER = private_key_signer(KEY)
PACKAGE = package_ccaas("ehr_1.0")


def genesis_block(channel_name: str = "care") -> bytes:
    channel_header = common_pb2.ChannelHeader(
        type=common_pb2.CONFIG, channel_id=channel_name
    ).SerializeToString()
    config = configtx_pb2.ConfigEnvelope(config=made_config())
    payload = common_pb2.Payload(
        header=common_pb2.Header(channel_header=channel_header),
        data=config.SerializeToString(),
    )
    envelope = common_pb2.Envelope(payload=payload.SerializeToString())
    data = common_pb2.BlockData(data=[envelope.SerializeToString()])
    return bytes(common_pb2.Block(data=data).SerializeToString())


@pytest.fixture
async def fake() -> FakePeer:
    return FakePeer()


@pytest.fixture
async def endpoint(fake: FakePeer) -> AsyncIterator[Endpoint]:
    async with serve_peer(fake) as endpoint:
        yield endpoint


@pytest.fixture(params=["async", "blocking"])
async def peer(endpoint: Endpoint, request: pytest.FixtureRequest) -> AsyncIterator[AsyncPeerAdmin]:
    if request.param == "async":
        async with AsyncPeerAdmin(endpoint, IDENTITY, SIGNER, timeout=5) as peer:
            yield peer
        return
    blocking: Any = InThreads(PeerAdmin(endpoint, IDENTITY, SIGNER, timeout=5), AsyncPeerAdmin)
    yield blocking
    await blocking.close()


async def test_joining_twice_is_no_error(peer: AsyncPeerAdmin, fake: FakePeer) -> None:
    assert await peer.join_channel(genesis_block()) is JoinOutcome.JOINED
    assert await peer.join_channel(genesis_block()) is JoinOutcome.ALREADY_JOINED
    assert fake.joined == ["care"]
    proposal = fake.proposals[0]
    assert proposal.args == [b"JoinChain", genesis_block()]
    assert proposal.channel_header.channel_id == ""


async def test_a_join_that_is_refused_says_so(peer: AsyncPeerAdmin, fake: FakePeer) -> None:
    fake.refusal = "access denied for [JoinChain][care]: [not an admin]"
    with pytest.raises(PeerAdminError, match="OU=admin") as caught:
        await peer.join_channel(genesis_block())
    error = caught.value
    assert (error.message, error.status) == (fake.refusal, 500)
    assert error.address.startswith("localhost:")
    assert "Joining channel care failed" in str(error)


async def test_a_refused_join_is_no_join_because_of_another_channel(
    peer: AsyncPeerAdmin, fake: FakePeer
) -> None:
    fake.joined = ["care"]  # the fake refuses, and lists care only
    with pytest.raises(PeerAdminError, match="already exists"):
        await peer.join_channel(genesis_block("supply"))


@pytest.mark.parametrize("block", [b"", b"\xff", b"genesis"])
async def test_what_is_no_block(peer: AsyncPeerAdmin, fake: FakePeer, block: bytes) -> None:
    with pytest.raises(AdministrationError, match="no configuration block"):
        await peer.join_channel(block)
    assert fake.proposals == []


async def test_channels_are_sorted(peer: AsyncPeerAdmin, fake: FakePeer) -> None:
    fake.joined = ["supply", "care"]
    assert await peer.channels() == ["care", "supply"]


async def test_installing_twice_is_no_error(peer: AsyncPeerAdmin, fake: FakePeer) -> None:
    expected = package_id(PACKAGE)
    assert await peer.install_chaincode(PACKAGE) == expected
    assert await peer.install_chaincode(PACKAGE) == expected
    assert fake.packages == [expected]
    [installed] = await peer.installed_chaincodes()
    assert (installed.package_id, installed.label) == (expected, "ehr_1.0")
    assert installed.references == {"care": (("ehr", "1.0"),)}


async def test_a_failed_installation_keeps_the_first_reason(
    peer: AsyncPeerAdmin, fake: FakePeer
) -> None:
    fake.refusal = "could not build chaincode: no builder"
    with pytest.raises(PeerAdminError, match=r"Installing ehr_1\.0:.*externalBuilders"):
        await peer.install_chaincode(PACKAGE)


async def test_a_broken_package_is_not_sent(peer: AsyncPeerAdmin, fake: FakePeer) -> None:
    with pytest.raises(PackageError):
        await peer.install_chaincode(b"nothing")
    assert fake.proposals == []


async def test_chain_info_asks_on_the_channel(peer: AsyncPeerAdmin, fake: FakePeer) -> None:
    with pytest.raises(PeerAdminError, match="not found"):
        await peer.chain_info("care")
    proposal = fake.proposals[0]
    assert (proposal.chaincode, proposal.args) == ("qscc", [b"GetChainInfo", b"care"])
    assert proposal.channel_header.channel_id == "care"


async def test_a_peer_that_is_not_there(endpoint: Endpoint) -> None:
    gone = Endpoint("localhost:1", tls_root_certificates=endpoint.tls_root_certificates)
    async with AsyncPeerAdmin(gone, IDENTITY, SIGNER, timeout=5) as peer:
        with pytest.raises(ConnectionFailedError, match="localhost:1"):
            await peer.channels()


async def test_grpc_failures_are_gateway_errors(peer: AsyncPeerAdmin, fake: FakePeer) -> None:
    fake.abort = grpc.StatusCode.UNKNOWN
    with pytest.raises(GatewayError, match="Listing channels at localhost:") as caught:
        await peer.channels()
    assert caught.value.code is grpc.StatusCode.UNKNOWN


async def test_a_supplied_channel_stays_open(endpoint: Endpoint) -> None:
    async with endpoint.open_channel() as channel:
        for _ in range(2):
            async with AsyncPeerAdmin(endpoint, IDENTITY, SIGNER, channel=channel) as peer:
                assert await peer.channels() == []


def member(endpoint: str, height: int, chaincodes: dict[str, str]) -> protocol_pb2.Peer:
    alive = message_pb2.GossipMessage(
        alive_msg=message_pb2.AliveMessage(membership=message_pb2.Member(endpoint=endpoint))
    )
    state = message_pb2.GossipMessage(
        state_info=message_pb2.StateInfo(
            properties=message_pb2.Properties(
                ledger_height=height,
                chaincodes=[
                    message_pb2.Chaincode(name=name, version=version)
                    for name, version in chaincodes.items()
                ],
            )
        )
    )
    return protocol_pb2.Peer(
        membership_info=message_pb2.Envelope(payload=alive.SerializeToString()),
        state_info=message_pb2.Envelope(payload=state.SerializeToString()),
    )


@pytest.mark.parametrize("mutual_tls", [False, True])
async def test_discovery_lists_the_peers(fake: FakePeer, mutual_tls: bool) -> None:
    fake.discovery = protocol_pb2.QueryResult()
    members = fake.discovery.members.peers_by_org
    members["B"].peers.append(member("b0:7051", 5, {"ehr": "2", "_lifecycle": "1"}))
    members["A"].peers.extend([member("a1:7051", 4, {}), member("a0:7051", 5, {})])
    async with (
        serve_peer(fake, mutual_tls=mutual_tls) as endpoint,
        AsyncDiscovery(endpoint, IDENTITY, SIGNER, timeout=5) as discovery,
    ):
        peers = await discovery.peers("care")
    assert [(peer.msp_id, peer.endpoint, peer.ledger_height) for peer in peers] == [
        ("A", "a0:7051", 5),
        ("A", "a1:7051", 4),
        ("B", "b0:7051", 5),
    ]
    assert peers[2] == DiscoveredPeer(
        msp_id="B",
        endpoint="b0:7051",
        ledger_height=5,
        chaincodes=(("_lifecycle", "1"), ("ehr", "2")),
    )
    [request] = fake.discovery_requests
    assert request.queries[0].channel == "care"
    assert request.queries[0].WhichOneof("query") == "peer_query"
    assert bool(request.authentication.client_tls_cert_hash) == mutual_tls


async def test_discovery_that_is_denied(fake: FakePeer, endpoint: Endpoint) -> None:
    fake.discovery = protocol_pb2.QueryResult(error=protocol_pb2.Error(content="access denied"))
    async with AsyncDiscovery(endpoint, IDENTITY, SIGNER, timeout=5) as discovery:
        with pytest.raises(DiscoveryError, match="Has the peer joined") as caught:
            await discovery.peers("care")
    assert caught.value.address == endpoint.address


async def test_discovery_of_a_peer_that_is_not_there(endpoint: Endpoint) -> None:
    gone = Endpoint("localhost:1", tls_root_certificates=endpoint.tls_root_certificates)
    stranger = Identity("OtherMSP", IDENTITY.certificate)
    async with AsyncDiscovery(gone, stranger, SIGNER, timeout=5) as discovery:
        with pytest.raises(ConnectionFailedError):
            await discovery.peers("care")
