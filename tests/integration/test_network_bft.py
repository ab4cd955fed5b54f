"""Ordering with BFT: four orderers, of which one may be lost, whichever it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from integration.network_help import consortium, is_registered, register_patient
from integration.test_network_larger import commits_within, kill, same_height_everywhere
from medfab_network import Network, parse_topology
from medfab_network._health import leaders, tls_context

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


async def test_the_leader_may_be_lost(network: Network) -> None:
    user = await register_patient(network)
    assert await is_registered(network, user)
    ordering, layout = network.topology.ordering, network._layout
    context = tls_context(
        layout.tls_ca_certificate(ordering.name), layout.tls(ordering.name, "admin")
    )
    (leader,) = [o.name for o in ordering.orderers if await leaders(o, context)]
    await kill(network, leader)
    user = await commits_within(network, 120)
    assert await is_registered(network, user, "clinic")
    assert (await network.up()).started == [leader]
    await same_height_everywhere(network, 120)
