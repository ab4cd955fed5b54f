"""What the tests of consumers share: a network with a contract to follow, load, and the truth."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import on_free_ports
from integration.network_help import MEDFAB
from medfab_gateway import AsyncContract, AsyncGateway, AsyncNetwork, MedfabError
from medfab_gateway.consumers import (
    INTEGER,
    OWN,
    TEXT,
    Emitted,
    LedgerBlock,
    LedgerTransaction,
    Operation,
    PrivateWritten,
    Projection,
    Store,
    Table,
    Written,
    composite,
    on_event,
    on_private,
    on_write,
    plain,
    private_reader,
)
from medfab_network import Network, parse_topology

CHANNEL, CHAINCODE = "shared", "consumed"
ALONE, SOLO = "alone", "solo"
"""A channel of the hospital only, and the contract there: its administrator may read the stream of
blocks with private data."""
MSP = "HospitalMSP"

ITEMS = Table("items", {"id": TEXT, "value": INTEGER, "by": TEXT}, key=["id"])
TOTALS = Table("totals", {"creator": TEXT, "events": INTEGER, "total": INTEGER}, key=["creator"])
SECRETS = Table("secrets", {"id": TEXT, "value": TEXT}, key=["id"], private=True)


class Items(Projection):
    """Items, sums over events, and secrets, in both ways of reading them."""

    name = "items"
    chaincode = CHAINCODE
    tables = (ITEMS, TOTALS, SECRETS)

    @on_write(composite("item", "id"))
    def item(self, write: Written) -> Iterator[Operation]:
        if write.is_delete:
            yield ITEMS.delete(id=write["id"])
        else:
            by = write.transaction.transaction_id
            yield ITEMS.put(id=write["id"], value=write.json(), by=by)

    @on_event("Put")
    def put(self, event: Emitted) -> Iterator[Operation]:
        creator = event.transaction.creator_msp_id
        yield TOTALS.add(creator=creator, events=1, total=event.json())

    @on_private(OWN, plain("secret-{id}"))
    def secret(self, write: PrivateWritten) -> Iterator[Operation]:
        yield SECRETS.put(id=write["id"], value=write.value.decode())

    @private_reader(OWN)
    async def read(
        self, transaction: LedgerTransaction, network: AsyncNetwork
    ) -> Iterable[tuple[str, bytes]]:
        name = transaction.decoded.args[1].decode()
        answer = await network.contract(self.chaincode or CHAINCODE).evaluate("Read", name)
        return [(key, value.encode()) for key, value in json.loads(answer).items()]


@asynccontextmanager
async def consumer_network(directory: Path) -> AsyncIterator[Network]:
    """Two organisations with a peer each, and the contract on both channels."""
    topology = on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [
                    {"name": "hospital", "msp_id": MSP},
                    {"name": "clinic", "msp_id": "ClinicMSP"},
                ],
                "channels": [
                    {"name": CHANNEL, "organizations": ["hospital", "clinic"]},
                    {"name": ALONE, "organizations": ["hospital"]},
                ],
                "chaincodes": [
                    {
                        "name": name,
                        "channel": channel,
                        "version": "1.0",
                        "contract": "consumer_contract:Consumed",
                    }
                    for name, channel in ((CHAINCODE, CHANNEL), (SOLO, ALONE))
                ],
            }
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        async with Network(directory, topology).running() as network:
            yield network


async def keep(contract: AsyncContract, name: str, secret: str) -> None:
    await contract.submit(
        "Keep", name, transient={"secret": secret.encode()}, endorsing_organizations=[MSP]
    )


async def purge(contract: AsyncContract, name: str) -> None:
    await contract.submit("Purge", name, endorsing_organizations=[MSP])


def connect(network: Network) -> AsyncGateway:
    return AsyncGateway.connect_user(network.directory, "hospital", "admin")


async def ledger(network: Network, channel: str = CHANNEL) -> list[LedgerBlock]:
    """All blocks, one by one, by a reader that is no consumer."""
    height = await network.ledger_height("hospital", channel)
    async with (
        connect(network) as gateway,
        gateway.network(channel).block_events(0, height - 1) as blocks,
    ):
        return [LedgerBlock(block=block) async for block in blocks]


def items_on(blocks: list[LedgerBlock]) -> dict[str, tuple[int, str]]:
    """Value and transaction of each item, computed from the blocks without a projection."""
    items: dict[str, tuple[int, str]] = {}
    for each in blocks:
        for transaction in each.block.transactions:
            if transaction.validation_code != "VALID":
                continue
            for namespace in transaction.read_write_sets:
                if namespace.namespace != CHAINCODE:
                    continue
                for write in namespace.writes:
                    item = write.key.split("\x00")[2]
                    items.pop(item, None)
                    if not write.is_delete:
                        items[item] = int(write.value), transaction.transaction_id
    return items


def totals_on(blocks: list[LedgerBlock]) -> list[tuple[Any, ...]]:
    values = [
        int(transaction.event.payload)
        for each in blocks
        for transaction in each.block.transactions
        if transaction.validation_code == "VALID"
        and transaction.event is not None
        and transaction.chaincode_name == CHAINCODE
    ]
    return [(MSP, len(values), sum(values))] if values else []


def rows(store: Store, table: Table) -> list[tuple[Any, ...]]:
    found = store.query(f"SELECT {', '.join(table.columns)} FROM {table.name}")  # noqa: S608
    return sorted(found, key=repr)


def position(store: Store, name: str) -> int:
    """The next block of a consumer, by its database, which is opened for it; 0 without one."""
    if not store.exists():
        return 0
    store.open()
    try:
        if not store.has_table("medfab_consumers"):
            return 0
        found = store.query("SELECT next_block FROM medfab_consumers WHERE consumer = ?", [name])
        return int(found[0][0]) if found else 0
    finally:
        store.close()


async def until_there(store: Store, seconds: float = 240) -> None:
    """Wait until a service has made its database."""
    async with asyncio.timeout(seconds):
        while not store.exists():
            await asyncio.sleep(0.05)


async def until_at(store: Store, consumer: str, block: int, seconds: float = 240) -> None:
    """Wait until the consumer has handled all blocks below `block`, by its database."""
    async with asyncio.timeout(seconds):
        while True:
            if store.has_table("medfab_consumers"):
                found = store.query(
                    "SELECT next_block FROM medfab_consumers WHERE consumer = ?", [consumer]
                )
                if found and found[0][0] >= block:
                    return
            await asyncio.sleep(0.05)


class Load:
    """Transactions without a pause, until `stop()`: some valid, some in each other's way."""

    def __init__(self, network: Network, *, workers: int = 4) -> None:
        self.acknowledged = 0
        self.failed = 0
        self._ended = False
        self._tasks = [asyncio.create_task(self._work(network, n)) for n in range(workers)]

    async def _work(self, network: Network, worker: int) -> None:
        count = 0
        async with connect(network) as gateway:
            contract = gateway.network(CHANNEL).contract(CHAINCODE)
            while not self._ended:
                count += 1
                try:
                    if count % 10 == 9:
                        await contract.submit("Touch", "contended", timeout=20)
                    else:
                        item = f"{worker}-{count % 20}"
                        await contract.submit("Put", item, str(count), timeout=20)
                    self.acknowledged += 1
                except MedfabError:
                    self.failed += 1
                    await asyncio.sleep(0.1)

    async def until(self, acknowledged: int, seconds: float = 120) -> None:
        async with asyncio.timeout(seconds):
            while self.acknowledged < acknowledged:
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        self._ended = True
        await asyncio.gather(*self._tasks)


@contextmanager
def service(file: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`medfab events run`; ended with SIGKILL where it still runs at the end."""
    command = [str(MEDFAB), "events", "run", str(file), "--json", *options]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with (
        (file.parent / "service.log").open("ab") as log,
        subprocess.Popen(command, stderr=log, env=environment) as process,
    ):
        try:
            yield process
        except BaseException:
            print(said(file))  # for pytest to show: why what was waited for did not come
            raise
        finally:
            process.kill()


async def terminate(process: subprocess.Popen[bytes]) -> int:
    """SIGTERM: the exit code."""
    process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(process.wait)


def said(file: Path) -> str:
    """What the services of a file have logged."""
    return (file.parent / "service.log").read_text()


def medfab(*arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command; folder: where, None: here."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run(
        [MEDFAB, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
        cwd=folder,
    )
