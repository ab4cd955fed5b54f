"""Two peers of one organisation: calls go on while the preferred one is dead, and come back."""

from __future__ import annotations

import asyncio

import pytest

from integration.resilience_help import (
    CHAINCODE,
    CHANNEL,
    connect,
    kill,
    ledger,
    network,
    requests_of,
    until,
)
from medfab_gateway import (
    CommitError,
    GatewayOptions,
    OutcomeUnknownError,
    RequestLimitError,
    RetryOptions,
)
from medfab_network import Network

__all__ = ["network"]  # the fixture

pytestmark = pytest.mark.integration


async def test_no_call_fails_while_one_of_two_peers_is_killed(network: Network) -> None:
    """Evaluations and submissions under way when the peer dies come to their end as well.

    But for a submission that the peer had taken and died with: nobody can know that it is lost, and
    it is never made anew. It is reported as unknown.
    """
    evaluated, submitted, unknown = 0, list[str](), list[str | None]()
    stopped = asyncio.Event()
    async with connect(network, GatewayOptions(commit_status_timeout=20)) as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)

        async def evaluate_on() -> None:
            nonlocal evaluated
            while not stopped.is_set():
                assert await contract.evaluate("Read", "none") == b"0"
                evaluated += 1

        async def submit_on(worker: int) -> None:
            while not stopped.is_set():
                try:
                    answer = await contract.submit("Put", f"failover-{worker}-{len(submitted)}")
                except OutcomeUnknownError as error:
                    unknown.append(error.transaction_id)
                else:
                    submitted.append(answer.decode())

        async def kill_and_bring_back() -> None:
            before_kill = len(submitted), evaluated
            await until(lambda: len(submitted) > before_kill[0] + 8)
            kill(network, "peer0.hospital")
            at_kill = len(submitted), evaluated
            await until(lambda: len(submitted) > at_kill[0] + 24 and evaluated > at_kill[1] + 24)
            await network.up()
            stopped.set()

        async with asyncio.TaskGroup() as group:
            for worker in range(4):
                group.create_task(evaluate_on())
                group.create_task(submit_on(worker))
            group.create_task(kill_and_bring_back())

        # Back at the preferred peer, by its own count, which began with its new life.
        async with asyncio.timeout(30):
            while True:
                received, _ = await requests_of(network, "peer0.hospital", "Evaluate")
                await contract.evaluate("Read", "none")
                again, _ = await requests_of(network, "peer0.hospital", "Evaluate")
                if again > received:
                    break
    found = await ledger(network)
    assert {found[one, "VALID"] for one in submitted} == {1}
    assert len(unknown) <= 4  # one of each worker: those that were on their way


async def test_conflicts_are_resolved_when_asked(network: Network) -> None:
    async with connect(network) as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        without = await asyncio.gather(
            *(contract.submit("Increment", "rivals") for _ in range(8)), return_exceptions=True
        )
        conflicts = [error for error in without if isinstance(error, CommitError)]
        assert {error.code for error in conflicts} == {"MVCC_READ_CONFLICT"}
        # Peers may be a block apart: then endorsers answer differently.
        retry = RetryOptions(attempts=20, different_answers=True)
        await asyncio.gather(
            *(contract.submit("Increment", "retried", retry=retry) for _ in range(8))
        )
        assert await contract.evaluate("Read", "retried") == b"8"


async def test_waiting_for_2000_outcomes_does_not_starve_the_peer(network: Network) -> None:
    """They hold 200 of the peer's 500 permits at a time, and calls have their own."""
    async with connect(network) as gateway:
        channel = gateway.network(CHANNEL)
        contract = channel.contract(CHAINCODE)
        waits = [
            asyncio.create_task(channel.commit(f"{number:064x}").status()) for number in range(2000)
        ]
        await _until_waiting(network, 200)
        answers = await asyncio.gather(*(contract.evaluate("Read", "x") for _ in range(600)))
        assert len(answers) == 600
        # The outcome of a transaction that there is comes in its turn, past the 2,000.
        await asyncio.gather(*(contract.submit("Put", f"starving-{n}") for n in range(20)))
        assert {wait.exception() for wait in waits if wait.done()} == set()
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        await _until_waiting(network, 0)


async def test_without_a_limit_of_ones_own_the_peer_turns_calls_away(network: Network) -> None:
    """What the limits are for; the peer's own limiter is real."""
    options = GatewayOptions(concurrent_status_waits=2000)
    async with connect(network, options) as gateway:
        channel = gateway.network(CHANNEL)
        waits = [
            asyncio.create_task(channel.commit(f"{number:064x}").status()) for number in range(600)
        ]
        await _until_waiting(network, 500)
        with pytest.raises(RequestLimitError, match="exceeding concurrency limit"):
            await channel.contract(CHAINCODE).evaluate("Read", "x", timeout=2)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        await _until_waiting(network, 0)
        assert await channel.contract(CHAINCODE).evaluate("Read", "x") == b"0"


async def _until_waiting(network: Network, count: int) -> None:
    """Until the preferred peer has `count` questions after outcomes under way."""
    async with asyncio.timeout(60):
        while True:
            received, completed = await requests_of(network, "peer0.hospital", "CommitStatus")
            if received - completed == count:
                return
            await asyncio.sleep(0.1)
