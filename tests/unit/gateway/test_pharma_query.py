"""EPCIS events, inventory and recalls as SQL tables, and the standard's queries on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from made_blocks import Ledger, Tx
from medfab_gateway.consumers import SqliteStore, replay
from medfab_gateway.pharma import AsyncCapture
from medfab_gateway.pharma.epcis import event_hashes, read, write_document
from medfab_gateway.pharma.errors import QueryError
from medfab_gateway.pharma.identifiers import Lgtin
from medfab_gateway.pharma.projections import EpcisEvents, Inventory, Recalls
from medfab_gateway.pharma.query import EpcisQuery
from unit.gateway.pharma_ledger import MAKER, PHARMACY, WHOLESALER, Memory
from unit.gateway.test_pharma_clients import (
    AT,
    TABLET,
    dscsa_maker,
    dscsa_world,
    memory,
    sold,
)
from unit.gateway.test_pharma_epcis import DATA, DOCUMENTS, SHIPMENT, given_data

__all__ = ["memory"]

OWN = f"_implicit_org_{MAKER}"


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    store = SqliteStore(":memory:")
    store.open()
    yield store
    store.close()


def project(memory: Memory, store: SqliteStore, msp_id: str = MAKER) -> None:
    """What the contract has written, as a block; with what the organisation's own peer has."""
    ledger = Ledger("supply")
    collection = f"_implicit_org_{msp_id}"
    private = {
        (collection, key): value for key, value in memory.ledger.private(collection, msp_id).items()
    }
    ledger.add(Tx(chaincode="pharma", writes=memory.ledger.state(), private=private))
    projections = [EpcisEvents(), Inventory(), Recalls()]
    replay(ledger.blocks, projections, store, channel="supply", msp_id=msp_id)


@pytest.fixture(scope="module")
async def shipment() -> AsyncIterator[EpcisQuery]:
    """The DSCSA shipment, captured and projected."""
    if not SHIPMENT.exists():
        pytest.skip(f"no EPCIS documents in {DATA}")
    memory, store = await Memory.founded(), SqliteStore(":memory:")
    await dscsa_world(memory)
    report = await dscsa_maker(memory).capture(read(SHIPMENT.read_bytes()))
    assert report.complete
    store.open()
    project(memory, store)
    yield EpcisQuery(store)
    store.close()


def steps(query: EpcisQuery, **parameters: Any) -> list[str | None]:
    given = {name: each if isinstance(each, list) else [each] for name, each in parameters.items()}
    return [event.biz_step for event in query.events(given).document.events]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, 8),
        ({"EQ_bizStep": "shipping"}, 1),
        ({"EQ_bizStep": "https://ref.gs1.org/cbv/BizStep-shipping"}, 1),
        ({"EQ_bizStep": ["shipping", "packing"]}, 5),
        ({"EQ_bizStep": "packing", "EQ_action": "DELETE"}, 0),
        ({"eventType": "AggregationEvent"}, 4),
        ({"EQ_disposition": "active"}, 3),
        ({"GE_eventTime": "2023-04-01T00:00:00Z"}, 3),
        ({"LT_eventTime": "2023-04-01T01:47:16-05:00"}, 5),
        ({"LT_recordTime": "2023-01-01T00:00:00Z"}, 0),
        ({"EQ_bizLocation": "urn:epc:id:sgln:030001.111111.0"}, 5),
        ({"EQ_readPoint": "https://id.gs1.org/414/0300011111215"}, 3),
        ({"MATCH_epc": "urn:epc:id:sgtin:030001.0012345.11"}, 2),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:030001.0012345.*"}, 4),
        ({"MATCH_anyEPC": "https://id.gs1.org/00/403000112345678901"}, 3),
        ({"MATCH_parentID": "urn:epc:id:sscc:030001.41234567890"}, 1),
        ({"EQ_bizTransaction_po": "urn:epcglobal:cbv:bt:0399999999991:XYZPO189"}, 1),
        ({"EQ_source_owning_party": "urn:epc:id:sgln:030001.111111.0"}, 1),
        ({"EQ_destination_location": "https://id.gs1.org/414/0399993456780"}, 1),
        ({"EXISTS_errorDeclaration": ""}, 0),
        ({"eventCountLimit": "3"}, 3),
    ],
    ids=str,
)
async def test_queries(shipment: EpcisQuery, parameters: Mapping[str, Any], found: int) -> None:
    assert len(steps(shipment, **parameters)) == found


async def test_what_is_found_validates_and_is_what_was_captured(shipment: EpcisQuery) -> None:
    page = shipment.events({"perPage": ["100"]})
    again = read(write_document(page.document).encode())
    assert event_hashes(again) == event_hashes(read(SHIPMENT.read_bytes()))
    assert all(event.record_time is not None for event in again.events)


