"""What in a bundle identifies or describes the patient: the values that must never be public."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from medfab_gateway.ehr.fhir import Bundle, Resource

_TEXT_NODE = re.compile(r">([^<>]+)<")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\S+)?")
_PERSONS = frozenset({"Patient", "RelatedPerson"})

# Here `code` names the test; what was found is in value[x].
_TESTS = frozenset({"Observation", "DiagnosticReport"})

# Says what kind of thing, not what the patient has.
_NOT_CLINICAL = frozenset(
    {"category", "class", "type", "clinicalStatus", "verificationStatus", "priority", "meta"}
)

_SHORTEST_NODE = 20  # characters; shorter texts of a narrative are words like "Patient"


@dataclass(frozen=True, kw_only=True)
class PhiValue:
    """One value to search for."""

    kind: str
    """``name``, ``address``, ``identifier``, ``telecom``, ``date``, ``narrative``,
    ``resource-id``, ``measurement``, ``finding`` or ``resource`` (the whole of one)."""

    value: str = field(repr=False)


def phi_values(bundle: Bundle) -> list[PhiValue]:
    """Collect every value of ``bundle`` that must not be public, each once.

    Of the Patient and RelatedPersons: names and their usual combinations, address lines, cities
    and postal codes, telecoms. Of every resource: its id, identifiers, dates, narrative, notes,
    conclusions and the resource as a whole. Of Observations: every value, with and without its
    unit. Of everything else: the texts, displays and codes of its clinical concepts (conditions,
    medications, procedures…). Practitioners and Organizations are not patients: of them only
    ids, identifiers and dates.
    """
    found: dict[str, PhiValue] = {}
    for resource in bundle.resources:
        for kind, value in _values(resource):
            if value := value.strip():
                found.setdefault(value, PhiValue(kind=kind, value=value))
    return list(found.values())


def _values(resource: Resource) -> Iterator[tuple[str, str]]:
    content = resource.content
    yield from (("resource", form) for form in _forms(resource))
    yield "resource-id", resource.key.partition("/")[2]
    yield from _everywhere(content)
    resource_type = resource.labels.resource_type
    if resource_type in _PERSONS:
        yield from _person(content)
    elif resource_type == "Observation":
        yield from _measurements(content)
    if resource_type not in {"Practitioner", "Organization", *_PERSONS}:
        yield from _findings(content, skip_code=resource_type in _TESTS)


def _forms(resource: Resource) -> set[str]:
    """The texts that somebody would hash or copy: as it came, and re-written two usual ways."""
    parsed = json.loads(resource.text)
    return {
        resource.text,
        json.dumps(parsed),
        json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
    }


def _everywhere(node: Any) -> Iterator[tuple[str, str]]:
    for name, value in _fields(node):
        if isinstance(value, str) and _DATE_TIME.fullmatch(value):
            yield "date", value
            yield "date", value[:10]
        elif name == "identifier" and isinstance(value, dict) and "value" in value:
            yield "identifier", str(value["value"])
        elif name == "div" and isinstance(value, str):
            yield "narrative", value
            for text in _TEXT_NODE.findall(value):
                if len(text.strip()) >= _SHORTEST_NODE:
                    yield "narrative", text
        elif name in ("conclusion", "comment") and isinstance(value, str):
            yield "finding", value
        elif name == "note" and isinstance(value, dict) and isinstance(value.get("text"), str):
            yield "finding", value["text"]


def _person(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in _fields(content):
        if name == "name" and isinstance(value, dict):
            yield from (("name", text) for text in _names(value))
        elif name in ("address", "valueAddress") and isinstance(value, dict):
            lines = value.get("line") or []
            parts = [*lines, value.get("text"), value.get("city"), value.get("postalCode")]
            yield from (("address", part) for part in parts if isinstance(part, str))
        elif name == "telecom" and isinstance(value, dict) and "value" in value:
            yield "telecom", str(value["value"])
        elif isinstance(value, dict) and str(value.get("url", "")).endswith("MaidenName"):
            maiden = str(value.get("valueString", ""))
            yield "name", maiden
            yield from (("name", part) for part in maiden.split())


def _names(name: dict[str, Any]) -> Iterator[str]:
    family = name.get("family") or ""
    given = name.get("given") or []
    yield from (family, *given, name.get("text") or "")
    if family and given:
        for first in (given[0], " ".join(given)):
            # Joined, because single words are searched with word boundaries.
            yield from (f"{first} {family}", f"{family}, {first}", f"{family} {first}")
            yield from (f"{first}{family}", f"{family}{first}")


def _measurements(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in _fields(content):
        if not name.startswith("value") or name == "valueSet":
            continue
        if isinstance(value, dict):
            for inner in [value, *(item for _, item in _fields(value) if isinstance(item, dict))]:
                yield from _quantity(inner)
                yield from (("measurement", text) for text in _concept(inner))
        elif not isinstance(value, bool | list):
            yield "measurement", str(value)


def _quantity(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "value" not in value or isinstance(value["value"], dict | list):
        return
    number = str(value["value"])
    yield "measurement", number
    for unit in {value.get("unit"), value.get("code")} - {None}:
        yield "measurement", f"{number} {unit}"
        yield "measurement", f"{number}{unit}"


def _findings(content: dict[str, Any], *, skip_code: bool) -> Iterator[tuple[str, str]]:
    for name, value in _fields(content, without=_NOT_CLINICAL):
        if (skip_code and name == "code") or name.startswith("value"):
            continue
        if isinstance(value, dict) and ("coding" in value or "text" in value):
            yield from (("finding", text) for text in _concept(value))


def _concept(value: dict[str, Any]) -> Iterator[str]:
    for part in [value, *(value.get("coding") or [])]:
        for name in ("text", "display", "code"):
            if name == "code" and "value" in part:
                continue  # a Quantity's unit
            if isinstance(part.get(name), str):
                yield part[name]


def _fields(
    node: Any, *, without: frozenset[str] = frozenset(), name: str = ""
) -> Iterator[tuple[str, Any]]:
    """Every (name, value) at any depth; the elements of an array have the array's name."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in without:
                if not isinstance(value, list):
                    yield key, value
                yield from _fields(value, without=without, name=key)
    elif isinstance(node, list):
        for value in node:
            yield name, value
            yield from _fields(value, without=without, name=name)
