"""The health work on the real network: rates, CPU of every process, and both beside bare submits.

Nobody else's product does this, so there is no peer. What a bare submit of a small contract costs
on the same network in the same round is the measure: how many of it does one piece of work cost?
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.suite import _honesty as honesty
from bench.suite._bench_network import BATCH_COUNT, BATCH_TIMEOUT, Level, set_batch
from bench.suite._clients import ROOT
from bench.suite._cpu import Census
from bench.suite._stacks import ATTEMPTS, KINDS, QUICK_ATTEMPTS, by_kind, read_back
from bench.suite._work import transfers
from bench.suite.client import report, run
from bench.suite.contract import COLLECTION
from cryptography.hazmat.primitives.asymmetric import x25519

from integration.conftest import Consortium, on_free_ports
from medfab_gateway.ehr import (
    AccessDecision,
    AsyncPatient,
    AsyncPractitioner,
    AsyncProvider,
    DocumentStore,
    FilingKey,
    KeyStore,
    LabelPolicy,
    example_bundle,
)
from medfab_gateway.errors import GatewayError
from medfab_gateway.pharma import (
    AsyncManufacturer,
    AsyncRegulator,
    LotKeys,
    Outcome,
    Partner,
    ProductForm,
)
from medfab_gateway.pharma.epcis import EpcisDocument, Event, document_of
from medfab_gateway.pharma.identifiers import Gln, Gtin, Sgtin, Sscc
from medfab_network import Network, parse_topology

AT_ONCE = 16
BARE, DECISIONS, COPIES, EVENTS = 192, 96, 8, 12
"""In each round: bare submits; access decisions; copies of the bundle's observations; events of a
kind in each of the documents."""
DOCUMENTS = 4
MAKER_PREFIX = "9521321"
PRODUCT = Gtin.make(f"0{MAKER_PREFIX}00007")
EXPIRY = date(2049, 12, 31)
ORDER = ("bare submit", "resource filed", "access decision", "event captured", "patient erased")


@dataclass(frozen=True, kw_only=True)
class Done:
    """A piece of work, so many times."""

    count: int
    seconds: float
    cpu: dict[str, float]

    @property
    def spent(self) -> float:
        return sum(self.cpu.values())


async def measure(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """The part's document. Raises `NotEnough`."""
    os.environ["PYTHONPATH"] = f"{ROOT}:{ROOT / 'tests'}"  # for the chaincode processes
    wanted = 1 if quick else honesty.RUNS
    rounds: list[dict[str, Done]] = []
    discarded = []
    with tempfile.TemporaryDirectory(prefix="medfab-bench-") as name:
        folder = Path(name)
        network = Network(folder / "net", on_free_ports(parse_topology(TOPOLOGY)))
        async with network.running(), AsyncExitStack() as stack:
            for channel in ("care", "supply"):
                await set_batch(network, channel)
            level = await stack.enter_async_context(Level(network))
            work = HealthWork(Consortium(network, stack), level, folder)
            await work.prepare()
            with suppress(honesty.NotCounted, GatewayError):
                await work.round(-1)  # warm-up: nobody looks at it
            for number in range(QUICK_ATTEMPTS if quick else ATTEMPTS):
                try:
                    rounds.append(await work.round(number))
                except (honesty.NotCounted, GatewayError) as reason:
                    discarded.append(str(reason))
                    say(f"health work: a round does not count: {reason}")
                if len(rounds) == wanted:
                    break
    honesty.check_counted(len(rounds), quick, "health work")
    found = document(rounds, discarded)
    for row in found["work"]:
        say(
            f"{row['case']:20} {row['per_second']:8.1f}/s  {row['cpu_ms_total']:8.2f} ms CPU  "
            f"= {row['bare_submits']:.2f} bare submits"
        )
    return found


