"""EPCIS 2.0: documents in and out, what is refused, and the CBV event hash."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from epcis_event_hash_generator import hash_generator, json_to_py, xml_to_py
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld

from medfab_gateway.pharma.epcis import (
    CONTEXT,
    AggregationEvent,
    EpcisDocument,
    EpcisError,
    ObjectEvent,
    document_fields,
    document_of,
    event_hash,
    event_hashes,
    pre_hash,
    read,
    write_document,
)

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "epcis"
DOCUMENTS = sorted(DATA.glob("Documents/*.json"))
INVALID = sorted(DATA.glob("Invalid/*.json"))
SHIPMENT = DATA / "GS1_US_Pharma_Example_2_2_1_1.xml"

given_data = pytest.mark.skipif(not SHIPMENT.exists(), reason=f"no EPCIS documents in {DATA}")


def event(**fields: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-07-22T06:45:00+02:00",
        "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE",
        "epcList": ["https://id.gs1.org/01/09521141012345/21/2017"],
        **fields,
    }


def document(*events: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps(
        {
            "@context": [CONTEXT, {"ext": "https://example.com/ext/"}],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-07-22T10:30:00Z",
            "epcisBody": {"eventList": list(events)},
            **fields,
        }
    ).encode()


# Documents


@given_data
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_goes_out_as_it_came_in(path: Path) -> None:
    """Every field is kept: what is written validates, and says the same."""
    came = read(path.read_bytes())
    again = read(write_document(came).encode())
    assert again == came
    assert event_hashes(again) == event_hashes(came)
    raw = json.loads(path.read_bytes(), parse_float=Decimal)
    for before, after in zip(
        raw["epcisBody"]["eventList"], document_fields(came)["epcisBody"]["eventList"], strict=True
    ):
        kept = {name for name, value in before.items() if value not in ([], {})}
        assert kept == set(after)
        assert before.get("ilmd") == after.get("ilmd")


@given_data
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("EPCISDocument_without_context", "document, @context: is missing"),
        ("ObjectEvent_with_invalid_action", "event 0, action: ADD, OBSERVE, DELETE was expected"),
        ("ObjectEvent_with_non_standard_bizStep", "event 0, bizStep: 'transforming' is not"),
        ("ObjectEvent_without_identifier_list", "event 0, epcList: is missing"),
    ],
)
def test_the_invalid_documents_are_refused_with_the_field_named(name: str, told: str) -> None:
    assert [path.stem for path in INVALID].count(name) == 1
    with pytest.raises(EpcisError, match=told.replace("'", ".")):
        read((DATA / "Invalid" / f"{name}.json").read_bytes())


def test_a_single_event_and_a_query_document() -> None:
    alone = read(json.dumps(event()).encode())
    assert [type(each) for each in alone.events] == [ObjectEvent]
    results = {"queryResults": {"resultsBody": {"eventList": [event(), event()]}}}
    many = read(document(type="EPCISQueryDocument", epcisBody=results))
    assert event_hashes(many) == event_hashes(alone) * 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"eventTime": "2026-07-22T06:45:00"}, "event 1, eventTime: a date and time with time"),
        ({"eventTime": "2026-02-30T06:45:00Z"}, "eventTime: there is no such moment"),
        ({"eventTimeZoneOffset": "2h"}, "eventTimeZoneOffset: an offset such as"),
        ({"epcList": ["urn:epc:id:sgtin:0614141.17346.1"]}, r"epcList\[0\]: .* come 6 digits"),
        ({"epcList": ["https://id.gs1.org/01/09521141012346"]}, r"epcList\[0\]: .*check digit"),
        ({"epcList": ["no uri"]}, r"epcList\[0\]: a URI was expected"),
        ({"epcList": "x"}, "epcList: an array was expected"),
        ({"bizStep": "urn:epcglobal:cbv:bizstep:flying"}, "bizStep: .* is not a business step"),
        ({"disposition": 5}, "disposition: a disposition was expected, not 5"),
        ({"readPoint": {}}, "readPoint.id: is missing"),
        ({"readPoint": {"id": "urn:x:y", "name": "z"}}, "readPoint.name: is not a field"),
        ({"colour": "red"}, "colour: is not a field of EPCIS 2.0"),
        ({"ext:colour": None}, "ext:colour: null is not a value"),
        ({"other:colour": "red"}, "other:colour: the prefix 'other' is not in @context"),
        ({"ilmd": {"cbvmda:lotNumber": "A"}}, "ilmd: goes with the action ADD alone"),
        ({"action": "ADD", "ilmd": {"lot": "A"}}, "ilmd.lot: needs a prefix"),
        (
            {"quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.1", "quantity": -1}]},  # noqa: E501
            r"quantityList\[0\].quantity: -1 is less than 0",
        ),
        (
            {"sensorElementList": [{"sensorReport": [{"value": "26"}]}]},
            r"sensorReport\[0\].value: a number was expected, not '26'",
        ),
        (
            {"sensorElementList": [{"sensorReport": [{"value": 26}]}]},
            r"sensorElementList\[0\].sensorReport\[0\].type: is missing",
        ),
        ({"sensorElementList": [{}]}, r"sensorElementList\[0\].sensorReport: is missing"),
        ({"errorDeclaration": {"reason": "incorrect_data"}}, "declarationTime: is missing"),
        ({"bizTransactionList": [{"type": "po"}]}, r"\[0\].bizTransaction: is missing"),
        ({"sourceList": [{"type": "owner", "source": "urn:x:y"}]}, r"\[0\].type: 'owner' is not"),
        ({"type": "PartyEvent"}, "event 1, type: ObjectEvent, .* was expected, not 'PartyEvent'"),
        ({"type": "AggregationEvent", "epcList": []}, "epcList: is not a field"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_event_and_field(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(EpcisError, match=told):
        read(document(event(), event(**fields)))


def test_what_events_have_to_be_as_a_whole() -> None:
    def bare(kind: str, **fields: Any) -> dict[str, Any]:
        made = event(type=kind, **fields)
        return {name: value for name, value in made.items() if name != "epcList"}

    pack = "urn:epc:id:sgtin:0614141.107346.1"
    wrong = [
        (bare("AggregationEvent", action="ADD", childEPCs=[pack]), "parentID"),
        (bare("AggregationEvent", action="ADD", parentID=pack), "childEPCs"),
        (bare("AssociationEvent", action="OBSERVE", childEPCs=[pack]), "parentID"),
        (bare("TransactionEvent", action="ADD", epcList=[pack]), "bizTransactionList"),
        ({**bare("TransformationEvent"), "action": "ADD"}, "action"),
    ]
    transformation = bare("TransformationEvent", inputEPCList=[pack])
    del transformation["action"]
    wrong.append((transformation, "outputEPCList"))
    with pytest.raises(EpcisError) as refused:
        read(document(*(each for each, _ in wrong)))
    assert [(p.event, p.field) for p in refused.value.problems] == [
        (index, field) for index, (_, field) in enumerate(wrong)
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is not JSON"),
        (b"[]", "an object was expected"),
        (b'{"type": "EPCISDocument", "type": "x"}', "'type' twice"),
        (b'{"type": "X"}', "type: EPCISDocument, EPCISQueryDocument or the type of an event"),
        (b"[" * 200_000, "nested too deeply"),
        (b"<a>", "is not XML"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "has a DOCTYPE"),
        (b"<a/>", "EPCISDocument of urn:epcglobal:epcis:xsd:1 was expected"),
    ],
)
def test_what_is_no_document(data: bytes, told: str) -> None:
    with pytest.raises(EpcisError, match=told):
        read(data)


def test_what_a_program_makes_is_checked_when_it_is_written() -> None:
    made = ObjectEvent(
        action="ADD", event_time=datetime(2026, 1, 1, tzinfo=UTC), event_time_zone_offset="+01:00"
    )
    with pytest.raises(EpcisError, match="event 0, epcList: is missing"):
        write_document(document_of([made]))


# XML


@given_data
def test_the_dscsa_shipment_is_converted() -> None:
    shipment = read(SHIPMENT.read_bytes())
    steps = [each.biz_step for each in shipment.events]
    assert steps == [
        "commissioning", "commissioning", "packing", "packing", "packing", "commissioning",
        "packing", "shipping",
    ]  # fmt: skip
    first, pallet = shipment.events[0], shipment.events[6]
    assert isinstance(first, ObjectEvent)
    assert isinstance(pallet, AggregationEvent)
    assert len(first.epcs) == 12
    assert first.ilmd == {"cbvmda:lotNumber": "A123", "cbvmda:itemExpirationDate": "2025-03-27"}
    assert pallet.parent_id == "urn:epc:id:sscc:030001.41234567890"
    assert len(pallet.child_epcs) == 3
    assert shipment.events[7].extensions == {"gs1ushc:dropShipment": "false"}
    assert shipment.sender == "urn:epc:id:sgln:030001.111111.0"
    assert read(write_document(shipment).encode()) == shipment


# Hash


@pytest.fixture(scope="module")
def reference() -> Iterator[None]:
    """The reference implementation, which would fetch the standard's context: it has a copy."""
    before = jsonld.get_document_loader()
    file = resources.files("epcis_event_hash_generator").joinpath(_COPY_OF_CONTEXT)
    copied = json.loads(file.read_bytes())

    def load(url: str, options: Any = None) -> Any:
        assert url.startswith("https://ref.gs1.org/standards/epcis/"), url
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": copied,
        }

    jsonld.set_document_loader(load)
    yield
    jsonld.set_document_loader(before)


