"""All seven signables, signed where the gateway is not, on the real network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import on_free_ports
from medfab_gateway import (
    AsyncGateway,
    ConnectionProfile,
    EndorseError,
    Endpoint,
    FileSystemWallet,
    WalletEntry,
)
from medfab_network import Network, parse_topology

pytestmark = pytest.mark.integration

CHANNEL, CHAINCODE = "alone", "other"


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """One organisation, so that its administrator may read blocks with private data."""
    topology = on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [{"name": "hospital", "msp_id": "HospitalMSP"}],
                "channels": [{"name": CHANNEL, "organizations": ["hospital"]}],
                "chaincodes": [
                    {
                        "name": CHAINCODE,
                        "channel": CHANNEL,
                        "version": "1.0",
                        "contract": "parity_contract:Other",
                    }
                ],
            }
        )
    )
    directory = tmp_path_factory.mktemp("offline") / "net"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        async with Network(directory, topology).running() as network:
            yield network


@pytest.fixture
def admin(network: Network) -> WalletEntry:
    return FileSystemWallet(network.wallet("hospital")).get("admin")


@pytest.fixture
def endpoint(network: Network) -> Endpoint:
    return ConnectionProfile.load(network.connection_profile("hospital")).endpoint_for("hospital")


async def test_all_seven(endpoint: Endpoint, admin: WalletEntry) -> None:
    sign = admin.signer()
    async with AsyncGateway.connect(endpoint, admin.identity) as gateway:
        channel, offline = gateway.network(CHANNEL), gateway.offline
        proposal = channel.contract(CHAINCODE).proposal("Put", "key", "value")
        proposal = offline.proposal(proposal.bytes, sign(proposal.digest))
        transaction = await proposal.endorse()
        transaction = offline.transaction(transaction.bytes, sign(transaction.digest))
        commit = await transaction.submit()
        commit = offline.commit(commit.bytes, sign(commit.digest))
        status = await commit.status()
        assert (status.code, status.transaction_id) == ("VALID", proposal.transaction_id)

        number = status.block_number
        requests: dict[str, Any] = {
            "chaincode_events": channel.chaincode_events_request(CHAINCODE, number),
            "block_events": channel.block_events_request(number),
            "filtered_block_events": channel.filtered_block_events_request(number),
            "block_and_private_data_events": channel.block_and_private_data_events_request(number),
        }
        first: dict[str, Any] = {}
        for kind, request in requests.items():
            signed = getattr(offline, kind)(request.bytes, sign(request.digest))
            async with asyncio.timeout(30), signed.events() as events:
                first[kind] = await anext(events)
    assert first["chaincode_events"].transaction_id == proposal.transaction_id
    assert first["block_events"].number == number
    assert first["filtered_block_events"].number == number
    assert first["block_and_private_data_events"].block.number == number


async def test_a_signature_over_something_else(endpoint: Endpoint, admin: WalletEntry) -> None:
    """The gateway does not look at signatures; the peer does."""
    async with AsyncGateway.connect(endpoint, admin.identity) as gateway:
        proposal = gateway.network(CHANNEL).contract(CHAINCODE).proposal("Put", "key", "value")
        signature = admin.signer()(bytes(32))
        with pytest.raises(EndorseError):
            await gateway.offline.proposal(proposal.bytes, signature).endorse()
