"""Many calls at once on the real network, and a chaincode that is killed under them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable

import pytest
from fabric_protos.common import ledger_pb2

from integration.conftest import Consortium
from integration.handmade import propose
from integration.test_ehr import ASKER, CHANNEL, People, people, practitioner_of
from integration.test_review_trust import request, terms
from medfab_gateway import AsyncContract, Block
from medfab_gateway.errors import CommitError, CommitStatusError, EndorseError, GatewayError

__all__ = ["people"]  # the fixture

pytestmark = pytest.mark.integration

SUBMITS, EVALUATES, AT_ONCE = 400, 800, 64


async def submit(contract: AsyncContract, pseudonym: str) -> str:
    """Ask for access; returns the transaction id once it is committed as valid."""
    proposal = propose(contract, "RequestAccess", pseudonym, transient=request())
    transaction = await proposal.endorse()
    assert json.loads(transaction.result)["request_id"] == proposal.transaction_id
    status = await (await transaction.submit()).status(timeout=60)
    if not status.successful:
        raise CommitError(
            code=status.code, transaction_id=status.transaction_id, block_number=status.block_number
        )
    return status.transaction_id


async def blocks_since(consortium: Consortium, height: int) -> list[Block]:
    network = await consortium.network("hospital", "practitioner", CHANNEL)
    async with network.block_events(height, await height_of(consortium) - 1) as blocks:
        return [block async for block in blocks]


async def height_of(consortium: Consortium) -> int:
    qscc = await consortium.contract("hospital", "practitioner", CHANNEL, "qscc")
    answer = await qscc.evaluate("GetChainInfo", CHANNEL, target_organizations=["HospitalMSP"])
    return int(ledger_pb2.BlockchainInfo.FromString(answer).height)


def outcomes(blocks: list[Block]) -> Counter[tuple[str, str]]:
    return Counter(
        (transaction.transaction_id, transaction.validation_code)
        for block in blocks
        for transaction in block.transactions
    )


async def test_no_call_is_lost_and_no_answer_crossed(
    consortium: Consortium, people: People
) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    askers = [people.asker, await practitioner_of(consortium, ASKER), people.filer]
    begin = await height_of(consortium)

    async def one_submit(number: int) -> str:
        async with gate:
            return await submit(askers[number % len(askers)], people.pseudonym)

    async def one_evaluate(number: int) -> None:
        """The refusal counts the arguments of its call: that of another call would not fit."""
        contract = askers[number % len(askers)]
        count = 4 + number % 100
        async with gate:
            with pytest.raises(GatewayError, match=f"got {count}\\b"):
                await contract.evaluate("ReadRecords", *["x"] * count)

    async with asyncio.TaskGroup() as group:
        submits = [group.create_task(one_submit(number)) for number in range(SUBMITS)]
        for number in range(EVALUATES):
            group.create_task(one_evaluate(number))
    acknowledged = [task.result() for task in submits]
    assert len(set(acknowledged)) == SUBMITS
    found = outcomes(await blocks_since(consortium, begin))
    assert {(one, "VALID"): found[one, "VALID"] for one in acknowledged} == dict.fromkeys(
        ((one, "VALID") for one in acknowledged), 1
    )
    listed = await people.patient.accesses()
    assert {entry.request_id for entry in listed} == set(acknowledged)


async def test_a_chaincode_killed_under_load(consortium: Consortium, people: People) -> None:
    """What was acknowledged is on the ledger, the rest is an error, and then it goes on."""
    network = consortium.running_network
    begin = await height_of(consortium)
    acknowledged: list[str] = []
    failed: list[Exception] = []
    # Endorsed at the hospital's peer, so that no other organisation's chaincode steps in.
    stopped = asyncio.Event()

    async def ask_on() -> None:
        while not stopped.is_set():
            call = propose(
                people.filer,
                "RequestAccess",
                people.pseudonym,
                transient=request(),
                endorsers=("HospitalMSP", "ClinicMSP"),
            )
            try:
                transaction = await call.endorse(timeout=15)
                status = await (await transaction.submit()).status(timeout=30)
            except (EndorseError, CommitStatusError) as error:
                failed.append(error)
                await asyncio.sleep(0.05)
            else:
                assert status.successful
                acknowledged.append(status.transaction_id)

    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(ask_on())
        await until(lambda: len(acknowledged) > 20)
        killed = network.processes()["ehr.hospital"]
        os.kill(killed, signal.SIGKILL)
        await until(lambda: len(failed) > 16)
        await until(lambda: network.processes().get("ehr.hospital") != killed)
        await network.up()
        before = len(acknowledged)
        await until(lambda: len(acknowledged) > before + 20)
        stopped.set()
    assert all("Nothing was submitted" in str(error) for error in failed), failed[0]
    found = outcomes(await blocks_since(consortium, begin))
    assert [one for one in acknowledged if found[one, "VALID"] != 1] == []
    assert {entry.request_id for entry in await people.patient.accesses()} == set(acknowledged)
    assert await propose(
        people.patient._ehr._contract, "GrantConsent", transient=terms()
    ).endorse()  # by whoever the gateway chooses


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)
