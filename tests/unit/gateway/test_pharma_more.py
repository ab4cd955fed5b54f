"""Trade, cold chain, statements, traces; and the commands that need no network."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from medfab_gateway.cli._main import medfab
from medfab_gateway.errors import EndorseError
from medfab_gateway.pharma import (
    AsyncTrade,
    PlanError,
    T3Line,
    TraceStep,
    signed_readings,
    trace_tree,
)
from medfab_gateway.pharma.codes import scan_picture
from medfab_gateway.pharma.identifiers import Sgtin
from pages import ran
from unit.gateway.pharma_ledger import MAKER, PHARMACY, WHOLESALER, Memory
from unit.gateway.test_pharma_clients import (
    AT,
    PALLET,
    TABLET,
    code,
    commission,
    memory,
    packs,
    sold,
    status,
)
from unit.gateway.test_pharma_epcis import DATA, SHIPMENT, given_data

__all__ = ["memory"]


def trade(memory: Memory, msp: str) -> AsyncTrade:
    return AsyncTrade(memory.contract(msp), msp_id=msp)


async def test_terms_and_chargebacks_between_two(memory: Memory) -> None:
    maker, wholesaler = trade(memory, MAKER), trade(memory, WHOLESALER)
    await maker.offer_terms(
        WHOLESALER, "C-1", TABLET, price_cents=1000, contract_price_cents=800,
        eligible=[PHARMACY], valid_from=AT - timedelta(days=1), valid_to=AT + timedelta(days=9),
    )  # fmt: skip
    await wholesaler.accept_terms(MAKER, "C-1")
    [terms] = await wholesaler.terms(MAKER)
    assert (terms.contract_price_cents, terms.eligible, terms.status) == (
        800, (PHARMACY,), "accepted",
    )  # fmt: skip

    async def claim(unit_price_cents: int, amount_cents: int) -> None:
        await wholesaler.claim_chargeback(
            MAKER, "C-1", "I-1", TABLET, customer=PHARMACY, quantity=3, sold_at=AT,
            unit_price_cents=unit_price_cents, amount_cents=amount_cents,
        )  # fmt: skip

    with pytest.raises(EndorseError) as refused:
        await claim(900, 300)
    assert refused.value.chaincode is not None
    assert refused.value.chaincode.code == "PRICE_MISMATCH"
    await claim(800, 600)
    [chargeback] = await maker.chargebacks(WHOLESALER)
    assert (chargeback.invoice, chargeback.amount_cents) == ("I-1", 600)


async def test_a_t3_statement_goes_to_the_buyer(memory: Memory) -> None:
    await commission(memory, 2)
    maker = memory.manufacturer()
    await maker.pack(PALLET, packs(2))
    sent = await maker.ship([PALLET], to=WHOLESALER)
    product = await maker.product(TABLET)
    assert product is not None
    lines = [T3Line(product=product, lot="A1", expiry="2030-12-31", quantity=2)]
    seller = trade(memory, MAKER)
    made = await seller.share_t3(sent.shipment, [PALLET], lines, at=AT)
    [shared] = await trade(memory, WHOLESALER).documents(MAKER, sent.shipment)
    assert (shared.kind, json.loads(shared.body)) == ("T3", made)
    assert made["transaction_information"][0]["lot"] == "A1"
    assert "581(27)" in made["transaction_statement"]
    with pytest.raises(PlanError, match="has 1 items, of which 0 are named"):
        await seller.share_t3(sent.shipment, packs(1), lines, at=AT)


async def test_a_breach_of_the_cold_chain_quarantines_by_itself(memory: Memory) -> None:
    [pack] = await sold(memory, 1)
    pharmacy = memory.dispenser()
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    await pharmacy.register_device("t-1", public.decode())
    await pharmacy.start_monitoring(
        pack, "t-1", lowest=2000, highest=8000, budget_ms=60_000, max_gap_ms=600_000
    )
    minute = timedelta(minutes=1)
    start = memory.ledger.now
    memory.ledger.now += 10 * minute
    for sequence, values, breached in ((1, [5000, 7000], False), (2, [9000, 9100, 9200], True)):
        readings = [
            (start + (sequence * 3 + place) * minute, value) for place, value in enumerate(values)
        ]
        payload, signature = signed_readings(
            key, device="t-1", item=pack, sequence=sequence, readings=readings
        )
        answer = await pharmacy.record_readings(pack, payload, signature)
        assert answer.breached is breached
    assert await status(memory, pack) == "quarantined"
    monitoring = await pharmacy.monitoring(pack)
    assert monitoring is not None
    assert monitoring.readings == 5
    assert monitoring.last_value == 9200
    with pytest.raises(EndorseError):
        await pharmacy.record_readings(pack, payload, signature[::-1])


async def test_a_verification_request_is_answered(memory: Memory) -> None:
    [pack] = await sold(memory, 1)
    asked = await memory.dispenser().request_verification(code(pack))
    assert asked.due_at - memory.ledger.now <= timedelta(hours=24)
    maker = memory.manufacturer()
    [pending] = await maker.pending_verifications()
    assert pending.request == asked.request
    await maker.answer_verification(TABLET, asked.request, verified=True)
    [answered] = await maker.pending_verifications()
    assert (answered.verified, answered.overdue) == (True, False)


async def test_a_trace_reads_as_a_tree(memory: Memory) -> None:
    [pack] = await sold(memory, 1)
    lines = trace_tree(await memory.dispenser().trace(pack), time_format="%H:%M")
    assert [line.replace("00:00", "·") for line in lines] == [
        f"├─ ·  commission  at {MAKER}  (active)",
        "├─ ·  pack  into " + lines[1].split("into ")[1],
        f"│  ├─ ·  ship  {MAKER} → {WHOLESALER}  (in_transit)",
        f"│  └─ ·  receive  at {WHOLESALER}  (in_stock)",
        f"├─ ·  unpack  at {WHOLESALER}  (in_stock)",
        f"├─ ·  ship  {WHOLESALER} → {PHARMACY}  (in_transit)",
        f"└─ ·  receive  at {PHARMACY}  (in_stock)",
    ]


def test_an_empty_trace_and_an_unknown_container() -> None:
    assert trace_tree([]) == []
    step = TraceStep(
        at=AT, transaction_id="t", kind="Ship", status="in_transit", holder="A", parent=None,
        consignee="B", item="one",
    )  # fmt: skip
    assert len(trace_tree([step, replace(step, item="two")])) == 2


# Commands


def command(*words: str) -> Result:
    return CliRunner().invoke(medfab, ["pharma", *words], prog_name="medfab")


def test_labels_are_made_and_read(tmp_path: Path) -> None:
    made = command(
        "label", "9521141012345", "--lot", "A1", "--expiry", "2027-12-31", "--serial", "4711",
        "-o", str(tmp_path / "label.png"), "--json",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert json.loads(made.output)["first"] == "01095211410123451727123110A1\x1d214711"
    [found] = scan_picture((tmp_path / "label.png").read_bytes())
    assert isinstance(found.identifier, Sgtin)
    (tmp_path / "serials").write_text("1\n2\n\n3\n")
    sheet = command(
        "label", "9521141012345", "--serials", str(tmp_path / "serials"), "--qr",
        "-o", str(tmp_path / "sheet.html"),
    )  # fmt: skip
    assert sheet.exit_code == 0, sheet.output
    assert (tmp_path / "sheet.html").read_text().count('class="label"') == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["label", "9521141012346", "-o", "x.png"], "5 would be right"),
        (["label", "9521141012345", "--serial", "1", "--serial", "2", "-o", "x.png"], "NAME.html"),
        (["label", "9521141012345", "--lot", "é", "-o", "x.png"], "character set 82"),
        (["label", "9521141012345", "-o", "x.gif"], "NAME.png"),
        (["verify", "(01)09521141012346(21)1"], "check digit"),
        (["verify", "Hello"], "not an element string"),
        (["ship", "--to", "XMSP"], "Which items?"),
        (["ship", "00/123", "--to", "XMSP"], "SSCC has 18 digits"),
        (["dispense", "00/395211410000000015"], "packs are dispensed"),
        (["commission", "9521141012345", "--lot", "A", "--expiry", "soon", "--serials", "x"],
         "cannot be read"),
        (["commission", "9521141012345", "--lot", "A", "--expiry", "2027-12-31"],
         "Which serial numbers?"),
        (["pack", "00/395211410000000015", "01/09521141012345/21/1", "--at", "noon"],
         "give a time such as"),
    ],
)  # fmt: skip
def test_wrong_words_are_told_before_anything_is_sent(words: list[str], told: str) -> None:
    refused = command(*words)
    assert refused.exit_code == 2, refused.output
    assert told in refused.output


def test_a_picture_without_a_code(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("L", (60, 60), "white").save(out, "PNG")
    (tmp_path / "white.png").write_bytes(out.getvalue())
    refused = command("verify", str(tmp_path / "white.png"))
    assert refused.exit_code == 2
    assert "no code is found in the picture" in refused.output


@given_data
def test_documents_are_checked_without_a_network() -> None:
    checked = command("capture", "--check", str(SHIPMENT), "--json")
    assert json.loads(checked.output) == [{"file": str(SHIPMENT), "events": 8}]
    wrong = command(
        "capture", "--check", str(DATA / "Invalid/ObjectEvent_with_invalid_action.json")
    )
    assert wrong.exit_code == 2
    assert "event 0, action: ADD, OBSERVE, DELETE was expected, not 'CREATE'" in wrong.output


def test_a_query_needs_a_database(tmp_path: Path) -> None:
    missing = command("query", "--database", str(tmp_path / "none"))
    assert missing.exit_code == 4
    assert "There is no database" in missing.output


def test_the_guides_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parents[3] / "docs" / "pharma.md"
    page = file.read_text()
    [block] = re.findall(
        r"```python\n(.*?)```", page.split("## Codes and identifiers")[1], re.DOTALL
    )
    exec(block, {})  # noqa: S102 - the page is ours
    said = re.findall(r"^print\(.*?\)  # (.*)$", block, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == said
    assert len(said) == 4
    ran(file, block)
