"""How much a thousand transactions of each kind take: disk, CPU and memory of each node.

    make bench-disk          (QUICK=1: a tenth of the transactions, and nothing is kept)

Keeps bench/results/disk.json, and writes docs/sizing.md from it.

Two networks, one after the other: health records, with three custodians and a member that is none,
and a supply chain of four. Before each look at the disks the peers are started again, so that their
databases have written out what they hold in logs.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import disk_page
from bench._footprint import Footprint, disk_of, footprints
from bench._results import RESULTS, heading, save

from integration.conftest import Consortium, on_free_ports
from integration.supply_help import OnNetwork, supply_network
from medfab_gateway import AsyncContract
from medfab_gateway.ehr import (
    AsyncPatient,
    AsyncPractitioner,
    AsyncProvider,
    FilingKey,
    KeyStore,
    Purpose,
    example_bundle,
)
from medfab_network import Network, Topology, parse_topology
from pharma_world import MAKER, OPERATOR, PHARMACY, WHOLESALER, lot, sscc, unit

QUICK = bool(os.environ.get("QUICK"))
_AT_ONCE = 8


@dataclass
class Phase:
    """Transactions of one kind."""

    kind: str
    transactions: int = 0
    """As blocks have them."""
    things: int = 0
    """Records, units, …: what a user counts."""
    thing: str = ""
    seconds: float = 0.0
    disk: dict[str, dict[str, int]] = field(default_factory=dict)
    """Role of the node → part → bytes more."""
    cpu: dict[str, float] = field(default_factory=dict)
    """Role of the node → seconds."""
    memory: dict[str, int] = field(default_factory=dict)
    """Role of the node → resident bytes, right after it."""


class Meter:
    """Measures phases on one network."""

    def __init__(self, network: Network, channel: str, roles: dict[str, str]) -> None:
        """roles: node → what it is in the tables; others are not in them."""
        self._network = network
        self._channel = channel
        self._roles = roles
        self.phases: list[Phase] = []

    async def measure(self, kind: str, thing: str, work: Callable[[], Awaitable[int]]) -> None:
        """work: does it; returns how many things there are."""
        phase = Phase(kind, thing=thing)
        before = await self._rest()
        transactions = await self._transactions()
        began = time.monotonic()
        phase.things = await work()
        phase.seconds = round(time.monotonic() - began, 1)
        await self._level()
        busy = footprints(self._network)
        after = await self._rest()
        phase.transactions = await self._transactions() - transactions
        for node, role in self._roles.items():
            more: Counter[str] = Counter(after[node].disk)
            more.subtract(before[node].disk)
            phase.disk[role] = {part: size for part, size in more.items() if size > 0}
            phase.cpu[role] = round(busy[node].cpu - before[node].cpu, 2)
            phase.memory[role] = busy[node].memory
        self.phases.append(phase)
        print(f"{kind}: {phase.transactions} transactions in {phase.seconds} s", flush=True)

    async def _rest(self) -> dict[str, Footprint]:
        """Peers started again: what their databases have in logs is in tables then."""
        await self._level()
        peers = [n.name for n in self._network.topology.nodes() if n.kind == "peer"]
        await self._network._processes.stop(peers)
        await self._network.up()
        return footprints(self._network)

    async def _transactions(self) -> int:
        peer = self._network.topology.organizations[0].peers[0]
        async with self._network._access.peer_admin(peer) as admin:
            height = (await admin.chain_info(self._channel)).height
            blocks = [await admin.block_by_number(self._channel, n) for n in range(height)]
        return sum(len(block.transactions) for block in blocks)

    async def _level(self) -> None:
        async with asyncio.timeout(120):
            while True:
                heights = set()
                for member in self._network.topology.organizations:
                    heights.add(await self._network.ledger_height(member.name, self._channel))
                if len(heights) == 1:
                    return
                await asyncio.sleep(0.1)


async def many(count: int, call: Callable[[int], Awaitable[object]]) -> int:
    """Some at a time."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await call(number)

    await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))
    return count


# --- health records ------------------------------------------------------------------------------


def care() -> Topology:
    members = ["hospital", "clinic", "regulator", "insurer"]
    return on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 3},
                "organizations": [
                    {"name": name, "msp_id": f"{name.title()}MSP"} for name in members
                ],
                "channels": [{"name": "care", "organizations": members}],
                "chaincodes": [
                    {
                        "name": "ehr",
                        "channel": "care",
                        "version": "1.0",
                        "contract": "medfab_chaincode.ehr:EhrContract",
                        "custodians": members[:3],
                        "collections": ["consents"],
                    }
                ],
            }
        )
    )


@asynccontextmanager
async def consortium(topology: Topology, folder: Path) -> AsyncIterator[Consortium]:
    async with Network(folder, topology).running() as network, AsyncExitStack() as stack:
        yield Consortium(network, stack)


