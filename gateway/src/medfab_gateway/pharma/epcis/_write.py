"""From typed documents to JSON-LD, the numbers in their own digits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from medfab_gateway.pharma.epcis._kinds import Time
from medfab_gateway.pharma.epcis._models import EpcisDocument, Event
from medfab_gateway.pharma.epcis._read import read_document
from medfab_gateway.pharma.epcis._schema import EVENTS
from medfab_gateway.pharma.epcis._vocabulary import CONTEXT


def event_fields(event: Event) -> dict[str, Any]:
    """One event as the fields of JSON."""
    return {"type": event.type, **EVENTS[event.type].write(event)}


def document_fields(document: EpcisDocument) -> dict[str, Any]:
    """A document as the fields of JSON; what is in it was checked. Raises :class:`EpcisError`."""
    fields: dict[str, Any] = {
        "@context": list(document.context),
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": Time().write(document.creation_date),
    }
    for name, value in (
        ("id", document.id),
        ("sender", document.sender),
        ("receiver", document.receiver),
        ("instanceIdentifier", document.instance_identifier),
        ("epcisHeader", document.header),
    ):
        if value is not None:
            fields[name] = value
    fields |= document.extensions
    fields["epcisBody"] = {"eventList": [event_fields(event) for event in document.events]}
    read_document(fields)
    return fields


def write_document(document: EpcisDocument, *, indent: int | None = 2) -> str:
    """A document as JSON-LD. Raises :class:`EpcisError` where its parts do not fit together."""
    return to_json(document_fields(document), indent=indent)


def document_of(
    events: Sequence[Event], *, context: Sequence[Any] = (CONTEXT,), created: datetime | None = None
) -> EpcisDocument:
    """A document of these events, made now."""
    return EpcisDocument(
        events=tuple(events),
        creation_date=created or datetime.now(UTC),
        context=tuple(context),
    )


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON in which a decimal keeps its digits."""
    marks: list[str] = []

    def hold(number: Any) -> str:
        if not isinstance(number, Decimal):
            raise TypeError(f"{type(number).__name__} is not JSON")
        marks.append(format(number, "f"))
        return f"\x00{len(marks) - 1}\x00"

    separators = (",", ":") if indent is None else None
    text = json.dumps(value, default=hold, ensure_ascii=False, indent=indent, separators=separators)
    pieces = text.split('"\\u0000')
    return pieces[0] + "".join(
        marks[int(piece[: piece.index("\\")])] + piece[piece.index('"') + 1 :]
        for piece in pieces[1:]
    )
