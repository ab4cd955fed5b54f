"""Compose's profiles: Prometheus sees every node, and the ledger comes into PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml

from containers.conftest import free_ports
from containers.test_containers import REPOSITORY, medfab
from integration.network_help import register_patient
from medfab_network import Network
from medfab_network._profile_services import EXTRA_IMAGES, OWN_NAMES, WATCHED

pytestmark = pytest.mark.integration
_STARTED = ("prometheus", "postgres", "consumer")  # Debian has no Grafana to make an image of


@pytest.fixture(scope="module")
async def images(network: Network) -> dict[str, str]:
    """Variables for Compose: our images, for there is no registry here."""
    made = json.loads(await medfab("network", "images", "--all", "--json"))
    assert {each["image"] for each in made} > set(OWN_NAMES.values())
    return {EXTRA_IMAGES[name].variable: image for name, image in OWN_NAMES.items()}


@contextmanager
def started(compose: Path, network: Network, images: dict[str, str]) -> Iterator[dict[str, int]]:
    """The services; the port of each."""
    ports = dict(zip(_STARTED, free_ports(len(_STARTED)), strict=True))
    environment = {f"MEDFAB_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    command = [str(compose), "--env-file", str(network.directory / ".env")]
    command += ["-f", str(network.directory / "docker-compose.yaml")]

    def run(*arguments: str) -> None:
        done = subprocess.run(
            [*command, *arguments],
            env={**os.environ, **images, **environment},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    try:
        run("up", "-d", *_STARTED)
        yield ports
    finally:
        run("rm", "-s", "-f", *_STARTED)


async def until(seen: Callable[[], Awaitable[bool]], seconds: float = 180) -> None:
    async with asyncio.timeout(seconds):
        while not await seen():
            await asyncio.sleep(0.5)


async def test_they_watch_and_consume(
    compose: Path, network: Network, images: dict[str, str]
) -> None:
    watched = {node.name for node in network.topology.nodes() if node.kind in WATCHED}
    password = (network.directory / "consumer" / "postgres-password").read_text()
    with started(compose, network, images) as ports:
        database = (
            f"host=127.0.0.1 port={ports['postgres']} user=medfab dbname=medfab password={password}"
        )
        async with httpx.AsyncClient(trust_env=False) as client:

            async def targets_are_up() -> bool:
                try:
                    url = f"http://127.0.0.1:{ports['prometheus']}/api/v1/targets"
                    answer = (await client.get(url)).json()
                except httpx.HTTPError:
                    return False
                states = {t["labels"]["job"]: t["health"] for t in answer["data"]["activeTargets"]}
                return states == dict.fromkeys(watched, "up")

            async def consumer_is_well() -> bool:
                try:
                    answer = await client.get(f"http://127.0.0.1:{ports['consumer']}/healthz")
                except httpx.HTTPError:
                    return False
                return answer.status_code == 200

            await until(consumer_is_well)
            await register_patient(network)

            async def has_all_blocks() -> bool:
                # Now: the peer asked may have been behind the one that registered.
                height = await network.ledger_height("clinic", "care")
                with psycopg.connect(database) as connection:
                    found = connection.execute("SELECT count(*) FROM care.ledger_blocks").fetchone()
                return found == (height,)

            await until(has_all_blocks)
            await until(targets_are_up)


async def test_both_generations_of_compose_read_the_profiles(compose: Path) -> None:
    """Every service of the repository's file, as before a start."""
    file = REPOSITORY / "docker-compose.yaml"
    command = [str(compose), "--profile", "observability", "--profile", "consumer"]
    command += ["-f", str(file)]
    done = subprocess.run(
        [*command, "config", "--services"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == set(yaml.safe_load(file.read_text())["services"])


def test_grafana_is_told_where_prometheus_is(network: Network) -> None:
    """Not run here: only that its files say what they must."""
    folder = network.directory / "monitoring"
    (source,) = yaml.safe_load((folder / "grafana/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    assert json.loads((folder / "dashboards/medfab.json").read_text())["panels"]
