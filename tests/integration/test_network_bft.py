"""Ordering with BFT: four orderers, of which one may be lost, whichever it is."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator

import pytest

from integration.network_help import consortium, is_registered, register_patient
from integration.test_network_larger import commits_within, kill, same_height_everywhere
from medfab_network import Network, parse_topology
from medfab_network._access import Access
from medfab_network._channel_change import ChannelChanges
from medfab_network._health import leaders, tls_context
from medfab_network._rotation import Kind
from medfab_network._rotation_pairs import Pair

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    source = dict(consortium(orderers=4).source)
    topology = parse_topology(
        {**source, "ordering": {**source["ordering"], "consensus": "BFT"}},
    )
    network = Network(tmp_path_factory.mktemp("bft") / "net", topology)
    try:
        await network.up()
        yield network
    finally:
        await network.clean()


async def leader_of(network: Network) -> str:
    """Who has led to the newest block."""
    ordering, layout = network.topology.ordering, network._layout
    context = tls_context(
        layout.tls_ca_certificate(ordering.name), layout.tls(ordering.name, "admin")
    )
    (leader,) = [o.name for o in ordering.orderers if await leaders(o, context)]
    return leader


async def test_the_leader_may_be_lost(network: Network) -> None:
    user = await register_patient(network)
    assert await is_registered(network, user)
    leader = await leader_of(network)
    await kill(network, leader)
    user = await commits_within(network, 120)
    assert await is_registered(network, user, "clinic")
    assert (await network.up()).started == [leader]
    await same_height_everywhere(network, 120)


async def test_certificates_of_orderers_are_replaced(network: Network) -> None:
    """TLS and identity both: with BFT the channel knows them, and verifies blocks by them."""
    ordering, layout = network.topology.ordering, network._layout
    pairs = [
        make(layout, ordering.name, node.name)
        for node in ordering.orderers
        for make in (Pair.tls, Pair.sign)
    ]
    old = [b64encode(pair.certificate.read_bytes()).decode() for pair in pairs]
    await network.rotate(ordering.name, Kind.NODE)
    user = await commits_within(network, 120)
    assert await is_registered(network, user, "clinic")
    member = network.topology.organization("clinic")
    access = Access(layout)
    config = await ChannelChanges(network.topology, access).config(
        network.topology.channels_of(member.name)[0]
    )
    text = json.dumps(config.to_json())
    assert not [pem for pem in old if pem in text]
    assert all(b64encode(pair.certificate.read_bytes()).decode() in text for pair in pairs)
    await same_height_everywhere(network, 120)


async def test_an_orderer_that_has_lost_its_disk_is_replaced(network: Network) -> None:
    """The others outvote it meanwhile; afterwards one of them may be lost: its vote counts.

    The leader, and while all are down: the others begin with a leader that does not come.
    """
    await commits_within(network, 120)
    await same_height_everywhere(network, 120)
    name = await leader_of(network)
    await network.down()
    shutil.rmtree(network._layout.node("orderer", name) / "data")
    report = await network.up()
    assert report.lost == [name]
    assert name not in {*report.started, *network.processes()}
    await network.replace(name)
    await same_height_everywhere(network, 120)
    [other, *_] = [o.name for o in network.topology.ordering.orderers if o.name != name]
    await kill(network, other)
    user = await commits_within(network, 120)
    assert await is_registered(network, user, "clinic")
    assert (await network.up()).started == [other]
    await commits_within(network, 120)  # a follower that lacks one block notices with the next one
    await same_height_everywhere(network, 120)