_COPY_OF_CONTEXT = "e532647e8eb371379b8b0e8602d8981c8566bc60f7351f22c76a5bc865962008.jsonld"


def of_the_reference(raw: dict[str, Any], number: int) -> str:
    """Its text for one event, where it is told what XML tells it (see `_hash.py`)."""
    json_to_py._namespaces.clear()
    json_to_py._namespaces.update(
        cbv="{https://ref.gs1.org/cbv/}",
        gs1="{https://gs1.org/voc/}",
        cbvmda="{urn:epcglobal:cbv:mda}",
    )
    alone = as_in_xml({**raw, "epcisBody": {"eventList": [raw["epcisBody"]["eventList"][number]]}})
    alone["@context"] = without_redefinitions(raw["@context"])
    events = json_to_py.event_list_from_epcis_document_json(copy.deepcopy(alone))
    [text] = hash_generator.derive_prehashes_from_events(events)
    return str(text)


def as_in_xml(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return [as_in_xml(each) for each in value]
    if isinstance(value, dict):
        return {name: as_in_xml(each) for name, each in value.items()}
    return value


def without_redefinitions(context: Any) -> list[Any]:
    """A document redefines `cbvmda`, which JSON-LD forbids: the reference refuses it."""
    return [each for each in context if each != {"cbvmda": "http://example.com/cbvmda/"}]


@given_data
@pytest.mark.usefixtures("reference")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_hashes_are_those_of_the_reference_implementation(path: Path) -> None:
    raw = json.loads(path.read_bytes())
    ours = read(path.read_bytes())
    context = without_redefinitions(list(ours.context))
    compared = 0
    for number, each in enumerate(ours.events):
        if any("type" not in t for t in raw["epcisBody"]["eventList"][number].get(
            "bizTransactionList", []
        )):  # fmt: skip
            continue  # the reference fails on a transaction without a type
        text = of_the_reference(raw, number)
        assert pre_hash(each, context=context) == text
        [theirs] = hash_generator.calculate_hashes_from_pre_hashes([text])
        assert event_hash(each, context=context) == theirs
        compared += 1
    assert compared >= len(ours.events) - 1


@given_data
@pytest.mark.filterwarnings("ignore:Testing an element's truth value")  # theirs, from 3.12 on
def test_hashes_of_xml_are_those_of_the_reference_implementation() -> None:
    theirs = hash_generator.epcis_hashes_from_events(
        xml_to_py.event_list_from_epcis_document_str(SHIPMENT.read_text())
    )
    assert list(event_hashes(read(SHIPMENT.read_bytes()))) == theirs
    converted = read(write_document(read(SHIPMENT.read_bytes())).encode())
    assert list(event_hashes(converted)) == theirs


values = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]),
    min_size=1,
).filter(lambda text: ":" not in text)  # fmt: skip
extensions = st.recursive(
    values
    | st.integers(-(10**6), 10**6)
    | st.booleans()
    | st.sampled_from(["20.50", "007", "1e3"]),
    lambda inner: st.dictionaries(
        st.sampled_from(["ext:a", "ext:b", "ext:c"]), inner, min_size=1, max_size=3
    ),
    max_leaves=6,
)


