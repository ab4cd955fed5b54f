"""The CBV 2.0 event hash (section 8.9.2): an event's content as its identity.

The same event gets the same hash from JSON and XML, with URNs or Digital Links, whatever the order
of its lists. What is not content (eventID, recordTime, errorDeclaration) has no part in it.

Written after the algorithm's description; where that leaves a choice, it takes that of the
reference implementation, epcis-event-hash-generator 1.9.3, with which the tests compare it. Four
things there depend on the notation of an event and not on its content, and are not followed: a
boolean in JSON is `true`, as in XML, and not `True`; the prefixes of the standard's context are
expanded in JSON, as in XML; a type goes before its source, destination or business transaction,
however the JSON is ordered, and a transaction may have none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from medfab_gateway.pharma._digital_link import canonical
from medfab_gateway.pharma.epcis import _vocabulary as v
from medfab_gateway.pharma.epcis._kinds import Place
from medfab_gateway.pharma.epcis._models import EpcisDocument, Event
from medfab_gateway.pharma.epcis._read import read_context
from medfab_gateway.pharma.epcis._write import event_fields

_Order = Sequence[tuple[str, Any]]

_EPCS: _Order = [("epc", None)]
_QUANTITY: _Order = [("quantityElement", [("epcClass", None), ("quantity", None), ("uom", None)])]
_SENSOR: _Order = [
    (
        "sensorElement",
        [
            (
                "sensorMetadata",
                [
                    (name, None)
                    for name in (
                        "time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData",
                        "dataProcessingMethod", "bizRules",
                    )
                ],
            ),
            (
                "sensorReport",
                [
                    (name, None)
                    for name in (
                        "type", "exception", "deviceID", "deviceMetadata", "rawData",
                        "dataProcessingMethod", "time", "microorganism", "chemicalSubstance",
                        "value", "component", "stringValue", "booleanValue", "hexBinaryValue",
                        "uriValue", "minValue", "maxValue", "meanValue", "sDev", "percRank",
                        "percValue", "uom", "coordinateReferenceSystem",
                    )
                ],
            ),
        ],
    )
]  # fmt: skip
_ORDER: _Order = [
    ("eventTime", None), ("eventTimeZoneOffset", None), ("certificationInfo", None),
    ("parentID", None), ("epcList", _EPCS), ("inputEPCList", _EPCS), ("childEPCs", _EPCS),
    ("quantityList", _QUANTITY), ("childQuantityList", _QUANTITY),
    ("inputQuantityList", _QUANTITY), ("outputEPCList", _EPCS),
    ("outputQuantityList", _QUANTITY), ("action", None), ("transformationID", None),
    ("bizStep", None), ("disposition", None),
    ("persistentDisposition", [("set", None), ("unset", None)]),
    ("readPoint", [("id", None)]), ("bizLocation", [("id", None)]),
    ("sensorElementList", _SENSOR),
]  # fmt: skip
_NOT_CONTENT = {"type", "eventID", "recordTime", "errorDeclaration"}
_TIMES = {"eventTime", "time", "startTime", "endTime"}
_ELEMENTS = {  # what the elements of a list are called in XML
    "epcList": "epc",
    "inputEPCList": "epc",
    "outputEPCList": "epc",
    "quantityList": "quantityElement",
    "childQuantityList": "quantityElement",
    "inputQuantityList": "quantityElement",
    "outputQuantityList": "quantityElement",
    "childEPCs": "epc",
}
_COMMENTS = {"comment", "rdfs:comment"}
_DISPOSITIONS = {"set": v.DISPOSITION, "unset": v.DISPOSITION}
_WORDS: dict[str, Mapping[str, v.Vocabulary]] = {
    # where a field is → the field → the words it may have
    "": {"bizStep": v.BIZ_STEP, "disposition": v.DISPOSITION},
    "persistentDisposition": _DISPOSITIONS,
    "bizTransactionList": {"type": v.BIZ_TRANSACTION},
    "sourceList": {"type": v.SOURCE_DESTINATION},
    "destinationList": {"type": v.SOURCE_DESTINATION},
    "sensorReport": {
        "type": v.MEASUREMENT,
        "exception": v.EXCEPTION,
        "component": v.COMPONENT,
    },
}
_PAIRS = {"bizTransactionList": "bizTransaction", "sourceList": "source",
          "destinationList": "destination"}  # fmt: skip


@dataclass
class _Node:
    """Name, text and children: what JSON and XML have in common."""

    name: str
    text: str = ""
    children: list[_Node] = field(default_factory=list)


def event_hash(event: Event, *, context: Sequence[Any] = (v.CONTEXT,)) -> str:
    """The event's hash, `ni:///sha-256;…?ver=CBV2.0`.

    context: the `@context` of its document, which says what the prefixes of extensions mean.
    """
    digest = hashlib.sha256(pre_hash(event, context=context).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def event_hashes(document: EpcisDocument) -> tuple[str, ...]:
    """The hashes of a document's events, in order."""
    return tuple(event_hash(event, context=document.context) for event in document.events)


