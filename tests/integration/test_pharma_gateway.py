"""`medfab pharma` and its library on a real network: the guide's tour first, then the rest."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from integration.conftest import on_free_ports
from integration.projection_help import projected_rows
from medfab_gateway import AsyncGateway, Gateway
from medfab_gateway.consumers import Consumer, SqliteStore
from medfab_gateway.ehr import scan_blocks
from medfab_gateway.pharma import (
    AsyncCapture,
    AsyncManufacturer,
    AsyncRegulator,
    Dispenser,
    LotKeys,
    Outcome,
    Partner,
    ProductForm,
    signed_readings,
)
from medfab_gateway.pharma.codes import scan
from medfab_gateway.pharma.epcis import event_hashes, read, write_document
from medfab_gateway.pharma.identifiers import Gln, Gtin, Sgtin
from medfab_gateway.pharma.projections import EpcisEvents, Inventory, Recalls
from medfab_gateway.pharma.query import EpcisQuery
from medfab_network import Network, load_topology
from medfab_network.demo import Narrator
from medfab_network.demo._supply_story import can_be_told, tell_supply
from pages import ran

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "pharma.md"
PAGE = FILE.read_text()
TOPOLOGY = Path(__file__).parent / "supply_chain.yaml"
DATA = ROOT.parent / "shared" / "data" / "epcis"
LONGEST = 400  # seconds; on a quiet machine a tenth of it
REFUSED = re.compile(r"^(?P<command>.*?)  # exit code (?P<code>\d)$", re.MULTILINE)


class Shop:
    """A running network in a folder, and what the tour printed there."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.folder = folder
        self.network = network
        self.printed = ""

    def shell(self, *blocks: str) -> str:
        """Run shell blocks of the page as one script."""
        text = "set -euo pipefail\n" + "\n".join(blocks).replace("medfab network up\n", "")
        text = REFUSED.sub(r"{ \g<command>; } && exit 99 || test $? = \g<code>", text)
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def connect(self, organization: str, user: str = "operator") -> AsyncGateway:
        return AsyncGateway.connect_user(self.folder / ".medfab", organization, user)

    async def level(self) -> None:
        members = self.network.topology.members("supply")
        async with asyncio.timeout(60):
            while len({await self.network.ledger_height(m.name, "supply") for m in members}) > 1:
                await asyncio.sleep(0.05)


def blocks(section: str, language: str) -> list[str]:
    """The fenced blocks of a section."""
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """A network on which the tour was walked."""
    folder = tmp_path_factory.mktemp("shop")
    topology = on_free_ports(load_topology(TOPOLOGY))
    async with Network(folder / ".medfab", topology).running() as network:
        shop = Shop(folder, network)
        shop.printed = await asyncio.to_thread(shop.shell, *blocks("Tour", "sh"))
        yield shop


async def test_the_tour_prints_what_the_page_says(shop: Shop) -> None:
    [printed] = blocks("Tour", "text")
    expected = re.compile(".*?".join(map(re.escape, printed.rstrip().split("…"))), re.DOTALL)
    assert expected.search(shop.printed), shop.printed
    assert "No_match_GTIN_Serial" in shop.printed
    assert re.search(r"repeated", shop.printed)  # captured again
    ran(FILE, *blocks("Tour", "sh"))


