"""Nodes in containers that have lost their disk: the container is removed and its volume deleted.

What is there afterwards equals what the others have. The tests are in an order: the network is
theirs together.
"""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from containers.test_containers import containers_of
from integration.growth_help import (
    CHAINCODE,
    CHANNEL,
    gateway_at,
    level,
    more,
    node_of,
    running,
    submitters,
)
from integration.test_replace import assert_private_data_is_there, chain, write_private_data
from medfab_network import Network
from medfab_network._binaries import ensure_binaries
from medfab_network._containers import project_name
from medfab_network._images import ensure_images
from medfab_network._progress import Silent

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.integration

CONTRACT = Path(__file__).parents[1] / "integration" / "growth_contract.py"


@pytest.fixture(scope="module")
async def image(engine: DockerClient) -> AsyncIterator[str]:
    """The image of chaincodes with one more contract."""
    binaries = await ensure_binaries(Silent(), None)
    [made] = await ensure_images(engine, binaries, Silent(), kinds=["chaincode"])
    container = engine.containers.create(made.identifier, "medfab-chaincode")
    try:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as files:
            files.add(CONTRACT, CONTRACT.name)
        container.put_archive("/", archive.getvalue())
        with_contract = container.commit()
    finally:
        container.remove()
    yield str(with_contract.id)
    engine.images.remove(with_contract.id)


@pytest.fixture(scope="module")
async def network(image: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """Three orderers, two peers of the hospital, one of the clinic; private data of both."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDFAB_CHAINCODE_IMAGE", image)
        async with running(
            tmp_path_factory.mktemp("replace") / "net",
            containers=True,
            orderers=3,
            peers=2,
            private_data_copies=1,
        ) as network:
            await write_private_data(network)
            yield network


async def lose_disk(engine: DockerClient, network: Network, name: str) -> None:
    container = containers_of(engine, network)[name]
    await asyncio.to_thread(container.remove, force=True)
    project = project_name(network.topology, network.directory)
    await asyncio.to_thread(engine.volumes.get(f"{project}_{name}.data").remove)


async def test_a_peer_with_all_blocks_from_the_others(
    engine: DockerClient, network: Network
) -> None:
    await lose_disk(engine, network, "peer0.hospital")
    async with gateway_at(network, "peer0.clinic") as gateway:  # the others work on
        await gateway.network(CHANNEL).contract(CHAINCODE).submit("Put", "while-it-is-away")
    report = await network.replace("peer0.hospital")
    assert report.notes == ["care: 10 sets of private data came from other peers."]
    await level(network)
    assert await chain(network, "peer0.hospital") == await chain(network, "peer1.hospital")
    # It runs as any other: not with the settings of a peer that catches up.
    container = containers_of(engine, network)["peer0.hospital"]
    assert not [e for e in container.attrs["Config"]["Env"] if e.startswith("CORE_PEER_GOSSIP")]


async def test_a_peer_by_a_snapshot_of_the_other(engine: DockerClient, network: Network) -> None:
    before = len(await chain(network, "peer0.hospital"))
    # Its disk is there, damaged maybe: what is left of it goes.
    await asyncio.to_thread(containers_of(engine, network)["peer1.hospital"].kill)
    await assert_private_data_is_there(network, "peer0.hospital")  # which no other has now
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
    after = await chain(network, "peer1.hospital", before)
    assert after == await chain(network, "peer0.hospital", before)
    assert after
    await assert_private_data_is_there(network, "peer1.hospital")
    folder = network._layout.node("hospital", "peer1.hospital")
    assert {path.name for path in folder.iterdir()} == {"core.yaml", "msp", "tls"}


async def test_an_orderer_comes_back_as_a_new_member(
    engine: DockerClient, network: Network
) -> None:
    await lose_disk(engine, network, "orderer0.orderer")
    # Started again it would begin at the first block, and agree to others than it has agreed to.
    report = await network.up()
    assert (report.started, report.lost) == ([], ["orderer0.orderer"])
    assert "orderer0.orderer" not in network.processes()
    async with submitters(network) as submitted:
        await network.replace("orderer0.orderer")
        await more(submitted, 20)
    async with network._access.orderer_admin(node_of(network, "orderer0.orderer")) as admin:
        assert (await admin.channel(CHANNEL)).consensus_relation == "consenter"
    # Two of three have to agree: the newcomer's vote counts.
    await asyncio.to_thread(containers_of(engine, network)["orderer1.orderer"].kill)
    async with submitters(network, lose=True) as submitted:
        await more(submitted, 10)
    assert (await network.up()).started == ["orderer1.orderer"]
    await level(network)