class HealthWork:
    """The people, and each piece of work; what it did is checked outside of its time."""

    def __init__(self, consortium: Consortium, level: Level, folder: Path) -> None:
        self._consortium = consortium
        self._level_of = level
        self._folder = folder
        self._bundle = bundle_of(COPIES)
        self._keys = LotKeys.generate()
        self._decided: list[tuple[str, AsyncPatient]] = []

    async def prepare(self) -> None:
        """Patients whose consents will be looked at, an authority, a manufacturer, a product."""
        consortium = self._consortium
        self._assets = await consortium.contract("hospital", "admin", "care", "assets")
        self._holder = await self._practitioner("hospital")
        self._asker = AsyncPractitioner(
            await self._practitioner("clinic"), private_key=x25519.X25519PrivateKey.generate()
        )
        self._decided = [await self._patient() for _ in range(AT_ONCE)]
        msp_id = consortium.msp_id("regulator")
        admin, auditor = [
            AsyncRegulator(
                await consortium.contract("regulator", user, "supply", "pharma"),
                msp_id=msp_id,
                gln=None,
            )
            for user in ("admin", "auditor")
        ]
        await admin.establish([msp_id])
        await self._level_of("supply")
        await auditor.register_partner(
            Partner(
                msp=consortium.msp_id("manufacturer"),
                name="manufacturer",
                glns=(_gln().value,),
                capacities=("manufacturer",),
                licence="L-1",
                valid_from=datetime(2020, 1, 1, tzinfo=UTC),
                valid_to=datetime(2090, 1, 1, tzinfo=UTC),
            )
        )
        await auditor.assign_prefix(MAKER_PREFIX, consortium.msp_id("manufacturer"))
        await self._level_of("supply")
        await (await self._maker()).register_product(ProductForm(gtin=PRODUCT, name="Epcistra"))
        await self._level()

    async def round(self, number: int) -> dict[str, Done]:
        """Each piece of work once, in an order of its own."""
        makers: dict[str, Callable[[], Awaitable[dict[str, Done]]]] = {
            "bare": self._bare,
            "patient": self._filed_and_erased,
            "decisions": self._decisions,
            "capture": lambda: self._captured(number),
        }
        found: dict[str, Done] = {}
        for name in honesty.order_of(sorted(makers), "health work", number):
            found |= await makers[name]()
        return found

    async def _measured(self, count: int, work: Awaitable[Any]) -> tuple[Done, Any]:
        await self._level()
        census = self._census()
        before = census.snapshot()
        began = time.perf_counter()
        answer = await work
        seconds = time.perf_counter() - began
        await self._level()  # what the other peers still have to do is part of the price
        used = census.between(before, census.snapshot())
        return Done(count=count, seconds=seconds, cpu=by_kind(used)), answer

    async def _bare(self) -> dict[str, Done]:
        work, after = transfers("w", BARE, first=0)
        await self._assets.submit("Fill", "w", str(BARE))
        order = {"submit": True, "at_once": AT_ONCE}
        done, results = await self._measured(BARE, run(self._assets, order, list(work.calls)))
        honesty.check_report(report(list(work.calls), results, done.seconds), work, "bare submit")
        await read_back(self._assets, after, "bare submit")
        return {"bare submit": done}

    async def _filed_and_erased(self) -> dict[str, Done]:
        pseudonym, patient = await self._patient()
        folder = self._folder / pseudonym
        filing_key = FilingKey(secrets.token_bytes(32))
        provider = AsyncProvider(
            self._holder,
            msp_id=self._consortium.msp_id("hospital"),
            filing_key=filing_key,
            keys=KeyStore(folder / "keys", filing_key),
            documents=DocumentStore(str(folder / "documents")),
            labels=LabelPolicy(confidentiality="N"),
        )
        expected = len(json.loads(self._bundle)["entry"])
        filed, result = await self._measured(
            expected, provider.file_bundle(pseudonym, self._bundle)
        )
        if result.filed != expected:
            raise honesty.NotCounted(f"{result.filed} of {expected} resources were filed")
        permit = await self._ask(pseudonym)
        await self._level()

        async def erase() -> Any:
            await patient.request_erasure()
            await provider.erase(pseudonym)
            return await patient.complete_erasure(pseudonym)

        erased, erasure = await self._measured(1, erase())
        if erasure.status != "erased" or not permit.permitted:
            raise honesty.NotCounted(f"the patient is {erasure.status}")
        if (await self._ask(pseudonym)).permitted:
            raise honesty.NotCounted("an erased patient's records were permitted")
        return {"resource filed": filed, "patient erased": erased}

    async def _decisions(self) -> dict[str, Done]:
        before = await self._accesses()
        left = iter(range(DECISIONS))

        async def worker(pseudonym: str) -> list[AccessDecision]:
            return [await self._ask(pseudonym) for _ in left]

        done, answers = await self._measured(
            DECISIONS, asyncio.gather(*(worker(name) for name, _ in self._decided))
        )
        if not all(decision.permitted for some in answers for decision in some):
            raise honesty.NotCounted("a consented access was denied")
        if await self._accesses() - before != DECISIONS:
            raise honesty.NotCounted("the patients do not see every decision")
        return {"access decision": done}

    async def _captured(self, number: int) -> dict[str, Done]:
        maker = await self._maker()
        documents = [self._document(maker, f"{number + 1}-{n}", n) for n in range(DOCUMENTS)]
        count = sum(len(document.events) for document in documents)
        done, reports = await self._measured(
            count, asyncio.gather(*(maker.capture(document) for document in documents))
        )
        outcomes = [event for each in reports for event in each.events]
        wrong = [event for event in outcomes if event.outcome is not Outcome.CAPTURED]
        if wrong or len(outcomes) != count:
            raise honesty.NotCounted(f"captured: {wrong[:1]}")
        view = await maker.item(Sgtin(PRODUCT, _serial(f"{number + 1}-0", 0, 0)))
        if view is None:
            raise honesty.NotCounted("a pack that was captured is not on the ledger")
        return {"event captured": done}

    def _document(self, maker: AsyncManufacturer, run: str, lot: int) -> EpcisDocument:
        """Packs are commissioned, ten in each event, and packed into a case each."""
        commissioned: list[Event] = []
        packed: list[Event] = []
        for event in range(EVENTS):
            serials = [_serial(run, event, each) for each in range(10)]
            made = maker.commissioning(
                PRODUCT, lot=f"LOT-{run}", expiry=EXPIRY, serials=serials, at=_AT
            )
            commissioned += made.events
            case = Sscc.make(f"0{MAKER_PREFIX}{int(secrets.token_hex(3), 16) + lot:09d}")
            packs = [Sgtin(PRODUCT, serial) for serial in serials]
            packed.append(maker._premises.aggregation(case, packs, packing=True, at=_AT))
        return document_of([*commissioned, *packed], context=made.context, created=_AT)

    async def _ask(self, pseudonym: str) -> AccessDecision:
        return await self._asker.request_access(
            pseudonym, purpose="TREAT", categories=["laboratory"]
        )

    async def _accesses(self) -> int:
        await self._level()
        return sum([len(await patient.accesses()) for _, patient in self._decided])

    async def _patient(self) -> tuple[str, AsyncPatient]:
        """Registered, and with a consent."""
        pseudonym = secrets.token_hex(16)
        user = await self._consortium.enrol_user(
            "hospital", role="patient", attributes={"medfab.patient": pseudonym}
        )
        patient = AsyncPatient(await self._consortium.contract("hospital", user, "care", "ehr"))
        await patient.register()
        await self._level()
        await patient.grant(
            grantee_msp=self._consortium.msp_id("clinic"),
            purposes=["TREAT"],
            categories=["laboratory"],
            not_after=datetime.now(UTC) + timedelta(days=30),
        )
        await self._level()
        return pseudonym, patient

    async def _practitioner(self, organization: str) -> Any:
        return await self._consortium.contract(organization, "practitioner", "care", "ehr")

    async def _maker(self) -> AsyncManufacturer:
        return AsyncManufacturer(
            await self._consortium.contract("manufacturer", "operator", "supply", "pharma"),
            msp_id=self._consortium.msp_id("manufacturer"),
            gln=_gln(),
            lot_keys=self._keys,
        )

    async def _level(self) -> None:
        await self._level_of("care")
        await self._level_of("supply")

    def _census(self) -> Census:
        """This process is the client; everything else is a node."""
        network = self._consortium.running_network
        census = Census(network.directory)
        census.name(os.getpid(), "client")
        kinds = {node.name: node.kind for node in network.topology.nodes()}
        for name, pid in network.processes().items():
            census.name(pid, kinds[name])
        return census