def pre_hash(event: Event, *, context: Sequence[Any] = (v.CONTEXT,), join: str = "") -> str:
    """The canonical text of which the hash is made. join: between its parts, to read it."""
    prefixes = read_context(list(context), Place([], None, "", {}))
    fields = {n: value for n, value in event_fields(event).items() if n not in _NOT_CONTENT}
    root = _Node("", children=list(_nodes(fields, "", prefixes)))
    ordered = _ordered(root.children, _ORDER, top=True, join=join)
    rest = _free(root.children, join=join)
    return join.join([f"eventType={event.type}", ordered, rest])


def _nodes(fields: Mapping[str, Any], where: str, prefixes: Mapping[str, str]) -> Iterator[_Node]:
    """The tree of an object: as the XML form has it."""
    words = _WORDS.get(where, {})
    for name, value in fields.items():
        if name in _COMMENTS:
            continue
        full = _expand(name, prefixes, "{%s}%s")
        if name in _PAIRS:
            pairs = []
            for each in value:
                given = [part for part in ("type", _PAIRS[name]) if part in each]
                ordered = {part: each[part] for part in given}
                pairs.append(_Node("", children=list(_nodes(ordered, name, prefixes))))
            yield _Node(full, children=pairs)
        elif isinstance(value, list) and (name.endswith("List") or name == "childEPCs"):
            element = _ELEMENTS.get(name, full[: -len("List")])
            yield _Node(full, children=[_node(element, each, name, prefixes) for each in value])
        elif isinstance(value, list):
            yield from (_node(full, _word(words, name, each), name, prefixes) for each in value)
        else:
            yield _node(full, _word(words, name, value), name, prefixes)


def _node(name: str, value: Any, where: str, prefixes: Mapping[str, str]) -> _Node:
    if isinstance(value, dict):
        return _Node(name, children=list(_nodes(value, where, prefixes)))
    if isinstance(value, list):
        return _Node(name, children=[_node("", each, where, prefixes) for each in value])
    if isinstance(value, bool):
        return _Node(name, "true" if value else "false")
    text = str(value)
    return _Node(name, _expand(text, prefixes, "%s%s") if isinstance(value, str) else text)


def _word(words: Mapping[str, v.Vocabulary], name: str, value: Any) -> Any:
    """The web address of a standard word."""
    vocabulary = words.get(name)
    return vocabulary.web + value if vocabulary and value in vocabulary.words else value


def _expand(text: str, prefixes: Mapping[str, str], form: str) -> str:
    prefix, colon, local = text.partition(":")
    return form % (prefixes[prefix], local) if colon and prefix in prefixes else text


def _ordered(nodes: list[_Node], order: _Order, *, top: bool = False, join: str) -> str:
    """The nodes in the order given; they are taken out of `nodes`."""
    extensions = []
    if not top and len(nodes) > 1:
        # The reference knows an extension by a namespace that ends with a slash; others come last.
        extensions = [node for node in nodes if "{" in node.name and "/}" in node.name]
        nodes[:] = [node for node in nodes if node not in extensions]
    parts = []
    for name, below in order:
        texts = []
        for node in [node for node in nodes if node.name == name]:
            inner = _ordered(node.children, below, join=join) if below else ""
            own = _time(node.text) if name in _TIMES else _value(node.text)
            if own or inner:
                texts.append(name + (f"={own}" if own else "") + inner)
            if not node.children:
                nodes[:] = [other for other in nodes if other is not node]
        parts.extend(sorted(texts))
    text = join.join(parts)
    return text + join + _free(extensions, join=join) if extensions else text


def _free(nodes: list[_Node], *, join: str) -> str:
    """Nodes without an order of their own: sorted by their text; a pair stays as it is."""
    texts = []
    for node in nodes:
        own = _value(node.text)
        texts.append(node.name + (f"={own}" if own else "") + _free(node.children, join=join))
    pair = any(node.name in _PAIRS.values() for node in nodes)
    return join.join(texts if pair else sorted(texts))


def _value(text: str) -> str:
    text = text.strip()
    for vocabulary in (v.BIZ_STEP, v.DISPOSITION, v.BIZ_TRANSACTION, v.SOURCE_DESTINATION):
        if text.startswith(vocabulary.urn):
            text = vocabulary.web + text[len(vocabulary.urn) :]
    return canonical(text) or _number(text)


def _number(text: str) -> str:
    """A number without zeros that say nothing; any other text as it is."""
    try:
        number = float(text)
        return str(int(number)) if number.is_integer() else str(number)
    except (ValueError, OverflowError):
        return text


def _time(text: str) -> str:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    milliseconds = round(Decimal(moment.microsecond) / 1000)
    moment = moment.replace(microsecond=0) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
