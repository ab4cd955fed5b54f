"""One network in containers for the run: three organisations, three orderers.

Nothing is installed here: without an engine, or without Compose, tests skip and say what is needed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.conftest import TOPOLOGY, on_free_ports
from medfab_network import Network, load_topology
from medfab_network._binaries import cache_folder
from medfab_network._containers import connect
from medfab_network.errors import EngineError

if TYPE_CHECKING:
    from docker import DockerClient

_COMPOSE2 = Path(__file__).parent / "compose2"


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerClient]:
    try:
        client = connect()
    except EngineError as error:
        pytest.skip(str(error))
    yield client
    client.close()


@pytest.fixture(scope="session")
async def network(
    engine: DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    topology = on_free_ports(load_topology(TOPOLOGY)).with_orderers(3).with_containers()
    network = Network(tmp_path_factory.mktemp("docker") / "net", topology)
    try:
        await network.up()
        yield network
    finally:
        await network.clean()


@pytest.fixture(scope="session", params=["1", "2"])
def compose(engine: DockerClient, request: pytest.FixtureRequest) -> Path:
    """The program, of either generation: Debian's, and one built from its pinned Go module."""
    if request.param == "2":
        return _compose2()
    found = shutil.which("docker-compose")
    if found is None or b"1.29" not in subprocess.check_output([found, "version"]):
        pytest.skip("Compose 1.29 is not installed (Debian 12: `apt install docker-compose`)")
    return Path(found)


def _compose2() -> Path:
    digest = hashlib.sha256((_COMPOSE2 / "go.sum").read_bytes()).hexdigest()[:12]
    target = cache_folder() / f"compose2-{digest}" / "docker-compose"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", f"{target}.new"]
            environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
            subprocess.run(
                [*command, "github.com/docker/compose/v2/cmd"],
                cwd=_COMPOSE2,
                env=environment,
                check=True,
                timeout=1500,
            )
            Path(f"{target}.new").rename(target)
    return target


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nothing listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
