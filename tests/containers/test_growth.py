"""A network in containers grows while it runs: an organisation, an orderer, a peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from containers.test_containers import containers_of
from integration.network_help import (
    CHAINCODE,
    CHANNEL,
    MEDFAB,
    consortium,
    is_registered,
    register_patient,
)
from medfab_gateway import ConnectionProfile
from medfab_network import Network, User, parse_topology
from medfab_network._containers import project_name

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.integration


@pytest.fixture
async def small(engine: DockerClient, tmp_path: Path) -> AsyncIterator[Network]:
    network = Network(tmp_path / "net", consortium().with_containers())
    try:
        await network.up()
        yield network
    finally:
        await network.clean()


def with_laboratory(source: dict[str, Any]) -> dict[str, Any]:
    member = {"name": "laboratory", "msp_id": "LaboratoryMSP"}
    (channel,) = source["channels"]
    return {
        **source,
        "organizations": [*source["organizations"], member],
        "channels": [{**channel, "organizations": [*channel["organizations"], "laboratory"]}],
    }


async def revoke_somebody(network: Network) -> None:
    """Into the channel, by the command: it goes to an orderer, where its container publishes it."""
    profile = ConnectionProfile.load(network.connection_profile("hospital"))
    assert set(profile.orderer_addresses) == {
        orderer.address for orderer in network.topology.ordering.orderers
    }
    await network.enrol_user("hospital", User(name="lee"))
    command = ["ca", "revoke", "lee", "--org", "hospital", "--channel", CHANNEL, "--yes"]
    process = await asyncio.create_subprocess_exec(MEDFAB, *command, "--dir", network.directory)
    assert await process.wait() == 0


async def test_it_grows(engine: DockerClient, small: Network) -> None:
    before = await register_patient(small)
    wanted = parse_topology(with_laboratory(dict(small.topology.source)))
    report = await small.add_organization("laboratory", wanted)
    assert set(report.started) == {"ca.laboratory", "peer0.laboratory", f"{CHAINCODE}.laboratory"}
    await small.add_orderer()
    await small.add_peer("clinic")
    assert {"orderer1.orderer", "peer1.clinic"} < set(containers_of(engine, small))
    await revoke_somebody(small)

    status = await small.status()
    assert [s.node.name for s in status if not s.healthy] == []
    assert {s.node.name for s in status} == set(containers_of(engine, small))
    user = await register_patient(small, "laboratory")
    assert await is_registered(small, user, "laboratory")
    assert await is_registered(small, before)
    services = yaml.safe_load((small.directory / "docker-compose.yaml").read_text())["services"]
    assert {name for name, each in services.items() if "profiles" not in each} == {
        s.node.name for s in status
    }

    await small.remove_orderer("orderer1.orderer")
    assert "orderer1.orderer" not in containers_of(engine, small)
    project = project_name(small.topology, small.directory)
    volumes = {volume.name for volume in engine.volumes.list()}
    assert f"{project}_orderer1.orderer.data" not in volumes
    assert f"{project}_peer1.clinic.data" in volumes

    # Another command knows of it, and nothing of it is left after its `clean`.
    again = Network(small.directory)
    assert await again.down()
    await again.up()
    assert await is_registered(again, user, "laboratory")
    await again.clean()
    assert not [v.name for v in engine.volumes.list() if v.name.startswith(project)]