async def test_queries_of_the_page(shop: Shop) -> None:
    [settings] = blocks("Query", "toml")
    (shop.folder / "consumers.toml").write_text(settings)
    command = [str(Path(sys.executable).parent / "medfab"), "events", "run", "consumers.toml"]
    with subprocess.Popen(
        command, cwd=shop.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as service:
        try:
            await asyncio.to_thread(until_found, shop)
            printed = await asyncio.to_thread(shop.shell, *blocks("Query", "sh"))
        finally:
            service.send_signal(signal.SIGTERM)
            assert service.wait(60) == 0
    assert "shipping" in printed
    found = read((shop.folder / "found.json").read_bytes())
    assert [event.biz_step for event in found.events] == ["commissioning", "packing"]
    ran(FILE, settings, *blocks("Query", "sh"))


async def test_a_rebuild_has_the_rows_of_the_live_projections(shop: Shop) -> None:
    """Of the consumer of the page, which has followed the channel and has ended."""
    database = shop.folder / "supply.sqlite"
    live = projected_rows(database)
    assert sum(map(len, live.values())) > 20
    await asyncio.to_thread(shop.shell, "medfab events rebuild consumers.toml supply")
    assert projected_rows(database) == live


@contextmanager
def opened(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    store.open()
    try:
        yield store
    finally:
        store.close()


def until_found(shop: Shop) -> None:
    """Until the consumer has projected the shipment."""
    database = shop.folder / "supply.sqlite"
    for _attempt in range(LONGEST * 5):
        if database.exists():
            with opened(database) as store:
                if store.has_table("epcis_events") and store.query(
                    "SELECT 1 FROM epcis_events WHERE biz_step = 'shipping'"
                ):
                    return
        time.sleep(0.2)
    raise AssertionError("the consumer has not come to the shipment")


async def test_the_python_example(shop: Shop) -> None:
    [program] = blocks("From Python", "python")
    (shop.folder / "example.py").write_text(program)
    assert shop.shell(f"{sys.executable} example.py") == "['captured']\nTrue\n"
    ran(FILE, program)


async def supply(shop: Shop) -> None:
    """The seller and the buyer of the DSCSA example, who are our maker and pharmacy here."""
    async with shop.connect("regulator", "auditor") as gateway:
        auditor = AsyncRegulator(
            gateway.network("supply").contract("pharma"), msp_id="RegulatorMSP", gln=None
        )
        for msp, prefix, glns, capacity in (
            ("ManufacturerMSP", "030001", ("0300011111116", "0300011111215"), "manufacturer"),
            ("DistributorMSP", "039999", ("0399999999991", "0399993456780"), "wholesaler"),
        ):
            await auditor.register_partner(
                Partner(
                    msp=msp, name=msp, glns=glns, capacities=(capacity,), licence="L",
                    valid_from=datetime(2020, 1, 1, tzinfo=UTC),
                    valid_to=datetime(2090, 1, 1, tzinfo=UTC),
                )
            )  # fmt: skip
            await auditor.assign_prefix(prefix, msp)
    await shop.level()


def manufacturer(shop: Shop, gateway: AsyncGateway) -> AsyncManufacturer:
    keys = shop.folder / ".medfab/organizations/manufacturer/wallet/lot-keys"
    return AsyncManufacturer(
        gateway.network("supply").contract("pharma"),
        msp_id="ManufacturerMSP",
        gln=Gln("9521321000018"),
        lot_keys=LotKeys.load_or_create(keys),
    )


async def test_the_dscsa_shipment_and_the_documents(shop: Shop, tmp_path: Path) -> None:
    """Captured, queried from SQL, exported; what was exported is what came."""
    if not DATA.exists():
        pytest.skip(f"no EPCIS documents in {DATA}")
    await supply(shop)
    shipment = read((DATA / "GS1_US_Pharma_Example_2_2_1_1.xml").read_bytes())
    # Its packs have expired in 2025: the ledger would not let them ship. They last longer here.
    text = write_document(shipment).replace("2025-03-27", "2049-03-27")
    shipment = read(text.encode())
    others = [read(path.read_bytes()) for path in sorted(DATA.glob("Documents/*.json"))]
    async with shop.connect("manufacturer") as gateway:
        maker = manufacturer(shop, gateway)
        unit, case = Gtin("00300010123455"), Gtin("10300010123452")
        await maker.register_product(ProductForm(gtin=unit, name="Epcistra"))
        await maker.register_product(
            ProductForm(gtin=case, name="Epcistra, 4", level="container", contains=(unit, 4))
        )
        await shop.level()
        report = await maker.capture(shipment)
        assert [event.outcome for event in report.events] == [Outcome.CAPTURED] * 8, report
        assert (await maker.capture(shipment)).count(Outcome.REPEATED) == 8
        names = set(event_hashes(shipment))
        for document in others:
            recorded = await maker.capture(document, unknown="record")
            assert recorded.complete, recorded
            names.update(event_hashes(document))
    await shop.level()
    await project(shop, tmp_path / "supply.sqlite")
    with opened(tmp_path / "supply.sqlite") as store:
        query = EpcisQuery(store)
        shipped = query.events(
            {"EQ_bizTransaction_po": ["urn:epcglobal:cbv:bt:0399999999991:XYZPO189"]}
        )
        assert event_hashes(shipped.document) == event_hashes(shipment)[-1:]
        everything = query.events({"perPage": ["1000"]}).document
        exported = read(write_document(everything).encode())
        assert names <= {
            f"ni:///sha-256;{name}?ver=CBV2.0"
            for (name,) in store.query("SELECT event FROM epcis_events")
        }
        assert len(exported.events) == len(everything.events) >= len(names)
        assert store.query("SELECT lot FROM supply_recalls") == [("A1",)]


async def project(shop: Shop, database: Path) -> None:
    """Follow the channel until all of it is in the tables."""
    consumer = Consumer(
        "test",
        channel="supply",
        connect=lambda: shop.connect("manufacturer"),
        store=SqliteStore(database),
        projections=[EpcisEvents(), Inventory(), Recalls()],
    )
    running = asyncio.create_task(consumer.run())
    try:
        async with asyncio.timeout(LONGEST):
            height = await shop.network.ledger_height("manufacturer", "supply")
            while consumer.progress.next_block < height:
                await asyncio.sleep(0.1)
                if running.done():
                    running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_second_act_of_the_demo(shop: Shop) -> None:
    """Every statement that it prints is checked by the story itself."""
    assert can_be_told(shop.network.topology)
    told = await tell_supply(shop.network, Narrator(silent=True))
    async with shop.connect("regulator", "auditor") as gateway:
        height = await shop.network.ledger_height("regulator", "supply")
        async with gateway.network("supply").block_events(0, height - 1) as stream:
            blocks = [block async for block in stream]
    found = scan_blocks(blocks, told.secrets)
    assert len(told.secrets) == 24
    assert found.clean, found.findings


async def test_three_thousand_packs_are_split_and_found(shop: Shop) -> None:
    serials = [f"T{number:06d}" for number in range(3000)]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    gtin, expiry = Gtin("09521321000018"), date(2049, 12, 31)
    async with shop.connect("manufacturer") as gateway:
        maker = manufacturer(shop, gateway)
        report = await maker.commission(gtin, lot="C3", expiry=expiry, serials=serials, at=at)
        assert [event.outcome for event in report.events] == [Outcome.CAPTURED] * 3
        again = await maker.commission(gtin, lot="C3", expiry=expiry, serials=serials, at=at)
        assert [event.outcome for event in again.events] == [Outcome.REPEATED] * 3


def test_without_asyncio(shop: Shop) -> None:
    with Gateway.connect_user(shop.folder / ".medfab", "pharmacy", "operator") as gateway:
        contract = gateway.network("supply").contract("pharma")
        pharmacy = Dispenser(contract, msp_id="PharmacyMSP", gln=Gln("9521324000015"))
        code = scan("(01)09521321000018(17)491231(10)A1(21)R3VN8YH6PD2JEF")
        verdict = pharmacy.verify(code)
        assert (verdict.status, "Recalled" in verdict.info) == ("recalled", True)
        [pack] = [code.identifier]
        assert isinstance(pack, Sgtin)
        pharmacy.hold([pack], reason="recalled")
        assert [step.kind for step in pharmacy.trace(pack)][:2] == ["Commission", "Pack"]
        assert pharmacy.capture(read((shop.folder / "lot-a1.json").read_bytes())).events[0].code


async def test_a_document_with_a_refused_event_ends_with_3(shop: Shop) -> None:
    document = {
        "type": "ObjectEvent",
        "eventTime": "2026-01-01T06:45:00Z",
        "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE",
        "bizStep": "destroying",
        "epcList": ["https://id.gs1.org/01/09521321000018/21/R3VN8YH6PD2JEF"],
    }
    (shop.folder / "destroy.json").write_text(json.dumps(document))
    printed = shop.shell(
        "medfab pharma capture destroy.json --org manufacturer --identity operator --json"
        "  # exit code 3"
    )
    [report] = json.loads(printed)
    assert report["refused"] == 1
    assert report["events"][0]["code"] == "NOT_HOLDER"


async def test_nothing_of_a_capture_is_for_another_organisation(shop: Shop) -> None:
    async with shop.connect("pharmacy") as gateway:
        capture = AsyncCapture(gateway.network("supply").contract("pharma"), msp_id="PharmacyMSP")
        [commissioning] = event_hashes(read((shop.folder / "lot-a1.json").read_bytes()))
        assert await capture.event(commissioning) is not None
        assert await capture.kept_event(commissioning) is None


async def test_goods_are_judged_called_back_and_taken_out_of_use(shop: Shop) -> None:
    _commission_lot(shop, "J1", "J1A", "J1B", "J1C", "J1D")
    pack = "01/09521321000018/21/J1"
    done = shop.shell(
        *_AS_MANUFACTURER,
        f"medfab pharma hold {pack}A {pack}B --reason 'broken seal' --suspect",
        f"medfab pharma ship {pack}A --to PharmacyMSP  # exit code 6",
        f"medfab pharma clear {pack}A --reason inspected --identity quality",
        f"medfab pharma condemn {pack}B --reason counterfeit --identity quality",
        f"medfab pharma ship {pack}A {pack}C --to PharmacyMSP",
        f"medfab pharma cancel {pack}A {pack}C",
        f"medfab pharma stolen {pack}C --reason burglary",
        f"medfab pharma decommission {pack}D --reason 'label lost' --yes",
        f"medfab pharma destroy {pack}B --reason 'as condemned' --yes --json",
    )
    assert json.loads("{" + done.rpartition("{")[2])["items"] == 1
    traced = shop.shell(*_AS_MANUFACTURER, f"medfab pharma trace {pack}A")
    assert "active" in traced.splitlines()[0]


async def test_a_cold_chain_by_command(shop: Shop) -> None:
    _commission_lot(shop, "C1", "C1A")
    item = Sgtin(Gtin("09521321000018"), "C1A")
    key = ec.generate_private_key(ec.SECP256R1())
    (shop.folder / "logger.pem").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    word = "01/09521321000018/21/C1A"
    shop.shell(
        *_AS_MANUFACTURER,
        "medfab pharma cold-chain device logger-7 logger.pem",
        f"medfab pharma cold-chain start {word} --device logger-7"
        " --lowest 2 --highest 8 --budget 1",
    )
    now = datetime.now(UTC).replace(microsecond=0)
    batch = [(now + timedelta(seconds=60 * minute), 12_500) for minute in range(-4, 0)]
    payload, signature = signed_readings(
        key, device="logger-7", item=item, sequence=1, readings=batch
    )
    (shop.folder / "batch.json").write_text(payload)
    (shop.folder / "batch.sig").write_text(signature)
    (shop.folder / "bad.sig").write_text("?")
    told = shop.shell(
        *_AS_MANUFACTURER,
        f"medfab pharma cold-chain record {word} batch.json bad.sig  # exit code 2",
        f"medfab pharma cold-chain record {word} batch.json batch.sig --json",
    )
    assert json.loads(told)["breached"] is True
    shown = json.loads(
        shop.shell(*_AS_MANUFACTURER, f"medfab pharma cold-chain show {word} --json")
    )
    assert (shown["max"], shown["last_value"], shown["readings"]) == (8000, 12_500, 4)
    shop.shell(
        *_AS_MANUFACTURER,
        f"medfab pharma ship {word} --to PharmacyMSP  # exit code 6",
        f"medfab pharma cold-chain stop {word}  # exit code 6",  # the breach has ended it
        "medfab pharma cold-chain show 01/09521321000018/21/NONE  # exit code 4",
    )


_AS_MANUFACTURER = (
    "export MEDFAB_CHANNEL=supply MEDFAB_ORG=manufacturer MEDFAB_IDENTITY=operator",
)


def _commission_lot(shop: Shop, lot: str, *serials: str) -> None:
    (shop.folder / f"{lot}.txt").write_text("\n".join(serials))
    shop.shell(
        *_AS_MANUFACTURER,
        f"medfab pharma commission 09521321000018 --lot {lot} --expiry 2049-12-31"
        f" --serials {lot}.txt --save {lot}.json",
    )
