"""The supply contract on the real network: custody, its endorsement, and private terms."""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from integration.conftest import Consortium
from integration.supply_help import CHANNEL, TRADERS, InStep, OnNetwork, supply_network
from medfab_gateway.errors import CommitError, GatewayError
from pharma_model import Model, Walk
from pharma_roles import PAGE, matrix, page
from pharma_world import (
    AUDITOR,
    EXPIRY,
    LONG,
    MAKER,
    OPERATOR,
    PHARMACY,
    PREFIXES,
    REGULATOR,
    WHOLESALER,
    Chain,
    Refused,
    digest,
    gln,
    gtin,
    lot,
    refused,
    sscc,
)

pytestmark = pytest.mark.integration

CLIENTS, MOVES = 32, int(os.environ.get("PHARMA_MOVES", "4"))


@pytest.fixture(scope="module")
async def supply(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Consortium]:
    async with supply_network(tmp_path_factory.mktemp("supply") / "net") as consortium:
        yield consortium


async def test_a_lot_from_factory_to_patient(supply: Consortium) -> None:
    chain = Chain(InStep(supply))
    one, two = await chain.commission("A1", "A2")
    case = await chain.pack(sscc(1), one, two)
    pallet = await chain.pack(sscc(2), case)
    await chain.move(pallet)
    assert await chain.holder(one) == WHOLESALER
    await chain(OPERATOR[WHOLESALER], "Unpack", container=pallet)
    await chain(OPERATOR[WHOLESALER], "Unpack", container=case)
    await chain.move(one, by=WHOLESALER, to=PHARMACY)
    verified = await chain.ask(OPERATOR[PHARMACY], "Verify", one, "L1", str(EXPIRY), "dispense")
    assert verified["verified"]
    assert verified["authentic"]
    await chain(OPERATOR[PHARMACY], "Dispense", item=one, gln=gln(PHARMACY))
    recall = await chain(
        AUDITOR, "Recall", gtin=gtin(1), lot="L1", recall_class=1, reason="test", sample=two
    )
    holders = await chain.ask(AUDITOR, "Holders", recall["tag"], "10", "")
    assert {(row["msp"], row["status"], row["count"]) for row in holders["holders"]} == {
        (PHARMACY, "dispensed", 1),
        (WHOLESALER, "recalled", 1),
    }
    steps = [step["kind"] for step in await chain.ask(OPERATOR[MAKER], "Trace", one)]
    assert steps == [
        "Commission",
        "Pack",
        "Pack",
        "Ship",
        "Receive",
        "Unpack",
        "Unpack",
        "Ship",
        "Receive",
        "Dispense",
    ]


async def test_a_unit_does_not_move_without_its_holders_peer(supply: Consortium) -> None:
    channel = InStep(supply)
    chain = Chain(channel)
    (one,) = await chain.commission("S1", number="S")
    given = {"input": json.dumps({"items": [one], "consignee": WHOLESALER}).encode()}
    contract = await channel.contract(OPERATOR[MAKER])
    for endorsers in ([REGULATOR, WHOLESALER], [MAKER, WHOLESALER]):
        with pytest.raises(CommitError) as caught:
            await contract.submit("Ship", transient=given, endorsing_organizations=endorsers)
        assert caught.value.code == "ENDORSEMENT_POLICY_FAILURE"
    await channel.level()
    assert await chain.status(one) == "active"
    # In transit: the shipper's or the consignee's, and the authority's.
    shipment = await chain.ship(one)
    arrived = {"input": json.dumps({"shipment": shipment, "items": [one]}).encode()}
    consignee = await channel.contract(OPERATOR[WHOLESALER])
    with pytest.raises(CommitError):
        await consignee.submit(
            "Receive", transient=arrived, endorsing_organizations=[REGULATOR, PHARMACY]
        )
    await chain.receive(shipment, one)
    assert await chain.holder(one) == WHOLESALER