def bundle_of(copies: int) -> bytes:
    """The example bundle of an invented patient, with its observations some times over."""
    bundle = json.loads(example_bundle())
    for entry in list(bundle["entry"]):
        if entry["resource"]["resourceType"] != "Observation":
            continue
        for number in range(copies):
            name = f"{entry['resource']['id'][:-3]}{number + 100}"
            resource = {**entry["resource"], "id": name}
            bundle["entry"].append({**entry, "fullUrl": f"urn:uuid:{name}", "resource": resource})
    return json.dumps(bundle).encode()


def document(rounds: Sequence[dict[str, Done]], discarded: Sequence[str]) -> dict[str, Any]:
    work = []
    for case in ORDER:
        runs = [each[case] for each in rounds]
        spent = sorted(run.spent / run.count for run in runs)
        ratios = sorted(
            (each[case].spent / each[case].count)
            / (each["bare submit"].spent / each["bare submit"].count)
            for each in rounds
        )
        work.append(
            {
                "case": case,
                "runs": len(runs),
                "count": runs[0].count,
                "per_second": round(statistics.median(run.count / run.seconds for run in runs), 2),
                "seconds": round(statistics.median(run.seconds for run in runs), 3),
                "cpu_ms_total": round(statistics.median(spent) * 1000, 2),
                "cpu_ms": {
                    kind: round(statistics.median(r.cpu[kind] / r.count for r in runs) * 1000, 3)
                    for kind in KINDS
                },
                "bare_submits": round(statistics.median(ratios), 2),
                "bare_submits_min": round(ratios[0], 2),
                "bare_submits_max": round(ratios[-1], 2),
            }
        )
    return {
        "settings": {
            "network": "4 organisations with a peer each, 1 orderer, 2 channels",
            "blocks": f"BatchTimeout {BATCH_TIMEOUT}, at most {BATCH_COUNT} transactions",
            "at once": f"{AT_ONCE} submits and decisions, {DOCUMENTS} documents, 1 filing",
        },
        "discarded": list(discarded),
        "work": work,
    }


