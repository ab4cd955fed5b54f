"""CPU of our gateway client beside the official Node and Go clients, in one run.

Each client is a process of its own that makes the same calls, checks every answer, and prints the
CPU that it used, warm-up left out. They take turns, so that each run of ours has a run of every
peer beside it. First all meet the same mock gateway (a Go program that answers at once), then the
real network. Node runs with the signer that it comes with, and with one on its native cryptography.
The floor is what any client upon grpcio takes: bench/gateway_floor.py.

    make bench-gateway            about ten minutes; writes bench/results/gateway.json
    make bench-gateway QUICK=1    one run of each, for a look; writes nothing
    make bench-gateway ONLY=sub   cases whose names begin so; the rows of the others stay
                                  (RUNS=3 instead of five, AT_ONCE=16,64 of the concurrencies)
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from bench._results import Row, compare, node_version, print_row, write
from fabric_protos.common import ledger_pb2

from integration.conftest import on_free_ports
from medfab_gateway import AsyncGateway, ConnectionProfile, FileSystemWallet
from medfab_network import Network, parse_topology
from official import go_program, node, node_project
from unit.gateway.fake_gateway import make_identity

ROOT = Path(__file__).parent.parent
OFFICIAL = Path(__file__).parent / "official"
QUICK = bool(os.environ.get("QUICK"))
ONLY = os.environ.get("ONLY", "")
AT_ONCE = os.environ.get("AT_ONCE", "")
RUNS = 1 if QUICK else int(os.environ.get("RUNS") or 5)
SECONDS = 120
OURS, OURS_SYNC = "medfab", "medfab (sync)"
PEERS = {
    "node": "fabric-gateway 1.12.1 (Node)",
    "node-native": "fabric-gateway 1.12.1 (Node, native signer)",
    "go": "fabric-gateway 1.12.1 (Go)",
}
FLOORS = {
    OURS: ("floor", "floor signed"),
    OURS_SYNC: ("floor (sync)", "floor signed (sync)"),
}
FLOOR_NAMES = {False: "grpcio alone", True: "grpcio and signatures"}
MOCK = "mock gateway"
CHANNEL, MSP_ID = "bench", "HospitalMSP"
VALUE = "v" * 200


@dataclass(frozen=True)
class Case:
    """So many calls, measured after so many for warming up."""

    name: str
    unit: str
    at_once: tuple[int, ...]
    warmup: int
    wanted: int


PER_CALL = "µs of CPU per call"
MOCK_CASES = [
    Case("evaluate", PER_CALL, (1, 16, 64), 500, 1500),
    Case("submit", PER_CALL, (1, 16, 64), 300, 600),
    Case("block event", "µs of CPU per block", (1,), 500, 2000),
    Case("decoded transaction", "µs of CPU per transaction", (1,), 1000, 5000),
]
NETWORK_CASES = [
    Case("evaluate", PER_CALL, (1, 16), 200, 500),
    Case("submit", PER_CALL, (16, 64), 200, 500),
]


class Clients:
    """The programs, and what each of them is started with."""

    def __init__(self, go: Path, node_folder: Path) -> None:
        ours = [sys.executable, "-m", "bench.gateway_client"]
        floor = [sys.executable, "-m", "bench.gateway_floor"]
        self._commands: dict[str, tuple[list[Any], list[str]]] = {
            OURS: (ours, ["async"]),
            OURS_SYNC: (ours, ["sync"]),
            "floor": (floor, ["async", "bare"]),
            "floor signed": (floor, ["async", "signed"]),
            "floor (sync)": (floor, ["sync", "bare"]),
            "floor signed (sync)": (floor, ["sync", "signed"]),
            "node": ([node(), node_folder / "client.js"], ["default"]),
            "node-native": ([node(), node_folder / "client.js"], ["native"]),
            "go": ([go, "client"], []),
        }

    def run(self, name: str, setup: Path, case: Case, at_once: int) -> dict[str, Any]:
        """One process, one piece of work; stops the whole benchmark where a call failed."""
        command, rest = self._commands[name]
        numbers = [str(number) for number in (at_once, case.warmup, case.wanted)]
        done = subprocess.run(
            [*command, setup, case.name, *numbers, *rest],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        if done.returncode != 0:
            raise SystemExit(f"{name}, {case.name}: {done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def measure(clients: Clients, setup: Path, case: Case, place: str) -> Iterator[Row]:
    """All clients in turn, run after run, then a row for each of ours beside each peer."""
    by_call = case.unit == PER_CALL
    forms = [OURS, OURS_SYNC] if by_call else [OURS]
    # What it sends over and over, a real orderer would take once.
    floors = [floor for own in forms for floor in FLOORS[own]] if place == MOCK and by_call else []
    peers = [name for name in PEERS if by_call or name != "node-native"]  # no signing in the others
    for at_once in case.at_once:
        if AT_ONCE and str(at_once) not in AT_ONCE.split(","):
            continue
        costs: dict[str, list[float]] = defaultdict(list)
        work = set()
        for _ in range(RUNS):
            for name in (*forms, *floors, *peers):
                found = clients.run(name, setup, case, at_once)
                costs[name].append(found["cpu_us"] / case.wanted)
                work.add((found["keys"], found["values"]))
        if len(work) != 1:
            raise SystemExit(f"{case.name}: the clients did not do the same work: {work}")

        beside = {peer: PEERS[peer] for peer in peers}
        pairs = [(own, peer) for own in (*forms, *floors) for peer in beside]
        if floors:
            beside |= {floor: FLOOR_NAMES["signed" in floor] for floor in floors}
            pairs += [(own, floor) for own in forms for floor in FLOORS[own]]
        for own, peer in pairs:
            form = " (sync)" if own.endswith("(sync)") else ""
            floor = f"{own.removesuffix(form)}: " if own in floors else ""
            yield compare(
                f"{floor}{case.name}{form}, {place}",
                ours=costs[own],
                peer=costs[peer],
                peer_name=beside[peer],
                unit=case.unit,
                concurrency=at_once,
            )


@contextmanager
def mock_gateway(go: Path, blocks: Path, folder: Path) -> Iterator[Path]:
    """The setup file for the mock gateway, which runs as long as the block."""
    authority = trustme.CA()
    identity, key = make_identity(MSP_ID)
    server = authority.issue_cert("peer0.bench.example")
    folder.mkdir(mode=0o700)
    authority.cert_pem.write_to_path(folder / "root.pem")
    server.cert_chain_pems[0].write_to_path(folder / "server.pem")
    server.private_key_pem.write_to_path(folder / "server-key.pem")
    (folder / "user.pem").write_bytes(identity.certificate)
    (folder / "user-key.pem").write_bytes(key)
    command: list[Any] = [go, "mock", folder / "server.pem", folder / "server-key.pem", blocks]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        answer = '{"answer":"what every call must give back"}'
        setup = {
            "address": process.stdout.readline().strip(),
            "server_name": "peer0.bench.example",
            "msp_id": MSP_ID,
            "evaluate_gives": answer,
            "submit_gives": answer,
            "blocks": str(blocks),
        }
        yield write_setup(folder, setup)
        assert process.stdin is not None
        process.stdin.close()


@asynccontextmanager
async def real_network(folder: Path) -> AsyncIterator[AsyncGateway]:
    """Two organisations that both endorse; a gateway to the first one's peer."""
    topology = parse_topology(
        {
            "ordering": {"orderers": 1},
            "organizations": [
                {"name": "hospital", "msp_id": MSP_ID, "users": [{"name": "bench"}]},
                {"name": "clinic", "msp_id": "ClinicMSP"},
            ],
            "channels": [{"name": CHANNEL, "organizations": ["hospital", "clinic"]}],
            "chaincodes": [
                {"name": "assets", "channel": CHANNEL, "contract": "bench.assets:Assets"}
            ],
        }
    )
    os.environ["PYTHONPATH"] = str(ROOT)  # for the chaincode processes
    network = Network(folder, on_free_ports(topology))
    async with network.running(), network.gateway("hospital", "bench") as gateway:
        yield gateway