async def test_the_gateway_asks_nobody_but_the_caller_and_the_authority(
    supply: Consortium,
) -> None:
    channel = InStep(supply)
    contract = await channel.contract(OPERATOR[PHARMACY])
    proposal = contract.proposal(
        "RegisterDevice",
        transient={"input": json.dumps({"device": "d", "public_key": _public_key()}).encode()},
    )
    transaction = await proposal.endorse()
    envelope = transaction.bytes
    assert REGULATOR.encode() in envelope
    assert PHARMACY.encode() in envelope
    assert MAKER.encode() not in envelope
    assert WHOLESALER.encode() not in envelope


async def test_w3_terms_are_with_the_two_partners_alone(supply: Consortium) -> None:
    channel = InStep(supply)
    chain = Chain(channel)
    terms = {
        "contract": "PLANTED-CONTRACT",
        "gtin": gtin(1),
        "price_cents": 7_654_321,
        "contract_price_cents": 6_543_217,
        "eligible": ["PLANTED-CUSTOMER"],
        "valid_from": 0,
        "valid_to": LONG,
    }
    salt = secrets.token_hex(16)
    await chain(OPERATOR[MAKER], "OfferTerms", **terms, counterparty=WHOLESALER, salt=salt)
    accepted = {"counterparty": MAKER, "contract": terms["contract"], "salt": salt}
    await chain(OPERATOR[WHOLESALER], "AcceptTerms", **accepted)
    claim = {
        "counterparty": MAKER,
        "contract": terms["contract"],
        "invoice": "PLANTED-INVOICE",
        "gtin": gtin(1),
        "customer": "PLANTED-CUSTOMER",
        "quantity": 2,
        "unit_price_cents": 6_543_217,
        "amount_cents": 2 * (7_654_321 - 6_543_217),
        "sold_at": 1,
        "salt": salt,
    }
    with refused("PRICE_MISMATCH"):
        await chain(
            OPERATOR[WHOLESALER], "ClaimChargeback", **(claim | {"unit_price_cents": 6_543_218})
        )
    await chain(OPERATOR[WHOLESALER], "ClaimChargeback", **claim)
    for who, other in ((OPERATOR[MAKER], WHOLESALER), (OPERATOR[WHOLESALER], MAKER)):
        (row,) = await chain.ask(who, "ReadTerms", other)
        assert row["contract_price_cents"] == 6_543_217
        (row,) = await chain.ask(who, "ListChargebacks", other)
        assert row["invoice"] == "PLANTED-INVOICE"
    # Nobody else: not by asking the contract, at whichever peer, nor from the blocks.
    assert await chain.ask(OPERATOR[PHARMACY], "ReadTerms", MAKER) == []
    for org in (PHARMACY, REGULATOR):
        for caller in (OPERATOR[PHARMACY], OPERATOR[MAKER]):
            contract = await channel.contract(caller)
            other = WHOLESALER if caller.msp == MAKER else MAKER
            try:
                answer = await contract.evaluate("ReadTerms", other, target_organizations=[org])
            except GatewayError:
                continue
            assert answer == b"[]"
    height = await supply.running_network.ledger_height("regulator", CHANNEL)
    network = await supply.network("regulator", "auditor", CHANNEL)
    async with network.block_events(0, height - 1) as blocks:
        everything = b"".join([block.raw async for block in blocks])
    assert MAKER.encode() in everything
    for planted in (b"PLANTED", b"7654321", b"6543217", b"6543218"):
        assert planted not in everything


async def test_who_may_call_what_on_the_network(supply: Consortium) -> None:
    assert PAGE.read_text() == page(await matrix(InStep(supply).ask))


async def test_random_operations_agree_with_the_model_on_the_network(
    supply: Consortium,
) -> None:
    steps = int(os.environ.get("PHARMA_STEPS", "60"))
    walk = Walk(InStep(supply), Model(makers=(MAKER,), traders=TRADERS), seed=secrets.randbits(24))
    for number in range(steps):
        await walk.step()
        if number % 10 == 9:
            await walk.compare()
    await walk.compare()
    if "PHARMA_STEPS" in os.environ:
        print(sum(walk.model.outcomes.values()), dict(sorted(walk.model.outcomes.items())))


