"""The network on which the docstrings' examples run, and what has happened on it before."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integration.conftest import on_free_ports
from medfab_gateway import (
    Block,
    ehr,
)
from medfab_network import Network, Topology, User, parse_topology

PRACTITIONER = {"medfab.role": "practitioner", "medfab.practitioner": "dr-okafor"}
ASSETS = "example_contract:Assets"
MSP_IDS = {"hospital": "HospitalMSP", "clinic": "ClinicMSP"}


@dataclass(frozen=True, kw_only=True)
class Live:
    """A running network, and what has happened on it. The working directory is around it."""

    network: Network
    pseudonym: str
    """Of a registered patient, the hospital's user `patient`."""

    transaction_id: str
    block: Block
    """The one of that transaction."""


@asynccontextmanager
async def live_network(folder: Path) -> AsyncIterator[Live]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.chdir(folder)
        async with Network(folder / ".medfab", topology()).running() as network:
            yield await prepare(network)


def topology() -> Topology:
    """Two organisations on one channel; and the hospital alone on another."""
    users = [{"name": "practitioner", "attributes": PRACTITIONER}]
    on_care = {"channel": "care", "version": "1.0"}
    return on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [
                    {"name": name, "msp_id": msp_id, "users": users}
                    for name, msp_id in MSP_IDS.items()
                ],
                "channels": [
                    {"name": "care", "organizations": ["hospital", "clinic"]},
                    {"name": "alone", "organizations": ["hospital"]},
                ],
                "chaincodes": [
                    {**on_care, "name": "assets", "contract": ASSETS},
                    # Its approval is private data: something to read on that channel.
                    {**on_care, "name": "solo", "contract": ASSETS, "channel": "alone"},
                    {
                        **on_care,
                        "name": "ehr",
                        "contract": "medfab_chaincode.ehr:EhrContract",
                        "custodians": ["hospital", "clinic"],
                        "collections": ["consents"],
                    },
                ],
            }
        )
    )


async def prepare(network: Network) -> Live:
    """Moves an asset twice; registers a patient who has a record, and lets the clinic read it."""
    pseudonym = secrets.token_hex(16)
    attributes = {"medfab.role": "patient", "medfab.patient": pseudonym}
    entry = await network.enrol_user("hospital", User(name="patient", attributes=attributes))
    Path("certificate.pem").write_bytes(entry.identity.certificate)
    Path("bundle.json").write_bytes(ehr.example_bundle())
    async with (
        network.gateway("hospital", "patient") as patient_gateway,
        network.gateway("hospital", "practitioner") as gateway,
    ):
        patient = ehr.AsyncPatient(patient_gateway.network("care").contract("ehr"))
        await patient.register()
        await patient.grant(
            grantee_msp="ClinicMSP",
            purposes=[ehr.Purpose.TREATMENT, ehr.Purpose.EMERGENCY_TREATMENT],
            categories=["laboratory"],
            not_after=datetime.now(UTC) + timedelta(days=1),
        )
        channel = gateway.network("care")
        provider = ehr.AsyncProvider(
            channel.contract("ehr"), msp_id="HospitalMSP", filing_key=filing_key()
        )
        await provider.file_bundle(pseudonym, ehr.example_bundle())
        assets = channel.contract("assets")
        await assets.submit("MoveAsset", "asset-1", "ward-1")
        submitted = await assets.submit_async("MoveAsset", "asset-1", "ward-2")
        status = await submitted.commit.status()
        async with channel.block_events(status.block_number, status.block_number) as blocks:
            return Live(
                network=network,
                pseudonym=pseudonym,
                transaction_id=submitted.transaction_id,
                block=await anext(blocks),
            )


def filing_key() -> ehr.FilingKey:
    return ehr.FilingKey.load_or_create(Path("filing.key"))