@pytest.mark.usefixtures("reference")
@settings(max_examples=60, deadline=None)
@given(
    serials=st.lists(st.integers(1, 10**9), min_size=1, max_size=4),
    step=st.sampled_from(["shipping", "receiving", "urn:epcglobal:cbv:bizstep:packing"]),
    place=st.none() | st.just("urn:epc:id:sgln:4012345.00002.0"),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),
    extension=st.none() | extensions,
)
def test_hashes_over_generated_events(
    serials: list[int], step: str, place: str | None, moment: datetime, extension: Any
) -> None:
    made = event(
        epcList=[f"urn:epc:id:sgtin:0614141.107346.{serial}" for serial in serials],
        bizStep=step,
        # Rounded to milliseconds by both; the reference fails where that gives the next second.
        eventTime=moment.replace(microsecond=min(moment.microsecond, 999_000)).isoformat(),
        **({"readPoint": {"id": place}} if place else {}),
        **({"ext:field": extension} if extension is not None else {}),
    )
    raw = json.loads(document(made))
    ours = read(document(made))
    assert pre_hash(ours.events[0], context=ours.context) == of_the_reference(raw, 0)


def test_what_is_not_content_does_not_change_a_hash() -> None:
    def of(**fields: Any) -> str:
        return event_hashes(read(document(event(**fields))))[0]

    plain = of()
    assert plain.startswith("ni:///sha-256;")
    assert plain.endswith("?ver=CBV2.0")
    same: list[dict[str, Any]] = [
        {"eventID": "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
        {"recordTime": "2026-07-23T00:00:00Z"},
        {"errorDeclaration": {"declarationTime": "2026-07-23T00:00:00Z"}},
        {"eventTime": "2026-07-22T04:45:00.000Z"},
        {"epcList": ["urn:epc:id:sgtin:9521141.001234.2017"]},
        {"epcList": ["https://pharma.example/x/01/9521141012345/10/L/21/2017?17=261130"]},
    ]
    for fields in same:
        assert of(**fields) == plain, fields
    other: list[dict[str, Any]] = [
        {"action": "ADD"},
        {"epcList": ["urn:epc:id:sgtin:9521141.001234.2018"]},
        {"eventTime": "2026-07-22T04:45:00.001Z"},
        {"ext:colour": "red"},
    ]
    assert len({plain, *(of(**fields) for fields in other)}) == 5


def test_digits_are_kept() -> None:
    report = {"type": "Temperature", "value": 7.50, "uom": "CEL"}
    raw = document(event(sensorElementList=[{"sensorReport": [report]}])).replace(b"7.5", b"7.50")
    came = read(raw)
    assert '"value": 7.50,' in write_document(came)
    assert isinstance(came, EpcisDocument)


@pytest.mark.usefixtures("reference")
def test_hashes_over_every_kind_of_key() -> None:
    """Each scheme of EPC URNs, and places with extensions of their own."""
    made = event(
        epcList=[
            f"urn:epc:id:{each}"
            for each in (
                "sgtin:9521141.001234.7", "sscc:9521141.0000000333", "grai:9521141.66666.87",
                "giai:9521141.AAbb", "gsrn:9521141.9876540000", "gsrnp:9521141.0000098765",
                "gdti:9521141.55555.98", "cpi:9521141.ABC.123", "sgcn:9521141.99999.44",
                "ginc:9521141.333", "gsin:9521141.999987654", "itip:9521141.012345.01.02.999",
                "upui:9521141.012345.AB12", "pgln:9521141.00225", "sgtin:9521141.001234.a%2Fb(c)",
            )
        ],
        quantityList=[
            {"epcClass": f"urn:epc:{each}", "quantity": 1.50}
            for each in (
                "class:lgtin:9521141.099914.20160711", "idpat:sgtin:9521141.099914.*",
                "idpat:grai:9521141.66666.*", "idpat:gdti:9521141.55555.*",
                "idpat:sgcn:9521141.99999.*", "idpat:cpi:9521141.ABC.*",
                "idpat:itip:9521141.012345.01.02.*",
            )
        ],
        readPoint={"id": "urn:epc:id:sgln:9521141.00011.987", "ext:door": "7"},
        bizTransactionList=[{"type": "po", "bizTransaction": "urn:epc:id:gdti:9521141.11111.123"}],
        sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:9521141.00000"}],
    )  # fmt: skip
    ours = read(document(made))
    theirs = of_the_reference(json.loads(document(made)), 0)
    assert pre_hash(ours.events[0], context=ours.context) == theirs