@pytest.mark.parametrize("order", ["ASC", "DESC"])
async def test_pages_hold_every_event_once(shipment: EpcisQuery, order: str) -> None:
    seen: list[datetime] = []
    token: str | None = ""
    while token is not None:
        given = {"perPage": ["3"], "orderDirection": [order]}
        page = shipment.events(given | ({"nextPageToken": [token]} if token else {}))
        assert len(page.document.events) <= 3
        seen += [event.event_time for event in page.document.events]
        token = page.next_page_token
    assert len(seen) == 8
    assert seen == sorted(seen, reverse=order == "DESC")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"EQ_colour": ["red"]}, "EQ_colour is not a query parameter known here"),
        ({"GE_eventTime": ["yesterday"]}, "'yesterday' is no time"),
        ({"GE_eventTime": ["2026-01-01T00:00:00"]}, "no time with a time zone"),
        ({"perPage": ["0"]}, "a number from 1"),
        ({"orderBy": ["name"]}, "one of eventTime, recordTime"),
        ({"nextPageToken": ["x"]}, "not what a page before has given"),
        ({"EQ_bizStep": []}, "1 to 500 values"),
        ({"maxEventCount": ["1"]}, "ask for pages"),
    ],
)
def test_wrong_parameters(store: SqliteStore, parameters: dict[str, list[str]], told: str) -> None:
    with pytest.raises(QueryError, match=told):
        EpcisQuery(store).events(parameters)


@given_data
async def test_a_declared_error_is_in_what_is_found(memory: Memory, store: SqliteStore) -> None:
    document = read((DATA / "Documents/ObjectEvent_with_error_declaration.json").read_bytes())
    capture = AsyncCapture(memory.contract(WHOLESALER), msp_id=WHOLESALER)
    assert (await capture.capture(document, unknown="record")).complete
    project(memory, store, WHOLESALER)
    [event] = EpcisQuery(store).events({"EXISTS_errorDeclaration": [""]}).document.events
    assert event.error_declaration is not None
    assert event.error_declaration.reason == "incorrect_data"


@given_data
async def test_events_of_many_documents_keep_their_meaning_in_one(
    memory: Memory, store: SqliteStore
) -> None:
    """Some documents use one prefix for different namespaces."""
    capture = AsyncCapture(memory.contract(WHOLESALER), msp_id=WHOLESALER)
    names: set[str] = set()
    for path in DOCUMENTS:
        document = read(path.read_bytes())
        assert (await capture.capture(document, unknown="record")).complete
        names.update(event_hashes(document))
    project(memory, store, WHOLESALER)
    page = EpcisQuery(store).events({"perPage": ["1000"]})
    exported = read(write_document(page.document).encode())
    assert set(event_hashes(exported)) == names


async def test_one_organisation_sees_no_events_of_another(
    memory: Memory, store: SqliteStore
) -> None:
    await sold(memory, 2)
    project(memory, store, PHARMACY)
    assert steps(EpcisQuery(store)) == ["receiving"]


async def test_inventory_and_recalls(memory: Memory, store: SqliteStore) -> None:
    made = await sold(memory, 5)
    await memory.dispenser().dispense(made[0])
    recalled = await memory.manufacturer().recall(Lgtin(TABLET, "A1"), reason="glass")
    await memory.dispenser().acknowledge_recall(recalled.tag, TABLET.value, "A1", quarantined=4)
    project(memory, store)
    rows = store.query("SELECT holder, status, kind, items FROM supply_inventory")
    assert set(rows) == {
        (PHARMACY, "in_stock", "unit", 4),
        (PHARMACY, "dispensed", "unit", 1),
        (WHOLESALER, "in_stock", "container", 1),
    }
    recalls = store.query("SELECT tag, gtin, lot, reason FROM supply_recalls")
    assert recalls == [(recalled.tag, TABLET.value, "A1", "glass")]
    answers = store.query("SELECT msp, quarantined FROM supply_acknowledgements")
    assert answers == [(PHARMACY, 4)]


async def test_a_packed_unit_is_where_its_pallet_is(memory: Memory, store: SqliteStore) -> None:
    maker = memory.manufacturer()
    from unit.gateway.test_pharma_clients import PALLET, commission, packs

    await commission(memory, 3)
    await maker.pack(PALLET, packs(3))
    await maker.ship([PALLET], to=WHOLESALER, at=AT + timedelta(hours=1))
    project(memory, store)
    rows = store.query("SELECT holder, status, items FROM supply_inventory WHERE kind = 'unit'")
    assert rows == [(MAKER, "in_transit", 3)]
