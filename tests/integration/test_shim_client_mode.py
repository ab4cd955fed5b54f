"""A real peer that starts its chaincode itself, by an external builder with a `run` script."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
import socket
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from integration.conftest import on_free_ports
from integration.network_help import until
from medfab_gateway.admin import AsyncLifecycle, ChaincodeDefinition, package_id
from medfab_gateway.errors import GatewayError
from medfab_network import Network, parse_topology
from medfab_network._access import Access
from medfab_network._binaries import Binaries
from medfab_network._layout import Layout

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent
MSP_ID, CHANNEL, NAME = "HospitalMSP", "care", "started"


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    topology = on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [{"name": "hospital", "msp_id": MSP_ID}],
                "channels": [{"name": CHANNEL, "organizations": ["hospital"]}],
            }
        )
    )
    network = Network(tmp_path_factory.mktemp("client") / "net", topology)
    with pytest.MonkeyPatch.context() as patch:
        # For the builder: this Python, and its medfab-chaincode.
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        async with network.running():
            await deploy(network)
            yield network


async def deploy(network: Network) -> None:
    layout = Layout(network.directory)
    shutil.copytree(HERE / "client_builder", layout.builder / "bin", dirs_exist_ok=True)
    metadata = json.dumps({"label": NAME, "type": "medfab-python"}, separators=(",", ":")).encode()
    code = tar_gz({"contract.py": (HERE / "parity_contract.py").read_bytes()})
    package = tar_gz({"metadata.json": metadata, "code.tar.gz": code})
    (peer,) = network.topology.organization("hospital").peers
    async with Access(layout).peer_admin(peer) as admin:
        await admin.install_chaincode(package)
    definition = ChaincodeDefinition(name=NAME, version="1.0", sequence=1)
    async with network.gateway("hospital") as gateway:
        lifecycle = AsyncLifecycle(gateway.network(CHANNEL))
        await lifecycle.approve(definition, package_id(package), msp_id=MSP_ID)
        await lifecycle.commit(definition, endorsing_organizations=[MSP_ID])


def tar_gz(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def chaincode_pids(network: Network) -> set[int]:
    """The processes that the peer's builder has started: their folder is in the peer's data."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                folder = (entry / "cwd").readlink()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if folder.is_relative_to(network.directory) and b"contract:Parity" in command:
                found.add(int(entry.name))
    return found


async def put(network: Network, key: str, value: str) -> None:
    """Submit, again while the peer is still starting the chaincode."""
    async with network.gateway("hospital") as gateway, asyncio.timeout(60):
        while True:
            try:
                await gateway.network(CHANNEL).contract(NAME).submit("Put", key, value)
            except GatewayError:
                await asyncio.sleep(0.2)
            else:
                return


async def get(network: Network, key: str) -> object:
    async with network.gateway("hospital") as gateway:
        contract = gateway.network(CHANNEL).contract(NAME)
        return json.loads(await contract.evaluate("Gather", json.dumps([key])))[0][0]


async def test_the_peer_starts_it_and_it_serves(network: Network) -> None:
    await put(network, "a", "1")
    assert await get(network, "a") == "1"
    async with network.gateway("hospital") as gateway:
        contract = gateway.network(CHANNEL).contract(NAME)
        assert await contract.evaluate("PeerMsp") == MSP_ID.encode()
    assert len(chaincode_pids(network)) == 1


async def test_a_killed_chaincode_is_started_again(network: Network) -> None:
    await put(network, "b", "1")
    (pid,) = chaincode_pids(network)
    os.kill(pid, signal.SIGKILL)
    await put(network, "b", "2")
    assert await get(network, "b") == "2"
    assert pid not in chaincode_pids(network)
    assert len(chaincode_pids(network)) == 1


async def test_a_killed_peer_leaves_no_process_behind_and_starts_a_new_one(
    network: Network,
) -> None:
    await put(network, "c", "1")
    (pid,) = chaincode_pids(network)
    os.kill(network.processes()["peer0.hospital"], signal.SIGKILL)
    await until(lambda: not chaincode_pids(network))  # it cannot come back: it ends by itself
    await network.up()
    await put(network, "c", "2")
    assert await get(network, "c") == "2"
    assert chaincode_pids(network).isdisjoint({pid})


# --- a peer in development mode: without TLS, and open to whoever registers ----------------------


async def test_in_development_mode_it_comes_back_to_the_peer(
    network: Network, binaries: Binaries, tmp_path: Path
) -> None:
    peer = write_development_peer(network, tmp_path)
    log = tmp_path / "chaincode.log"

    def ready() -> int:
        return log.read_text().count("ready for the peer's transactions")

    async with (
        running(tmp_path, binaries["peer"], "node", "start", "--peer-chaincodedev") as first,
        running(
            log.parent,
            Path(sys.executable).with_name("medfab-chaincode"),
            *("serve", "parity_contract:Parity", "--chaincode-id", "notes:1.0"),
            *("--peer-address", peer, "--peer-tls-enabled", "false", "--reconnect"),
            log=log,
        ) as chaincode,
    ):
        await until(lambda: ready() == 1)
        first.kill()
        await until(lambda: "disconnected from the peer" in log.read_text())
        async with running(tmp_path, binaries["peer"], "node", "start", "--peer-chaincodedev"):
            await until(lambda: ready() == 2)
            chaincode.terminate()
            assert await asyncio.wait_for(chaincode.wait(), 30) == 0


def write_development_peer(network: Network, folder: Path) -> str:
    """Write a `core.yaml` into the folder; returns where that peer listens for chaincode."""
    config_file = Layout(network.directory).node("hospital", "peer0.hospital") / "core.yaml"
    config = yaml.safe_load(config_file.read_text())
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        peer, chaincode, operations = (f"127.0.0.1:{s.getsockname()[1]}" for s in sockets)
    config["peer"] |= {
        "listenAddress": peer,
        "address": peer,
        "chaincodeListenAddress": chaincode,
        "fileSystemPath": str(folder / "data"),
        "tls": {"enabled": False},
    }
    config["peer"]["gossip"] |= {"bootstrap": peer, "endpoint": peer, "externalEndpoint": peer}
    config["operations"] = {"listenAddress": operations, "tls": {"enabled": False}}
    config["ledger"]["snapshots"]["rootDir"] = str(folder / "data" / "snapshots")
    (folder / "core.yaml").write_text(yaml.safe_dump(config))
    return chaincode


@contextlib.asynccontextmanager
async def running(
    folder: Path, program: str | Path, *arguments: str, log: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    with (log or folder / "peer.log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            env={**os.environ, "FABRIC_CFG_PATH": str(folder), "PYTHONPATH": str(HERE)},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