_AT = datetime(2026, 1, 1, tzinfo=UTC)


def _serial(run: str, event: int, number: int) -> str:
    return f"B{run}-{event}-{number}"


def _gln() -> Gln:
    return Gln.make(f"{MAKER_PREFIX}00001")


def _practitioner_of(name: str) -> dict[str, Any]:
    attributes = {"medfab.role": "practitioner", "medfab.practitioner": f"{name}-1"}
    return {"name": "practitioner", "attributes": attributes}


_CARE = ["hospital", "clinic", "regulator"]
TOPOLOGY: dict[str, Any] = {
    "ordering": {"orderers": 1},
    "organizations": [
        {"name": "hospital", "msp_id": "HospitalMSP", "users": [_practitioner_of("hospital")]},
        {"name": "clinic", "msp_id": "ClinicMSP", "users": [_practitioner_of("clinic")]},
        {
            "name": "regulator",
            "msp_id": "RegulatorMSP",
            "users": [{"name": "auditor", "attributes": {"medfab.role": "auditor"}}],
        },
        {
            "name": "manufacturer",
            "msp_id": "ManufacturerMSP",
            "users": [{"name": "operator", "attributes": {"medfab.role": "operator"}}],
        },
    ],
    "channels": [
        {"name": "care", "organizations": _CARE},
        {"name": "supply", "organizations": ["manufacturer", "hospital", "regulator"]},
    ],
    "chaincodes": [
        {
            "name": "ehr",
            "channel": "care",
            "contract": "medfab_chaincode.ehr:EhrContract",
            "custodians": _CARE,
            "collections": ["consents"],
        },
        {
            "name": "assets",
            "channel": "care",
            "contract": "bench.suite.contract:Assets",
            "custodians": _CARE,
            "collections": [COLLECTION],
        },
        {
            "name": "pharma",
            "channel": "supply",
            "contract": "medfab_chaincode.pharma:PharmaContract",
            "witnesses": ["regulator"],
            "pairwise": {"trade": ["manufacturer", "hospital"]},
        },
    ],
}

if __name__ == "__main__":
    import sys

    print(json.dumps(asyncio.run(measure("quick" in sys.argv, print)), indent=1))