async def record_blocks(gateway: AsyncGateway, target: Path) -> None:
    """Blocks of transactions that are worth reading, as the peer gives them out."""
    channel = gateway.network(CHANNEL)
    contract, qscc = channel.contract("assets"), channel.contract("qscc")

    async def ask(function: str, *arguments: str) -> bytes:
        own = [MSP_ID]
        return await qscc.evaluate(function, CHANNEL, *arguments, target_organizations=own)

    async def height() -> int:
        answer = ledger_pb2.BlockchainInfo.FromString(await ask("GetChainInfo"))
        return int(answer.height)

    first = await height()
    for batch in range(20):
        calls = (contract.submit("File", f"{batch}-{i}", VALUE, MSP_ID) for i in range(16))
        await asyncio.gather(*calls)
    with target.open("wb") as file:
        for number in range(first, await height()):
            block = await ask("GetBlockByNumber", str(number))
            file.write(len(block).to_bytes(4, "big") + block)


def real_setup(network: Path, folder: Path) -> Path:
    """The setup file for the hospital's peer."""
    hospital = network / "organizations" / "hospital"
    endpoint = ConnectionProfile.load(hospital / "connection.json").endpoint_for("hospital")
    entry = FileSystemWallet(hospital / "wallet").get("bench")
    assert endpoint.tls_root_certificates is not None
    assert entry.private_key_pem is not None
    folder.mkdir(mode=0o700)
    (folder / "root.pem").write_bytes(endpoint.tls_root_certificates)
    (folder / "user.pem").write_bytes(entry.identity.certificate)
    (folder / "user-key.pem").write_bytes(entry.private_key_pem)
    setup = {
        "address": endpoint.address,
        "server_name": endpoint.server_name or endpoint.address.rpartition(":")[0],
        "msp_id": entry.identity.msp_id,
        "evaluate_gives": VALUE,
        "submit_gives": "written",
    }
    return write_setup(folder, setup)


