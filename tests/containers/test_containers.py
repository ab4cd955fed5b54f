"""The network in containers: what they may do, what survives, what is left behind."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.network_help import MEDFAB, is_registered, register_patient
from medfab_network import Network
from medfab_network._containers import project_name
from medfab_network.topology import HOST

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

REPOSITORY = Path(__file__).parents[2]
pytestmark = pytest.mark.integration


def containers_of(engine: DockerClient, network: Network) -> dict[str, Container]:
    project = project_name(network.topology, network.directory)
    label = f"com.docker.compose.project={project}"
    found = engine.containers.list(all=True, filters={"label": label})
    return {c.labels["com.docker.compose.service"]: c for c in found}


async def test_every_node_is_healthy_and_a_transaction_commits(network: Network) -> None:
    status = await network.status()
    assert [s.node.name for s in status if not s.healthy] == []
    assert len(status) == len(list(network.topology.nodes()))
    user = await register_patient(network)
    assert await is_registered(network, user)


def test_containers_may_do_no_more_than_they_must(engine: DockerClient, network: Network) -> None:
    containers = containers_of(engine, network)
    assert set(containers) == {node.name for node in network.topology.nodes()}
    for name, container in containers.items():
        config, host = container.attrs["Config"], container.attrs["HostConfig"]
        assert config["User"].split(":")[0] not in ("", "0", "root"), name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"]
        assert not host["Privileged"]
        published = [b for bindings in host["PortBindings"].values() for b in bindings]
        assert {b["HostIp"] for b in published} == {HOST}, name


async def test_the_engine_calls_them_healthy_too(engine: DockerClient, network: Network) -> None:
    async with asyncio.timeout(60):
        while True:
            states = {
                name: c.attrs["State"]["Health"]["Status"]
                for name, c in containers_of(engine, network).items()
            }
            if set(states.values()) == {"healthy"}:
                return
            await asyncio.sleep(0.5)


async def test_ledgers_are_there_after_down_and_up(network: Network) -> None:
    user = await register_patient(network)
    stopped = await network.down()
    assert len(stopped) == len(list(network.topology.nodes()))
    assert network.processes() == {}
    assert sorted((await network.up()).started) == sorted(stopped)
    assert await is_registered(network, user)


async def test_up_is_idempotent(network: Network) -> None:
    assert (await network.up()).started == []


async def test_images_are_made_once(network: Network) -> None:
    images = json.loads((network.directory / "images.json").read_text())
    assert len(images) == 4
    again = await medfab("network", "images", "--json")
    assert {row["image"]: row["id"] for row in json.loads(again)} == images


def compose_(program: Path, network: Network, *arguments: str) -> str:
    folder = network.directory
    command: list[str | Path] = [program, "--env-file", folder / ".env"]
    command += ["-f", folder / "docker-compose.yaml", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


async def test_compose_reads_the_repository_s_file(compose: Path) -> None:
    """Variables replaced and everything checked, as before a start."""
    done = subprocess.run(
        [compose, "-f", REPOSITORY / "docker-compose.yaml", "config"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "medfab/fabric-peer:" in done.stdout


async def test_compose_stops_and_starts_the_network(
    engine: DockerClient, compose: Path, network: Network
) -> None:
    """Containers made by Compose in place of ours: the same network, its ledgers included."""
    user = await register_patient(network)
    shown = await asyncio.to_thread(compose_, compose, network, "ps", "-q")
    assert len(shown.split()) == len(list(network.topology.nodes()))
    await asyncio.to_thread(compose_, compose, network, "down")
    assert network.processes() == {}
    await asyncio.to_thread(compose_, compose, network, "up", "-d")
    assert (await network.up()).started == []  # they run; `up` waits until they are ready
    assert await is_registered(network, user)
    await register_patient(network)
    # They are ours as well, whatever each Compose names them.
    await network._processes.stop(["ca.clinic"])
    assert (await network.up()).started == ["ca.clinic"]
    label = f"com.docker.compose.project={project_name(network.topology, network.directory)}"
    found = engine.containers.list(all=True, filters={"label": label})
    assert len(found) == len(list(network.topology.nodes()))


async def test_logs(network: Network) -> None:
    assert "Starting peer" in await medfab(
        "network", "logs", "peer0.clinic", "--lines", "2000", "--dir", str(network.directory)
    )
    listed = await medfab("network", "logs", "--json", "--dir", str(network.directory))
    assert {row["node"] for row in json.loads(listed)} == {
        node.name for node in network.topology.nodes()
    }


async def test_nothing_is_left_after_clean(engine: DockerClient, tmp_path: Path) -> None:
    """The demo, which ends with it; seven organisations and three orderers."""
    before = _inventory(engine)
    folder = tmp_path / "demo"
    report = json.loads(await medfab("demo", "--json", "--docker", "--dir", str(folder)))
    assert report["passed"]
    assert _inventory(engine) == before
    assert not folder.exists()


def _inventory(engine: DockerClient) -> dict[str, Any]:
    return {
        "containers": sorted(c.name for c in engine.containers.list(all=True)),
        "volumes": sorted(v.name for v in engine.volumes.list()),
        "networks": sorted(n.name for n in engine.networks.list()),
    }


async def medfab(*arguments: str) -> str:
    """Standard output of the command, which must succeed."""
    process = await asyncio.create_subprocess_exec(
        MEDFAB, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()
