"""EPCIS 1.1 and 1.2 XML, converted to what the JSON of EPCIS 2.0 says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from medfab_gateway.pharma.epcis import _vocabulary as v
from medfab_gateway.pharma.epcis._models import EpcisDocument
from medfab_gateway.pharma.epcis._read import read_document
from medfab_gateway.pharma.epcis._schema import EVENTS
from medfab_gateway.pharma.errors import EpcisError, EpcisProblem

_NAMESPACE = "urn:epcglobal:epcis:xsd:1"
_HEADER = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"
_MASTER_DATA = "urn:epcglobal:cbv:mda"
_WRAPPERS = {"extension", "baseExtension"}
_LISTS = {  # element → its children, in JSON a plain array
    "epcList": "epc", "childEPCs": "epc", "inputEPCList": "epc", "outputEPCList": "epc",
    "correctiveEventIDs": "correctiveEventID",
}  # fmt: skip
_QUANTITIES = {"quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"}
_TYPED = {"bizTransactionList": "bizTransaction", "sourceList": "source",
          "destinationList": "destination"}  # fmt: skip
_OBJECTS = {"readPoint", "bizLocation", "errorDeclaration"}
_MOST_BYTES = 64 * 1024 * 1024


def read_xml(data: bytes) -> EpcisDocument:
    """Read an EPCIS 1.1 or 1.2 XML document. Raises :class:`EpcisError`.

    Its standard words become those of CBV 2.0; extensions keep their namespace under the prefix
    that the document has for it; master data and header go to `epcisHeader`.
    """
    root, prefixes = _parse(data)
    if root.tag != f"{{{_NAMESPACE}}}EPCISDocument":
        _refuse("type", f"the element EPCISDocument of {_NAMESPACE} was expected, not {root.tag}")
    version = root.get("schemaVersion", "")
    if not re.fullmatch(r"1(\.[0-2])?", version):
        _refuse("schemaVersion", f"1.2 was expected in XML, not {version!r}; for 2.0 give JSON-LD")
    names = _Names(prefixes)
    events = [_event(element, names) for element in _events(root)]
    fields: dict[str, Any] = {
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": root.get("creationDate"),
    }
    fields |= _header(root, names)
    fields["@context"] = [v.CONTEXT, *({prefix: uri} for prefix, uri in names.used.items())]
    fields["epcisBody"] = {"eventList": events}
    return read_document(fields)


class _Target(ElementTree.TreeBuilder):
    """Collects prefixes; refuses what can hold entities."""

    def __init__(self) -> None:
        super().__init__()
        self.prefixes: dict[str, str] = {}

    def start_ns(self, prefix: str, uri: str) -> None:
        self.prefixes.setdefault(uri, prefix)

    def doctype(self, *_: object) -> NoReturn:
        _refuse("document", "has a DOCTYPE, which EPCIS documents have not: it is not read")


class _Names:
    """Extensions: from `{namespace}name` to `prefix:name`."""

    def __init__(self, prefixes: dict[str, str]) -> None:
        self._prefixes = prefixes
        self.used: dict[str, str] = {}

    def short(self, tag: str) -> str:
        if not tag.startswith("{"):
            return tag
        uri, _, local = tag[1:].partition("}")
        if uri == _MASTER_DATA:
            return f"cbvmda:{local}"
        prefix = self._prefixes.get(uri) or f"ns{len(self.used) + 1}"
        while self.used.get(prefix, uri) != uri or v.PREFIXES.get(prefix, uri) != uri:
            prefix += "_"
        self.used[prefix] = uri
        return f"{prefix}:{local}"


def _parse(data: bytes) -> tuple[ElementTree.Element, dict[str, str]]:
    if len(data) > _MOST_BYTES:
        _refuse("document", f"has more than {_MOST_BYTES // 1024 // 1024} MiB: split it")
    target = _Target()
    try:
        parser = ElementTree.XMLParser(target=target)  # noqa: S314 - see _Target
        parser.feed(data)
        return parser.close(), target.prefixes
    except ElementTree.ParseError as error:
        _refuse("document", f"is not XML: {error}")


def _events(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    events = root.find("EPCISBody/EventList")
    if events is None:
        _refuse("EPCISBody.EventList", "is missing")
    for element in events:
        # Newer kinds of events stand in extensions, which may hold extensions.
        while element.tag in _WRAPPERS and len(element):
            element = element[0]
        yield element


def _event(element: ElementTree.Element, names: _Names) -> dict[str, Any]:
    fields = {"type": names.short(element.tag)}
    if fields["type"] in EVENTS:
        fields |= _fields(element, names)
    return fields


def _fields(element: ElementTree.Element, names: _Names) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for child in element:
        tag = names.short(child.tag)
        if tag in _WRAPPERS:
            fields |= _fields(child, names)
        elif tag in _LISTS:
            fields[tag] = [_text(each) for each in child if each.tag == _LISTS[tag]]
        elif tag in _QUANTITIES:
            fields[tag] = [_quantity(each) for each in child]
        elif tag in _TYPED:
            fields[tag] = [_typed(each, _TYPED[tag]) for each in child]
        elif tag in _OBJECTS:
            fields[tag] = _fields(child, names)
        elif tag == "ilmd":
            fields[tag] = _extensions(child, names)
        elif ":" in tag:
            fields[tag] = _free(child, names)
        else:
            fields[tag] = _text(child)
    return fields


def _quantity(element: ElementTree.Element) -> dict[str, Any]:
    fields: dict[str, Any] = {child.tag: _text(child) for child in element}
    if "quantity" in fields:
        with suppress(InvalidOperation):  # the reader says what is wrong
            fields["quantity"] = Decimal(fields["quantity"])
    return fields


def _typed(element: ElementTree.Element, name: str) -> dict[str, Any]:
    kind = element.get("type")
    return {**({"type": kind} if kind is not None else {}), name: _text(element)}


def _extensions(element: ElementTree.Element, names: _Names) -> dict[str, Any]:
    """All below as extensions; what stands several times is an array."""
    found: dict[str, Any] = {}
    for child in element:
        if child.tag in _WRAPPERS:
            found |= _extensions(child, names)
            continue
        name, value = names.short(child.tag), _free(child, names)
        if name in found:
            before = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = [*before, value]
        else:
            found[name] = value
    return found


def _free(element: ElementTree.Element, names: _Names) -> Any:
    if not len(element):
        return _text(element)
    return _extensions(element, names)


def _header(root: ElementTree.Element, names: _Names) -> dict[str, Any]:
    header = root.find("EPCISHeader")
    if header is None:
        return {}
    fields: dict[str, Any] = {}
    paths = {
        "sender": ("Sender", "Identifier"),
        "receiver": ("Receiver", "Identifier"),
        "instanceIdentifier": ("DocumentIdentification", "InstanceIdentifier"),
    }
    for name, path in paths.items():
        steps = ("StandardBusinessDocumentHeader", *path)
        found = header.find("/".join(_HEADER + step for step in steps))
        if found is not None and _text(found):
            fields[name] = _text(found)
    vocabularies = [
        {
            "type": vocabulary.get("type"),
            "vocabularyElementList": [
                _master_data(element, names)
                for element in vocabulary.iterfind("VocabularyElementList/VocabularyElement")
            ],
        }
        for vocabulary in header.iterfind("extension/EPCISMasterData/VocabularyList/Vocabulary")
    ]
    if vocabularies:
        fields["epcisHeader"] = {"epcisMasterData": {"vocabularyList": vocabularies}}
    for child in header:
        if child.tag.startswith("{") and not child.tag.startswith(_HEADER):
            fields[names.short(child.tag)] = _free(child, names)
    return fields


def _master_data(element: ElementTree.Element, names: _Names) -> dict[str, Any]:
    attributes = [
        {"id": each.get("id"), "attribute": _free(each, names)}
        for each in element.iterfind("attribute")
    ]
    return {"id": element.get("id"), "attributes": attributes}


def _text(element: ElementTree.Element) -> str:
    return (element.text or "").strip()


def _refuse(field: str, message: str) -> NoReturn:
    raise EpcisError([EpcisProblem(event=None, field=field, message=message)])
