"""Nodes that have lost their disk: the real folder is deleted, and what is there afterwards equals
what the others have, block by block. What nobody has any more is told.

The tests are in an order: the network is theirs together.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import AsyncIterator

import pytest

from integration.growth_help import (
    CHAINCODE,
    CHANNEL,
    gateway_at,
    level,
    more,
    node_of,
    reached,
    running,
    submitters,
)
from integration.network_help import mentions
from medfab_gateway.errors import EvaluateError
from medfab_network import Network, NetworkError, TopologyError

pytestmark = pytest.mark.integration

KEYS = ("first", "second", "third")


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """Three orderers, two peers of the hospital, one of the clinic; private data of both."""
    directory = tmp_path_factory.mktemp("replace") / "net"
    async with running(directory, orderers=3, peers=2, private_data_copies=1) as network:
        await write_private_data(network)
        yield network
    assert mentions(directory) == []


async def write_private_data(network: Network) -> None:
    """Ten sets for a peer of either: its own three, six that both share, and its approval."""
    for organization in ("hospital", "clinic"):
        async with network.gateway(organization) as gateway:
            contract = gateway.network(CHANNEL).contract(CHAINCODE)
            for key in KEYS:
                value = {"value": f"{organization} {key}".encode()}
                await contract.submit("Keep", key, transient=value)
                await contract.submit("Share", f"{organization}-{key}", transient=value)


async def lose_disk(network: Network, name: str) -> None:
    """`kill -9`, and all that it had on its disk but for its keys."""
    node = node_of(network, name)
    os.kill(network.processes()[name], signal.SIGKILL)
    await reached(lambda: name not in network.processes())
    shutil.rmtree(network._layout.node(node.organization, name) / "data")


async def chain(network: Network, peer: str, first: int = 0) -> list[tuple[bytes, object]]:
    """Hash and commit hash of each block at a peer: equal commit hashes mean equal states."""
    async with network._access.peer_admin(node_of(network, peer)) as admin:
        height = (await admin.chain_info(CHANNEL)).height
        blocks = [await admin.block_by_number(CHANNEL, n) for n in range(first, height)]
    return [(block.hash, block.metadata.commit_hash) for block in blocks]


async def private(network: Network, peer: str, function: str, key: str) -> str:
    """What the chaincode reads in the private data of this very peer."""
    msp_id = network.topology.organization(node_of(network, peer).organization).msp_id
    async with gateway_at(network, peer) as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        answer: bytes = await contract.evaluate(function, key, target_organizations=[msp_id])
        return answer.decode()


async def assert_private_data_is_there(network: Network, peer: str) -> None:
    """Its own organisation's, and what both share."""
    own = node_of(network, peer).organization
    for key in KEYS:
        assert await private(network, peer, "Kept", key) == f"{own} {key}"
        for other in ("hospital", "clinic"):
            assert await private(network, peer, "Shared", f"{other}-{key}") == f"{other} {key}"


async def test_a_peer_with_all_blocks_from_the_others(network: Network) -> None:
    await lose_disk(network, "peer0.hospital")
    async with gateway_at(network, "peer0.clinic") as gateway:  # the others work on
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        await contract.submit("Put", "while-it-is-away")
    report = await network.replace("peer0.hospital")
    assert report.notes == ["care: 10 sets of private data came from other peers."]
    await level(network)
    assert await chain(network, "peer0.hospital") == await chain(network, "peer1.hospital")
    await assert_private_data_is_there(network, "peer0.hospital")


async def test_a_peer_by_a_snapshot_of_the_other(network: Network) -> None:
    before = len(await chain(network, "peer0.hospital"))
    await lose_disk(network, "peer1.hospital")
    report = await network.replace("peer1.hospital", from_snapshot=True)
    assert report.notes == [
        "care: joined by the snapshot of peer0.hospital as of block "
        f"{before - 1}. It has no blocks before that one: ask another peer for those.",
        "care: 10 sets of private data came from other peers.",
    ]
    async with gateway_at(network, "peer1.hospital") as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        assert await contract.evaluate("Got", "while-it-is-away") == b"while-it-is-away"
        await contract.submit("Put", "after-the-snapshot")
    await level(network)
    assert await chain(network, "peer1.hospital", before) == (
        await chain(network, "peer0.hospital", before)
    )
    await assert_private_data_is_there(network, "peer1.hospital")
    async with network._access.peer_admin(node_of(network, "peer1.hospital")) as admin:
        assert CHANNEL in (await admin.channel_config(CHANNEL)).channel_name  # has no such block
        with pytest.raises(Exception, match="failed"):
            await admin.block_by_number(CHANNEL, 0)


async def test_what_was_with_the_only_peer_is_lost_and_told(network: Network) -> None:
    with pytest.raises(NetworkError, match=r"clinic has no other peer.*own organisation alone"):
        await network.replace("peer0.clinic", from_snapshot=True)
    await lose_disk(network, "peer0.clinic")
    report = await network.replace("peer0.clinic")
    # Three that it had kept, and its approval of the chaincode, which all do anew.
    [private_data, approval] = report.notes
    assert "6 sets of" in private_data
    assert "4 are with no other peer" in private_data
    assert "approval was lost too" in approval
    assert "the next sequence, 2." in approval
    await level(network)
    assert await chain(network, "peer0.clinic") == await chain(network, "peer0.hospital")
    for key in KEYS:
        assert await private(network, "peer0.clinic", "Shared", f"clinic-{key}") == f"clinic {key}"
        with pytest.raises(EvaluateError):
            await private(network, "peer0.clinic", "Kept", key)
    async with network.gateway("clinic") as gateway:  # its peer endorses, and keeps what is new
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        await contract.submit("Keep", "new", transient={"value": b"kept again"})
    assert await private(network, "peer0.clinic", "Kept", "new") == "kept again"


async def test_an_orderer_comes_back_as_a_new_member(network: Network) -> None:
    await lose_disk(network, "orderer0.orderer")
    await network.down()  # so that the others have no leader yet when it is found out
    # Started again it would begin at the first block, and agree to others than it has agreed to.
    report = await network.up()
    assert report.lost == ["orderer0.orderer"]
    assert "orderer0.orderer" not in {*report.started, *network.processes()}
    async with submitters(network) as submitted:
        await more(submitted, 20)
        await network.replace("orderer0.orderer")
        await more(submitted, 20)
    async with network._access.orderer_admin(node_of(network, "orderer0.orderer")) as admin:
        assert (await admin.channel(CHANNEL)).consensus_relation == "consenter"
    await level(network)
    # Two of three have to agree: the newcomer's vote counts.
    os.kill(network.processes()["orderer1.orderer"], signal.SIGKILL)
    async with submitters(network, lose=True) as submitted:
        await more(submitted, 10)
    await network.up()
    await level(network)


async def test_what_cannot_be_made_anew(network: Network) -> None:
    with pytest.raises(TopologyError, match="snapshots are of peers"):
        await network.replace("orderer1.orderer", from_snapshot=True)
    with pytest.raises(TopologyError, match="a certificate authority needs a backup"):
        await network.replace("ca.clinic")
    with pytest.raises(TopologyError, match="there is no node 'peer9'"):
        await network.replace("peer9")
