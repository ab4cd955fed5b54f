"""Records whose holder's peer is down: said so, and there again when it is back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from integration.network_help import CHAINCODE, CHANNEL, consortium
from integration.test_network_larger import kill
from medfab_gateway.ehr import (
    AsyncPatient,
    AsyncPractitioner,
    AsyncProvider,
    FilingKey,
    LabelPolicy,
    Purpose,
    example_bundle,
)
from medfab_gateway.ehr.errors import HolderUnavailableError
from medfab_network import Network, User

pytestmark = pytest.mark.integration

HOLDER = "HospitalMSP"


@pytest.fixture
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    directory = tmp_path_factory.mktemp("holder") / "net"
    async with Network(directory, consortium()).running() as network:
        yield network


async def test_a_holders_peer_that_is_down_is_said_so(network: Network) -> None:
    pseudonym = secrets.token_hex(16)
    people = {
        "patient": ("hospital", {"medfab.role": "patient", "medfab.patient": pseudonym}),
        "filer": ("hospital", {"medfab.role": "practitioner", "medfab.practitioner": "dr-holder"}),
        "asker": ("clinic", {"medfab.role": "practitioner", "medfab.practitioner": "dr-asker"}),
    }
    async with AsyncExitStack() as stack:
        contracts = {}
        for name, (organization, attributes) in people.items():
            await network.enrol_user(organization, User(name=name, attributes=attributes))
            gateway = await stack.enter_async_context(network.gateway(organization, name))
            contracts[name] = gateway.network(CHANNEL).contract(CHAINCODE)
        patient = AsyncPatient(contracts["patient"])
        practitioner = AsyncPractitioner(contracts["asker"])
        provider = AsyncProvider(
            contracts["filer"],
            msp_id=HOLDER,
            filing_key=FilingKey(secrets.token_bytes(32)),
            labels=LabelPolicy(confidentiality="N"),
        )
        await patient.register()
        await provider.file_bundle(pseudonym, example_bundle())
        await patient.grant(
            grantee_msp="ClinicMSP",
            purposes=[Purpose.TREATMENT],
            categories=["laboratory"],
            not_after=datetime.now(UTC) + timedelta(days=30),
        )
        permit = await practitioner.request_access(
            pseudonym, purpose=Purpose.TREATMENT, categories=["laboratory"]
        )
        assert permit.permitted
        before = await practitioner.read(permit, holder_msp=HOLDER)
        assert before.resources

        await kill(network, "peer0.hospital")
        with pytest.raises(HolderUnavailableError, match="no peer of HospitalMSP answers"):
            await practitioner.read(permit, holder_msp=HOLDER)

        assert (await network.up()).started == ["peer0.hospital"]
        async with asyncio.timeout(60):
            while True:  # the clinic's peer finds the hospital's again within seconds
                try:
                    after = await practitioner.read(permit, holder_msp=HOLDER)
                    break
                except HolderUnavailableError:
                    await asyncio.sleep(0.5)
        assert after.resources == before.resources
