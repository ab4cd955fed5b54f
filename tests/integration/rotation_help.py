"""A consortium under load, for tests in which nodes are replaced, restarted or lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from integration.conftest import on_free_ports
from medfab_gateway import AsyncGateway, AsyncTransaction, ConnectionProfile, FileSystemWallet
from medfab_gateway.errors import CommitStatusError, MedfabError, OutcomeUnknownError
from medfab_network import Network, Topology, parse_topology

CHANNEL, CHAINCODE = "care", "recovery"
MEMBERS = ("hospital", "clinic", "lab")


def topology(*, orderers: int = 3, consensus: str = "etcdraft") -> Topology:
    """Three members of which two have to agree; the hospital has two peers."""
    return on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": orderers, "consensus": consensus},
                "organizations": [
                    {"name": "hospital", "msp_id": "HospitalMSP", "peers": 2},
                    {"name": "clinic", "msp_id": "ClinicMSP"},
                    {"name": "lab", "msp_id": "LabMSP"},
                ],
                "channels": [{"name": CHANNEL, "organizations": list(MEMBERS)}],
                "chaincodes": [
                    {
                        "name": CHAINCODE,
                        "channel": CHANNEL,
                        "version": "1.0",
                        "contract": "recovery_contract:Recovery",
                        "custodians": list(MEMBERS),
                        "collections": ["shared"],
                    }
                ],
            }
        )
    )


def connect(network: Network, organization: str = "hospital") -> AsyncGateway:
    """As programs do: by the connection profile, to all peers of the organisation."""
    profile = ConnectionProfile.load(network.connection_profile(organization))
    entry = FileSystemWallet(network.wallet(organization)).get("admin")
    return AsyncGateway.connect(profile, entry.identity, entry.signer())


@dataclass
class Load:
    """What a submitter and a reader have seen."""

    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    """Key and transaction id of each submission that was acknowledged."""
    reads: int = 0
    failures: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def load(network: Network, name: str, organization: str = "hospital") -> AsyncIterator[Load]:
    """A submitter and a reader at work, for the length of the block."""
    seen = Load()
    over = asyncio.Event()
    async with connect(network, organization) as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)

        async def submit() -> None:
            number = 0
            while not over.is_set():
                key = f"{name}-{number}"
                number += 1
                try:
                    transaction = await contract.proposal("Put", key).endorse()
                    await committed(transaction)
                except MedfabError as error:
                    seen.failures.append(f"submit: {type(error).__name__}: {error}")
                else:
                    seen.acknowledged.append((key, transaction.transaction_id))
                await asyncio.sleep(0.02)

        async def read() -> None:
            while not over.is_set():
                try:
                    await contract.evaluate("Read", "none")
                except MedfabError as error:
                    seen.failures.append(f"evaluate: {type(error).__name__}: {error}")
                else:
                    seen.reads += 1
                await asyncio.sleep(0.02)

        tasks = [asyncio.create_task(submit()), asyncio.create_task(read())]
        try:
            while not (seen.failures or (seen.acknowledged and seen.reads)):
                await asyncio.sleep(0.02)
            yield seen
            # What is under way at the end still counts.
            done, read_so_far = len(seen.acknowledged), seen.reads
            while not seen.failures and (
                len(seen.acknowledged) == done or seen.reads == read_so_far
            ):
                await asyncio.sleep(0.02)
        finally:
            over.set()
            await asyncio.gather(*tasks)


async def committed(transaction: AsyncTransaction) -> None:
    """Hand it in until it is in a block.

    What an orderer has taken and not yet put into a block is lost with its lead, and what a peer
    has not yet passed on, with the peer. The same signed transaction may be handed in again: of two
    with one id the ledger takes the first alone.
    """
    async with asyncio.timeout(180):
        while True:
            try:
                commit = await transaction.submit()
                status = await commit.status(timeout=5)
            except (CommitStatusError, OutcomeUnknownError):
                continue
            assert status.successful, status
            return


async def valid_once(network: Network, organization: str, load: Load) -> None:
    """Every acknowledged transaction is on the ledger of the organisation's peer, valid, once."""
    height = await network.ledger_height(organization, CHANNEL)
    found: list[str] = []
    async with (
        connect(network, organization) as gateway,
        gateway.network(CHANNEL).block_events(0, height - 1) as blocks,
    ):
        async for block in blocks:
            found += [t.transaction_id for t in block.transactions if t.validation_code == "VALID"]
    wanted = [transaction_id for _, transaction_id in load.acknowledged]
    assert wanted
    assert all(found.count(each) == 1 for each in wanted)
