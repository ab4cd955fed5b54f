"""Private data that must be with a second peer before the first one endorses."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator

import pytest

from integration.growth_help import CHAINCODE, CHANNEL, gateway_at, reached, running, until
from medfab_gateway.errors import EndorseError
from medfab_network import Network

pytestmark = pytest.mark.integration

OWN = ["HospitalMSP"]


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    async with running(
        tmp_path_factory.mktemp("copies") / "net", peers=2, private_data_copies=1
    ) as network:
        yield network


async def kill(network: Network, node: str) -> None:
    os.kill(network.processes()[node], signal.SIGKILL)
    await reached(lambda: node not in network.processes())


async def test_what_is_committed_survives_the_peer_that_endorsed_it(network: Network) -> None:
    """Killed the moment that `submit` returns, and never to come back."""
    async with gateway_at(network, "peer0.hospital") as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        await contract.submit("Keep", "kept", transient={"value": b"the only copy?"})
        await kill(network, "peer0.hospital")
    async with gateway_at(network, "peer1.hospital") as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)

        async def is_there() -> bool:
            try:
                found = await contract.evaluate("Kept", "kept", target_organizations=OWN)
            except Exception:  # the block is not there yet, or the gateway asks the dead peer
                return False
            return bool(found == b"the only copy?")

        await until(is_there)


async def test_without_a_second_peer_nothing_is_endorsed_and_nothing_lost(
    network: Network,
) -> None:
    async with gateway_at(network, "peer1.hospital") as gateway:  # peer0 is dead
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        with pytest.raises(EndorseError) as refused:
            await contract.submit("Keep", "refused", transient={"value": b"alone"})
        assert "fewer peers than private data must be with" in str(refused.value)
        assert "alone" not in str(refused.value)
        # What needs no second copy goes on.
        await contract.submit("Put", "public")
        assert await contract.evaluate("Kept", "kept", target_organizations=OWN) == (
            b"the only copy?"
        )
    assert (await network.up()).started == ["peer0.hospital"]
    async with gateway_at(network, "peer1.hospital") as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)

        async def is_taken() -> bool:
            try:
                await contract.submit("Keep", "refused", transient={"value": b"not alone"})
            except EndorseError:
                return False  # gossip has not found it again yet
            return True

        await until(is_taken)
        assert await contract.evaluate("Kept", "refused", target_organizations=OWN) == b"not alone"
