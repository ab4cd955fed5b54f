"""From JSON to typed documents and back: what EPCIS 2.0 asks for is checked on the way in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from medfab_gateway.pharma.epcis import _vocabulary as v
from medfab_gateway.pharma.epcis._kinds import Kind, Place, Text, Time, Uri, extension, shown
from medfab_gateway.pharma.epcis._models import (
    AggregationEvent,
    AssociationEvent,
    EpcisDocument,
    Event,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
)
from medfab_gateway.pharma.epcis._schema import EVENTS
from medfab_gateway.pharma.errors import EpcisError, EpcisProblem

_CONTEXTS = (
    "https://ref.gs1.org/standards/epcis/",
    "https://gs1.github.io/EPCIS/",
    "https://id.gs1.org/epcis-context.jsonld",
)
_DOCUMENT_FIELDS = {
    "@context", "id", "type", "schemaVersion", "creationDate", "sender", "receiver",
    "instanceIdentifier", "epcisHeader", "epcisBody",
}  # fmt: skip


def parse_json(data: str | bytes) -> Any:
    """Parse JSON strictly, decimals in their own digits. Raises :class:`EpcisError`."""
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        return json.loads(
            text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise EpcisError(
            [EpcisProblem(event=None, field="document", message=f"is not JSON: {why}")]
        ) from None


def read_document(data: str | bytes | Mapping[str, Any]) -> EpcisDocument:
    """Read an EPCIS 2.0 JSON-LD document, a query document, or a single event.

    Raises :class:`EpcisError`, which names event and field of everything that is wrong.
    """
    raw = parse_json(data) if isinstance(data, str | bytes) else dict(data)
    problems: list[EpcisProblem] = []
    document = Place(problems, None, "", {})
    if not isinstance(raw, dict):
        document.below("document").wrong(f"an object was expected, not {shown(raw)}")
        raise EpcisError(problems)
    if raw.get("type") in EVENTS:
        context = raw.get("@context", v.CONTEXT)
        prefixes = read_context(context, document)
        event = read_event(
            {name: value for name, value in raw.items() if name != "@context"},
            Place(problems, 0, "", prefixes),
        )
        if problems or event is None:
            raise EpcisError(problems)
        return EpcisDocument(
            events=(event,), creation_date=event.event_time, context=_contexts(context)
        )
    return _read(raw, document)


def _read(raw: Mapping[str, Any], document: Place) -> EpcisDocument:
    if raw.get("type") not in ("EPCISDocument", "EPCISQueryDocument"):
        document.below("type").wrong(
            f"EPCISDocument, EPCISQueryDocument or the type of an event was expected, not "
            f"{shown(raw.get('type'))}"
        )
        raise EpcisError(document.problems)
    if "@context" not in raw:
        document.below("@context").wrong(f"is missing: it names {v.CONTEXT}")
    prefixes = read_context(raw.get("@context", v.CONTEXT), document)
    place = Place(document.problems, None, "", prefixes)
    version = raw.get("schemaVersion")
    if version not in ("2.0", "2.0.0", "2.0.1"):
        place.below("schemaVersion").wrong(f"2.0 was expected, not {shown(version)}")
    for name in ("creationDate", "epcisBody"):
        if name not in raw:
            place.below(name).wrong("is missing")
    extensions = {}
    for name, value in raw.items():
        if name in _DOCUMENT_FIELDS:
            continue
        if extension(name, value, place):
            extensions[name] = value
        else:
            place.below(name).wrong("is not a field of an EPCIS 2.0 document")
    events = []
    for index, each in enumerate(_event_list(raw.get("epcisBody"), place)):
        event = read_event(each, Place(document.problems, index, "", prefixes))
        if event is not None:
            events.append(event)

    def optional(name: str, kind: Kind) -> Any:
        return kind.read(raw[name], place.below(name)) if name in raw else None

    created = optional("creationDate", Time())
    sender, receiver = optional("sender", Text()), optional("receiver", Text())
    instance, name = optional("instanceIdentifier", Text()), optional("id", Uri())
    header = raw.get("epcisHeader")
    if header is not None and not isinstance(header, dict):
        place.below("epcisHeader").wrong(f"an object was expected, not {shown(header)}")
    if document.problems:
        raise EpcisError(document.problems)
    return EpcisDocument(
        events=tuple(events),
        creation_date=created,
        context=_contexts(raw["@context"]),
        id=name,
        sender=sender,
        receiver=receiver,
        instance_identifier=instance,
        header=header,
        extensions=extensions,
    )


def read_event(raw: Any, at: Place) -> Event | None:
    """Read one event; what is wrong goes to `at`."""
    if not isinstance(raw, dict):
        at.wrong(f"an event was expected, not {shown(raw)}")
        return None
    kind = raw.get("type")
    thing = EVENTS.get(kind) if isinstance(kind, str) else None
    if thing is None:
        at.below("type").wrong(f"{', '.join(EVENTS)} was expected, not {shown(kind)}")
        return None
    before = len(at.problems)
    event: Event = thing.read({n: value for n, value in raw.items() if n != "type"}, at)
    if len(at.problems) == before:
        _check_as_a_whole(event, at)
    return event


def read_context(context: Any, at: Place) -> dict[str, str]:
    """The prefixes that a document's `@context` declares, the standard's included."""
    entries = context if isinstance(context, list) else [context]
    prefixes = dict(v.PREFIXES)
    standard = False
    for number, entry in enumerate(entries):
        place = at.below(f"@context[{number}]" if isinstance(context, list) else "@context")
        if isinstance(entry, str):
            standard = standard or entry.startswith(_CONTEXTS)
        elif isinstance(entry, dict):
            for name, value in entry.items():
                address = value.get("@id") if isinstance(value, dict) else value
                if name.startswith("@"):
                    continue
                if not isinstance(address, str):
                    place.below(name).wrong(f"an address was expected, not {shown(value)}")
                else:
                    prefixes[name] = address
        else:
            place.wrong(f"an address or an object was expected, not {shown(entry)}")
    if not standard:
        at.below("@context").wrong(f"does not name the context of EPCIS 2.0, {v.CONTEXT}")
    return prefixes


def _event_list(body: Any, at: Place) -> Sequence[Any]:
    here = at.below("epcisBody")
    if body is None:
        return ()
    if isinstance(body, dict):
        if "event" in body:
            return (body["event"],)
        results = body.get("queryResults")
        if isinstance(results, dict) and isinstance(results.get("resultsBody"), dict):
            body, here = results["resultsBody"], here.below("queryResults.resultsBody")
        events = body.get("eventList")
        if isinstance(events, list):
            return events
    here.below("eventList").wrong("is missing: an array of events was expected")
    return ()


def _check_as_a_whole(event: Event, at: Place) -> None:
    """What the fields of an event have to be in view of each other."""
    match event:
        case ObjectEvent():
            if not (event.epcs or event.quantities or event.sensor_elements):
                at.below("epcList").wrong(
                    "is missing: an ObjectEvent has epcList, quantityList or sensorElementList"
                )
            if event.ilmd is not None and event.action != "ADD":
                at.below("ilmd").wrong("goes with the action ADD alone")
        case AggregationEvent() | AssociationEvent():
            if event.parent_id is None and event.action != "OBSERVE":
                at.below("parentID").wrong(f"is missing: {event.action} needs it")
            if not (event.child_epcs or event.child_quantities or event.action == "DELETE"):
                at.below("childEPCs").wrong(
                    "is missing: childEPCs or childQuantityList says what is in the parent"
                )
        case TransactionEvent():
            if not event.biz_transactions:
                at.below("bizTransactionList").wrong("is empty")
            if not (event.epcs or event.quantities or event.parent_id or event.action == "DELETE"):
                at.below("epcList").wrong("is missing: epcList, quantityList or parentID")
        case TransformationEvent() if event.transformation_id is None:
            if not (event.input_epcs or event.input_quantities):
                at.below("inputEPCList").wrong("is missing: inputs, or a transformationID")
            if not (event.output_epcs or event.output_quantities):
                at.below("outputEPCList").wrong("is missing: outputs, or a transformationID")


def _contexts(context: Any) -> tuple[Any, ...]:
    return tuple(context) if isinstance(context, list) else (context,)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = next(name for name, _ in pairs if [n for n, _ in pairs].count(name) > 1)
        raise ValueError(f"an object has {twice!r} twice")
    return fields
