"""Orderers that come and go while transactions flow: none fails, and the network remembers.

The tests are in an order: the network is theirs together.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator

import pytest

from integration.growth_help import (
    CHAINCODE,
    CHANNEL,
    level,
    more,
    reached,
    running,
    submitters,
)
from integration.network_help import mentions
from medfab_gateway.admin import ConfigEditor, orderer_endpoints
from medfab_network import Network, QuorumError, TopologyError
from medfab_network._channel_change import ChannelChanges
from medfab_network._health import leaders, tls_context

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    directory = tmp_path_factory.mktemp("orderers") / "net"
    async with running(directory) as network:
        yield network
    assert mentions(directory) == []


async def consenters(network: Network) -> tuple[set[int], set[int]]:
    """Ports in the channel's consensus, and ports that it lists for peers and clients."""
    changes = ChannelChanges(network.topology, network._access)
    config = await changes.config(network.topology.channel(CHANNEL))
    listed = {int(each.address.rpartition(":")[2]) for each in orderer_endpoints(config)}
    return {port for _, port in ConfigEditor(config).consenters}, listed


async def leader_of(network: Network) -> str:
    layout, ordering = network._layout, network.topology.ordering
    context = tls_context(
        layout.tls_ca_certificate(ordering.name), layout.tls(ordering.name, "admin")
    )
    [leader] = [o.name for o in ordering.orderers if CHANNEL in await leaders(o, context)]
    return leader


async def kill(network: Network, node: str) -> None:
    os.kill(network.processes()[node], signal.SIGKILL)
    await reached(lambda: node not in network.processes())


async def test_from_one_orderer_to_three_and_no_transaction_fails(network: Network) -> None:
    async with submitters(network) as submitted:
        await more(submitted, 20)
        for number in (1, 2):
            report = await network.add_orderer()
            assert report.node == f"orderer{number}.orderer"
            assert report.started == [report.node]
            assert bool(report.notes) == (number == 1)  # two can lose none
        await more(submitted, 40)
    ports = {node.port for node in network.topology.ordering.orderers}
    assert len(ports) == 3
    assert await consenters(network) == (ports, ports)
    await level(network)


async def test_nothing_changes_where_the_others_could_not_agree(network: Network) -> None:
    await kill(network, "orderer1.orderer")
    before = await consenters(network)
    with pytest.raises(QuorumError, match=r"orderer1\.orderer is not well.*Nothing has been"):
        await network.add_orderer()
    with pytest.raises(QuorumError, match=r"2 have to agree; orderer1\.orderer is not well"):
        await network.remove_orderer("orderer2.orderer")
    assert await consenters(network) == before
    assert "orderer3.orderer" not in network.processes()
    assert (await network.up()).started == ["orderer1.orderer"]


async def test_one_is_taken_out_and_no_transaction_fails(network: Network) -> None:
    leader = await leader_of(network)
    ordering = network.topology.ordering
    follower = next(each.name for each in ordering.orderers if each.name != leader)
    async with submitters(network) as submitted:
        await more(submitted, 20)
        report = await network.remove_orderer(follower)
        await more(submitted, 40)
    assert not any("led" in note for note in report.notes)
    assert follower not in network.processes()
    assert not network._layout.node("orderer", follower).exists()
    ports = {node.port for node in network.topology.ordering.orderers}
    assert await consenters(network) == (ports, ports)
    with pytest.raises(TopologyError, match="there is no orderer"):
        await network.remove_orderer(follower)


async def test_the_network_comes_back_as_it_has_become(network: Network) -> None:
    names = {node.name for node in network.topology.nodes()}
    height = await level(network)
    await network.down()
    assert set((await Network(network.directory).up()).started) == names
    assert await level(network) == height
    # The number that has become free is taken again, by an orderer with keys of its own.
    await network.add_orderer()
    assert len(network.topology.ordering.orderers) == 3


async def test_the_leader_is_taken_out_and_every_outcome_is_known_or_unknown(
    network: Network,
) -> None:
    """Raft drops what its leader has taken and not yet put into a block: no client is told."""
    leader = await leader_of(network)
    async with submitters(network, lose=True) as submitted:
        await more(submitted, 20)
        report = await network.remove_orderer(leader)
        await more(submitted, 40)
    assert any("led" in note for note in report.notes)
    assert len(submitted.unknown) <= 4  # of four submitters, one transaction each at most
    async with network.gateway("clinic") as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        for key in (*submitted.unknown, submitted.done[-1]):
            assert await contract.evaluate("Got", key) == key.encode()
    await level(network)
