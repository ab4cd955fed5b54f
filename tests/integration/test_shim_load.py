"""Many transactions at once through a real peer, and processes that are killed under them.

CI runs 400 transactions; MEDFAB_SOAK=1 runs 10,000.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from integration.conftest import on_free_ports
from integration.network_help import until
from medfab_gateway import AsyncNetwork
from medfab_gateway.errors import GatewayError
from medfab_network import Network, parse_topology
from soak import SOAK, record

pytestmark = pytest.mark.integration

TRANSACTIONS, AT_ONCE = (10_000 if SOAK else 400), 64
CHANNEL, NAME, PEER, CHAINCODE = "care", "load", "peer0.hospital", "load.hospital"


@dataclass
class Load:
    """What was asked of the chaincode, and what came back."""

    channel: AsyncNetwork
    acknowledged: list[str] = field(default_factory=list)
    """Ids of transactions whose callers were told that they are committed."""
    failed: list[GatewayError] = field(default_factory=list)
    asked: int = 0

    async def put(self) -> None:
        """One transaction: acknowledged, or an error."""
        self.asked += 1
        key, value = f"key{self.asked}-{id(self):x}", f"value{self.asked}"
        try:
            submitted = await self.channel.contract(NAME).submit_async("Put", key, value)
            status = await submitted.commit.status(timeout=60)
        except GatewayError as error:
            self.failed.append(error)
            await asyncio.sleep(0.05)
            return
        assert status.successful, status.code
        assert json.loads(submitted.result) == [submitted.transaction_id, key, value, "", ""]
        self.acknowledged.append(submitted.transaction_id)

    async def committed_since(self, height: int) -> Counter[str]:
        """How often each valid transaction is in the blocks from `height` on."""
        missing = set(self.acknowledged)
        found: Counter[str] = Counter()
        async with asyncio.timeout(60), self.channel.block_events(height) as blocks:
            async for block in blocks:
                for transaction in block.transactions:
                    if transaction.validation_code == "VALID":
                        found[transaction.transaction_id] += 1
                        missing.discard(transaction.transaction_id)
                if not missing:
                    break
        return found


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    topology = on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [{"name": "hospital", "msp_id": "HospitalMSP"}],
                "channels": [{"name": CHANNEL, "organizations": ["hospital"]}],
                "chaincodes": [
                    {
                        "name": NAME,
                        "channel": CHANNEL,
                        "version": "1.0",
                        "contract": "load_contract:Load",
                    }
                ],
            }
        )
    )
    directory = tmp_path_factory.mktemp("load") / "net"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        async with Network(directory, topology).running() as network:
            yield network


@pytest.fixture
async def load(network: Network) -> AsyncIterator[Load]:
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(network.gateway("hospital"))
        yield Load(gateway.network(CHANNEL))


async def test_none_lost_none_doubled_none_crossed(network: Network, load: Load) -> None:
    height = await network.ledger_height("hospital", CHANNEL)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            await load.put()

    async with asyncio.TaskGroup() as group:
        for _ in range(TRANSACTIONS):
            group.create_task(one())
    assert load.failed == []
    found = await load.committed_since(height)
    assert found == Counter(load.acknowledged)
    assert len(found) == TRANSACTIONS
    record(
        "chaincode on the real network",
        transactions=TRANSACTIONS,
        concurrency=AT_ONCE,
        lost_doubled_or_crossed=0,
    )


@pytest.mark.parametrize("killed", [CHAINCODE, PEER])
async def test_a_process_is_killed_under_load(network: Network, load: Load, killed: str) -> None:
    """What was acknowledged is on the ledger, the rest is an error, and then it goes on."""
    height = await network.ledger_height("hospital", CHANNEL)
    stopped = asyncio.Event()

    async def go_on() -> None:
        while not stopped.is_set():
            await load.put()

    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(go_on())
        await until(lambda: len(load.acknowledged) > 50)
        before = network.processes()
        os.kill(before[killed], signal.SIGKILL)
        await until(lambda: bool(load.failed))
        await until(lambda: network.processes().get(killed) is None)
        await network.up()  # starts that process again, and touches no other
        count = len(load.acknowledged)
        await until(lambda: len(load.acknowledged) > count + 50)
        stopped.set()
    after = network.processes()
    assert {name for name in before if before[name] != after[name]} == {killed}
    assert load.asked == len(load.acknowledged) + len(load.failed)
    found = await load.committed_since(height)
    assert {one: found[one] for one in load.acknowledged} == dict.fromkeys(load.acknowledged, 1)
    assert max(found.values()) == 1
    record(
        f"kill -9 under load, {killed}",
        acknowledged=len(load.acknowledged),
        failed=len(load.failed),
        acknowledged_and_missing=0,
    )