async def health_records(folder: Path) -> tuple[list[Phase], int]:
    """And what the consensus of its channel takes on an orderer's disk."""
    patients, each = (4, 5) if QUICK else (40, 20)
    bundle = example_bundle()
    async with consortium(care(), folder / "care") as running:
        roles = {
            "peer0.hospital": "peer of the holder",
            "peer0.clinic": "peer of another custodian",
            "peer0.insurer": "peer of another member",
            "orderer0.orderer": "orderer",
            "ca.hospital": "certificate authority",
            "ehr.hospital": "chaincode of the holder",
        }
        meter = Meter(running.running_network, "care", roles)
        pids = [secrets.token_hex(16) for _ in range(patients)]
        users: dict[str, str] = {}

        async def contract(org: str, user: str) -> AsyncContract:
            return await running.contract(org, user, "care", "ehr")

        async def enrol(number: int) -> None:
            pid = pids[number]
            users[pid] = await running.enrol_user(
                "hospital", role="patient", attributes={"medfab.patient": pid}
            )

        async def register(number: int) -> None:
            user = users[pids[number]]
            await AsyncPatient(await contract("hospital", user)).register()

        await meter.measure(
            "certificate (no transaction)", "certificates", lambda: many(patients, enrol)
        )
        await meter.measure("patient registered", "patients", lambda: many(patients, register))
        doctor = await running.enrol_user(
            "hospital", role="practitioner", attributes={"medfab.practitioner": "dr-hill"}
        )
        asker = await running.enrol_user(
            "clinic", role="practitioner", attributes={"medfab.practitioner": "dr-cole"}
        )
        filing_key = FilingKey(secrets.token_bytes(32))
        provider = AsyncProvider(
            await contract("hospital", doctor),
            msp_id="HospitalMSP",
            filing_key=filing_key,
            keys=KeyStore(folder / "keys", filing_key),
        )
        practitioner = AsyncPractitioner(await contract("clinic", asker))

        async def file(number: int) -> None:
            await provider.file_bundle(pids[number], bundle)

        async def filed() -> int:
            await many(patients, file)
            return patients * len(json.loads(bundle)["entry"])

        await meter.measure("records filed, sealed", "records", filed)

        async def grant(number: int) -> None:
            patient = AsyncPatient(await contract("hospital", users[pids[number % patients]]))
            await patient.grant(
                grantee_msp="ClinicMSP",
                practitioner=f"dr-{number}" if number >= patients else None,
                purposes=[Purpose.TREATMENT],
                categories=["laboratory"],
                not_after=datetime.now(UTC) + timedelta(days=30),
            )

        await meter.measure("consent granted", "consents", lambda: many(patients * each, grant))

        async def ask(number: int) -> None:
            await practitioner.request_access(
                pids[number % patients], purpose=Purpose.TREATMENT, categories=["laboratory"]
            )

        await meter.measure("access decided", "decisions", lambda: many(patients * each, ask))
        orderer = running.running_network.topology.ordering.orderers[0]
        return meter.phases, disk_of(running.running_network, orderer)["consensus"]


# --- supply chain --------------------------------------------------------------------------------


async def supply(folder: Path) -> list[Phase]:
    calls, per_call = (3, 100) if QUICK else (30, 1000)
    count = 30 if QUICK else 400
    maker, wholesaler, pharmacy = OPERATOR[MAKER], OPERATOR[WHOLESALER], OPERATOR[PHARMACY]
    async with supply_network(folder / "supply") as running:
        channel = OnNetwork(running, patience=frozenset({"NOT_FOUND", "NOT_HOLDER", "IN_TRANSIT"}))
        roles = {
            "peer0.manufacturer": "peer of a trader",
            "peer0.regulator": "peer of the witness",
            "orderer0.orderer": "orderer",
            "pharma.manufacturer": "chaincode of a trader",
        }
        meter = Meter(running.running_network, "supply", roles)
        await channel.submit(maker, "OpenLot", lot("BULK"))
        await channel.submit(maker, "OpenLot", lot("ONES"))

        async def bulk(number: int) -> None:
            first = number * per_call
            made = {"prefix": "b", "first": first, "last": first + per_call - 1, "width": 7}
            await channel.submit(maker, "Commission", lot("BULK") | {"range": made})

        async def bulks() -> int:
            return await many(calls, bulk) * per_call

        await meter.measure(f"packs commissioned, {per_call} a call", "packs", bulks)

        async def one(number: int) -> None:
            made = {"prefix": "u", "first": number, "last": number, "width": 7}
            await channel.submit(maker, "Commission", lot("ONES") | {"range": made})

        await meter.measure("pack commissioned alone", "packs", lambda: many(count, one))

        async def pack(number: int) -> None:
            items = [unit(f"u{number:07d}")]
            await channel.submit(maker, "Pack", {"container": sscc(number + 1), "items": items})

        await meter.measure("case packed", "cases", lambda: many(count, pack))

        shipments: dict[int, str] = {}

        async def ship(number: int) -> None:
            given = {"items": [sscc(number + 1)], "consignee": WHOLESALER}
            shipments[number] = (await channel.submit(maker, "Ship", given))["shipment"]

        await meter.measure("case shipped", "cases", lambda: many(count, ship))

        async def receive(number: int) -> None:
            given = {"shipment": shipments[number], "items": [sscc(number + 1)]}
            await channel.submit(wholesaler, "Receive", given)

        await meter.measure("case received", "cases", lambda: many(count, receive))

        async def verify(number: int) -> None:
            await channel.evaluate(
                pharmacy, "Verify", unit(f"u{number:07d}"), "ONES", "20301231", "dispense"
            )

        await meter.measure("pack verified (no transaction)", "packs", lambda: many(count, verify))
        return meter.phases


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as name:
        phases, consensus = await health_records(Path(name))
        phases += await supply(Path(name))
    rows = [asdict(phase) for phase in phases]
    if QUICK:
        print(json.dumps(rows, indent=1))
        return
    entries = json.loads(example_bundle())["entry"]
    result = {
        **heading("disk"),
        "records_in_a_filing": len(entries),
        "bytes_of_a_record": sum(len(json.dumps(e["resource"])) for e in entries) // len(entries),
        "consensus_bytes": consensus,
        "rows": rows,
    }
    print(save(result))
    print(disk_page.write(json.loads((RESULTS / "disk.json").read_text())))


if __name__ == "__main__":
    asyncio.run(main())
