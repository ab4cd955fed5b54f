"""The network of the whole stacks: two organisations, one orderer, the contract three times."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.suite._clients import OFFICIAL, ROOT
from bench.suite.contract import COLLECTION

from integration.conftest import on_free_ports
from medfab_gateway import ConnectionProfile, FileSystemWallet
from medfab_gateway.admin import AsyncChannelAdmin, AsyncPeerAdmin, ConfigEditor
from medfab_network import Network, parse_topology
from official import go_program, node, node_project

CHANNEL = "bench"
USER = "bench"
BATCH_TIMEOUT, BATCH_COUNT = "50ms", 100
"""Of every channel that is measured, for all sides the same: a block is cut so long after its first
transaction, or when it has so many."""
CHAINCODES = {"python": "assets-python", "node": "assets-node", "go": "assets-go"}


class Programs:
    """The official libraries, built."""

    def __init__(self, go: Path, node_folder: Path) -> None:
        self.go = go
        self.node_folder = node_folder

    @classmethod
    async def build(cls) -> Programs:
        go = await go_program(OFFICIAL / "stack-go")
        return cls(go, await asyncio.to_thread(node_project, OFFICIAL / "stack-node"))

    def chaincode(self, language: str) -> list[str]:
        """What each organisation runs."""
        commands: dict[str, list[Any]] = {
            "python": ["medfab-chaincode", "serve", "bench.suite.contract:Assets"],
            "node": [node(), self.node_folder / "server.js"],
            "go": [self.go, "chaincode"],
        }
        return [str(part) for part in commands[language]]


@asynccontextmanager
async def bench_network(folder: Path, programs: Programs) -> AsyncIterator[Network]:
    """Running, with the settings that are measured."""
    both = ["hospital", "clinic"]
    topology = parse_topology(
        {
            "ordering": {"orderers": 1},
            "organizations": [
                {"name": "hospital", "msp_id": "HospitalMSP", "users": [{"name": USER}]},
                {"name": "clinic", "msp_id": "ClinicMSP"},
            ],
            "channels": [{"name": CHANNEL, "organizations": both}],
            "chaincodes": [
                {
                    "name": name,
                    "channel": CHANNEL,
                    "command": programs.chaincode(language),
                    "custodians": both,
                    "collections": [COLLECTION],
                }
                for language, name in CHAINCODES.items()
            ],
        }
    )
    os.environ["PYTHONPATH"] = f"{ROOT}:{ROOT / 'tests'}"  # for the chaincode processes
    async with Network(folder, on_free_ports(topology)).running() as network:
        await set_batch(network, CHANNEL)
        yield network


async def set_batch(network: Network, channel: str) -> None:
    """Put the settings of blocks into force, as the administrators of the orderers would."""
    async with admin_of(network, network.topology.members(channel)[0].name) as members:
        editor = ConfigEditor(await members.config(channel))
        editor.set_batch(max_message_count=BATCH_COUNT, timeout=BATCH_TIMEOUT)
        member = network.topology.members(channel)[0].name
        async with admin_of(network, member, signer=network.topology.ordering.name) as orderers:
            await members.submit(await orderers.sign(editor.update()))


def admin_of(
    network: Network, organization: str, *, signer: str | None = None
) -> AsyncChannelAdmin:
    """The administrator of `signer` (None: of the organisation), at the organisation's peer."""
    profile = ConnectionProfile.load(network.connection_profile(organization))
    entry = FileSystemWallet(network.wallet(signer or organization)).get("admin")
    return AsyncChannelAdmin(profile.endpoint_for(organization), entry.identity, entry.signer())


class Level:
    """Waits until all peers have the same blocks, over connections that stay open.

    It is called while CPU is counted: a handshake for each look would be in what is measured.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._admins: dict[str, AsyncPeerAdmin] = {}

    async def __aenter__(self) -> Level:
        for organization in self._network.topology.organizations:
            name = organization.name
            profile = ConnectionProfile.load(self._network.connection_profile(name))
            entry = FileSystemWallet(self._network.wallet(name)).get("admin")
            endpoint = profile.endpoint_for(name)
            self._admins[name] = AsyncPeerAdmin(endpoint, entry.identity, entry.signer())
        return self

    async def __aexit__(self, *_: object) -> None:
        for admin in self._admins.values():
            await admin.close()

    async def __call__(self, channel: str) -> None:
        members = [self._admins[each.name] for each in self._network.topology.members(channel)]
        async with asyncio.timeout(60):
            # Other processes' ledgers: there is no event of ours to wait for.
            while len({(await each.chain_info(channel)).height for each in members}) > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


def client_setup(network: Network, folder: Path) -> Path:
    """What every client is started with: one user of one organisation, at its peer."""
    endpoint = ConnectionProfile.load(network.connection_profile("hospital")).endpoint_for(
        "hospital"
    )
    entry = FileSystemWallet(network.wallet("hospital")).get(USER)
    assert endpoint.tls_root_certificates is not None
    assert entry.private_key_pem is not None
    folder.mkdir(mode=0o700)
    files = {
        "tls_root": endpoint.tls_root_certificates,
        "certificate": entry.identity.certificate,
        "key": entry.private_key_pem,
    }
    setup = {
        "address": endpoint.address,
        "server_name": endpoint.server_name or endpoint.address.rpartition(":")[0],
        "msp_id": entry.identity.msp_id,
        "channel": CHANNEL,
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
        setup[name] = str(folder / name)
    path = folder / "setup.json"
    path.write_text(json.dumps(setup))
    return path