async def test_independent_units_do_not_conflict(supply: Consortium) -> None:
    channel = OnNetwork(
        supply,
        patience=frozenset({"NOT_FOUND", "NOT_HOLDER", "WRONG_STATE", "IN_CONTAINER"}),
    )
    chain = Chain(channel)
    await InStep(supply).submit(OPERATOR[MAKER], "OpenLot", lot("independent"))
    began = time.monotonic()

    async def client(number: int) -> None:
        units = await chain.commission(
            f"i{number}.1", f"i{number}.2", f"i{number}.3", number="independent"
        )
        case = await chain.pack(sscc(5_000 + number), *units[:2])
        shipment = await chain.ship(case, units[2])
        await chain.receive(shipment, case, units[2], complete=True)
        await chain(OPERATOR[WHOLESALER], "Unpack", container=case)

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    seconds = time.monotonic() - began
    assert channel.invalid == {}
    assert channel.committed == 5 * CLIENTS
    print(f"independent: {channel.committed / seconds:.1f} transactions/s, no conflict")


async def test_overlapping_hierarchies_lose_and_double_nothing(supply: Consortium) -> None:
    channel = OnNetwork(supply)
    chain = Chain(channel)
    units: list[str] = []
    for number in range(4):
        units += await chain.commission(*[f"o{number}.{n}" for n in range(8)], number="overlap")
    await channel.level()
    containers = [sscc(7_000 + number, msp) for number in range(4) for msp in TRADERS]
    shipments: list[tuple[str, str]] = []
    outcomes: Counter[str] = Counter()
    began = time.monotonic()

    async def client(seed: int) -> None:
        choice = random.Random(seed)  # noqa: S311
        for _ in range(MOVES):
            by = choice.choice(TRADERS)
            try:
                await _move(chain, choice, by, units, containers, shipments)
                outcomes["ok"] += 1
            except Refused as refusal:
                outcomes[refusal.code] += 1

    await asyncio.gather(*(client(seed) for seed in range(CLIENTS)))
    seconds = time.monotonic() - began
    await channel.level()
    await _nothing_lost(chain, units, containers)
    assert outcomes["ok"] > 5  # how many of the moves are possible is chance
    print(
        f"overlapping: {channel.committed / seconds:.1f} transactions/s valid, invalid and "
        f"repeated {dict(channel.invalid)}, {dict(outcomes)}"
    )


async def _move(
    chain: Chain,
    choice: random.Random,
    by: str,
    units: list[str],
    containers: list[str],
    shipments: list[tuple[str, str]],
) -> None:
    """One random move; most are refused, because another client was there before."""
    own = [each for each in containers if PREFIXES[by] in each]
    items = choice.sample(units + containers, 2)
    match choice.randrange(5):
        case 0 | 1:
            await chain.pack(choice.choice(own), *choice.sample(units, 2), by=by)
        case 2:
            await chain(OPERATOR[by], "Unpack", container=choice.choice(containers))
        case 3:
            to = choice.choice([each for each in TRADERS if each != by])
            shipments.append((await chain.ship(items[0], by=by, to=to), items[0]))
        case _:
            if shipments:
                shipment, item = shipments[-1 - choice.randrange(min(3, len(shipments)))]
                await chain.receive(shipment, item, by=by, complete=True)


async def _nothing_lost(chain: Chain, units: list[str], containers: list[str]) -> None:
    """Each unit is there once, in the contents of its parent alone, and is counted by it."""
    views = {}
    for name in units + containers:
        view = await chain.ask(AUDITOR, "ReadItem", name)
        if view is not None:
            views[view["digest"]] = view
    assert len([view for view in views.values() if view["kind"] == "unit"]) == len(units)
    inside: dict[str, list[str]] = {}
    for view in views.values():
        if view["parent"]:
            inside.setdefault(view["parent"], []).append(view["digest"])
    for name in containers:
        contents = await chain.ask(AUDITOR, "Contents", name)
        assert sorted(contents) == sorted(inside.get(digest(name), []))
        view = views.get(digest(name))
        if view is not None:
            assert sum(view["lots"].values()) == len(contents)  # units alone are packed here
    for view in views.values():
        assert view["holder"] == views[view["root"]]["holder"]


def _public_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
