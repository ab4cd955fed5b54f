"""A real network of a holder and two more custodians, its ledger filled by `ehr_contract`."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bench import ehr_contract as seeds

from integration.conftest import on_free_ports
from medfab_gateway import AsyncContract
from medfab_network import Network, parse_topology

_PER_TRANSACTION = 1000
_AT_ONCE = 4
_SAMPLES, _PARTS = 60, 9
_ORGANIZATIONS = ("hospital", "clinic", "regulator")


class Decisions:
    """Asks for access to the records of patients all over the ledger, one after the other."""

    def __init__(self, contract: AsyncContract) -> None:
        self._contract = contract
        self.patients = 0
        """So many are on the ledger."""

    async def decisions(self, transient: Mapping[str, bytes]) -> tuple[float, list[float]]:
        """Milliseconds of an endorsement by one peer, and parts' medians of it over a probe's.

        The probe is a function that reads next to nothing (`ListMembers`), in turn with the
        decisions: what else the machine does slows both, and leaves their ratio.
        """
        taken, ratios = [], []
        for part in range(_PARTS):
            found, probes = [], []
            for number in range(_SAMPLES):
                patient = seeds.pseudonym((part * _SAMPLES + number) * 7919 % self.patients)
                began = time.perf_counter()
                answer = await self._contract.evaluate(
                    "RequestAccess", patient, transient=transient
                )
                between = time.perf_counter()
                await self._contract.evaluate("ListMembers")
                found.append((between - began) * 1000)
                probes.append((time.perf_counter() - between) * 1000)
                assert json.loads(answer)["decision"] == "permit"
            ratios.append(statistics.median(found) / statistics.median(probes))
            taken += found
        return statistics.median(taken), ratios


Grow = Callable[[int, int], Awaitable[None]]


@asynccontextmanager
async def seeded_network() -> AsyncIterator[tuple[Decisions, Grow]]:
    """The network, and what puts more consents and records on its ledger."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # where the contract is found
    topology = parse_topology(
        {
            "ordering": {"orderers": 1},
            "organizations": [
                {
                    "name": name,
                    "msp_id": f"{name.title()}MSP",
                    "users": [
                        {
                            "name": "practitioner",
                            "attributes": {
                                "medfab.role": "practitioner",
                                "medfab.practitioner": "dr-cole",
                            },
                        }
                    ],
                }
                for name in _ORGANIZATIONS
            ],
            "channels": [{"name": "care", "organizations": list(_ORGANIZATIONS)}],
            "chaincodes": [
                {
                    "name": "ehr",
                    "channel": "care",
                    "version": "1.0",
                    "contract": "ehr_contract:SeededEhr",
                    "custodians": list(_ORGANIZATIONS),
                    "collections": ["consents"],
                }
            ],
        }
    )
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as folder:
        network = Network(Path(folder) / "net", on_free_ports(topology))
        async with (
            network.running(),
            network.gateway("hospital", "practitioner") as gateway,
        ):
            contract = gateway.network("care").contract("ehr")
            decisions = Decisions(contract)
            limit = asyncio.Semaphore(_AT_ONCE)

            async def part(function: str, start: int, holder: bool) -> None:
                async with limit:
                    await contract.submit(
                        function,
                        str(start),
                        str(_PER_TRANSACTION),
                        endorsing_organizations=["HospitalMSP"] if holder else None,
                    )

            async def grow(start: int, count: int) -> None:
                parts = range(start, start + count, _PER_TRANSACTION)
                await asyncio.gather(
                    *(part("Seed", each, False) for each in parts),
                    *(part("SeedRecords", each, True) for each in parts),
                )
                decisions.patients = (start + count) // seeds.PER_PATIENT

            yield decisions, grow