def write_setup(folder: Path, setup: dict[str, str]) -> Path:
    """With what is the same for the mock and the network."""
    path = folder / "setup.json"
    common = {
        "tls_root": str(folder / "root.pem"),
        "certificate": str(folder / "user.pem"),
        "key": str(folder / "user-key.pem"),
        "channel": CHANNEL,
        "chaincode": "assets",
        "evaluate": ["Get", "key"],
        "submit": ["Put", VALUE],
    }
    path.write_text(json.dumps(common | setup))
    return path


async def main() -> None:
    go = await go_program(OFFICIAL / "gateway-go")
    clients = Clients(go, node_project(OFFICIAL / "gateway-node"))
    official = {"fabric-gateway (Node and Go)": "1.12.1", "node": node_version()}
    rows: list[Row] = []

    def add(case: Case, setup: Path, place: str) -> None:
        if not f"{case.name}, {place}".startswith(ONLY):
            return
        for row in measure(clients, setup, case, place):
            rows.append(row)
            print_row(row)
        if not QUICK:
            write("gateway", rows, versions=official, keep_others=bool(ONLY))

    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as name:
        folder = Path(name)
        blocks = folder / "blocks"
        async with real_network(folder / "net") as gateway:
            await gateway.network(CHANNEL).contract("assets").submit("Put", "key", VALUE)
            await record_blocks(gateway, blocks)
            with mock_gateway(go, blocks, folder / "mock") as setup:
                for case in MOCK_CASES:
                    await asyncio.to_thread(add, case, setup, MOCK)
            setup = real_setup(folder / "net", folder / "real")
            for case in NETWORK_CASES:
                await asyncio.to_thread(add, case, setup, "real network")


if __name__ == "__main__":
    asyncio.run(main())
