"""Nodes killed under load: what was acknowledged is on the ledger once, the rest is told apart.

Scaled down where CI runs it; `MEDFAB_SOAK=1` makes 10,000 submissions in each form.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from integration.resilience_help import (
    CHAINCODE,
    CHANNEL,
    connect,
    kill,
    ledger,
    network,
    profile_and_admin,
    until,
)
from medfab_gateway import Gateway, GatewayError, GatewayOptions, OutcomeUnknownError
from medfab_network import Network
from soak import SOAK, record

__all__ = ["network"]  # the fixture

pytestmark = pytest.mark.integration

WORKERS = 32
SUBMISSIONS = 10_000 if SOAK else 300
# What was never ordered is waited for as long as this.
OPTIONS = GatewayOptions(commit_status_timeout=60 if SOAK else 20)


@dataclass
class Outcomes:
    """What the workers were told."""

    acknowledged: list[str] = field(default_factory=list)
    """Transaction ids."""
    failed: list[GatewayError] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def count(self) -> int:
        return len(self.acknowledged) + len(self.failed)


async def work_async(network: Network, outcomes: Outcomes) -> None:
    async with connect(network, OPTIONS) as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)

        async def work(worker: int) -> None:
            while not outcomes.stopped.is_set():
                try:
                    answer = await contract.submit("Put", f"async-{worker}-{outcomes.count}")
                    outcomes.acknowledged.append(answer.decode())
                except GatewayError as error:
                    outcomes.failed.append(error)
                    await asyncio.sleep(0.2)

        async with asyncio.TaskGroup() as group:
            for worker in range(WORKERS):
                group.create_task(work(worker))


async def work_blocking(network: Network, outcomes: Outcomes) -> None:
    def work(gateway: Gateway, worker: int) -> None:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        while not outcomes.stopped.is_set():
            try:
                answer = contract.submit("Put", f"blocking-{worker}-{outcomes.count}")
                outcomes.acknowledged.append(answer.decode())
            except GatewayError as error:
                outcomes.failed.append(error)
                time.sleep(0.2)

    loop = asyncio.get_running_loop()
    with (
        Gateway.connect(*profile_and_admin(network), options=OPTIONS) as gateway,
        ThreadPoolExecutor(WORKERS) as executor,
    ):
        await asyncio.gather(
            *(loop.run_in_executor(executor, work, gateway, n) for n in range(WORKERS))
        )


@pytest.mark.parametrize("work", [work_async, work_blocking])
async def test_every_submission_is_accounted_for(
    network: Network,
    work: Callable[[Network, Outcomes], Awaitable[None]],
) -> None:
    """A peer, the orderer, and then every node are killed while 32 workers submit."""
    outcomes = Outcomes()
    part = SUBMISSIONS // 4
    everything = list(network.processes())

    async def more(count: int) -> None:
        enough = outcomes.count + count
        await until(lambda: outcomes.count >= enough, 1200)

    async def disturb() -> None:
        try:
            for nodes in (["peer0.hospital"], ["orderer0.orderer"], everything):
                await more(part)
                kill(network, *nodes)
                await network.up()
            acknowledged = len(outcomes.acknowledged)
            await until(
                lambda: (
                    len(outcomes.acknowledged) > acknowledged + WORKERS
                    and outcomes.count >= SUBMISSIONS
                ),
                1200,
            )
        finally:
            outcomes.stopped.set()

    await asyncio.gather(disturb(), work(network, outcomes))

    found = await ledger(network)
    on_ledger = {transaction_id for transaction_id, _ in found}
    assert len(set(outcomes.acknowledged)) == len(outcomes.acknowledged)
    assert {found[one, "VALID"] for one in outcomes.acknowledged} == {1}
    assert found.most_common(1)[0][1] == 1
    for error in outcomes.failed:
        assert error.transaction_id
        if not isinstance(error, OutcomeUnknownError):
            assert error.transaction_id not in on_ledger, error
    unknown = [error for error in outcomes.failed if isinstance(error, OutcomeUnknownError)]
    record(
        f"submissions over restarts, {work.__name__.removeprefix('work_')}",
        workers=WORKERS,
        acknowledged=len(outcomes.acknowledged),
        failed=Counter(f"{type(e).__name__} {e.code.name}" for e in outcomes.failed),
        unknown_and_on_the_ledger=sum(e.transaction_id in on_ledger for e in unknown),
        lost_or_doubled=0,
    )
