"""A FHIR Consent in the other version, R4 ⇄ R5, so that the way back gives the original.

What both versions know is put in its place. An element that the other version has no place for
goes along in an extension; on the way back it is taken from there, unless what it stands for was
changed in between.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from medfab_gateway.ehr._consents import codes
from medfab_gateway.ehr._validation import FhirVersion

NESTED_TYPE = "http://hl7.org/fhir/4.0/StructureDefinition/extension-Consent.provision.type"
"""In R5 an exception is the opposite of the decision; R4 can say otherwise."""

CARRIED = "urn:medfab:fhir:consent-carried"
"""Elements of the other version, as JSON."""

_RENAMED = {"patient": "subject", "performer": "grantor", "organization": "manager"}
_MADE_A_LIST = {"sourceAttachment", "sourceReference"}
_SAME = {"resourceType", "id", "meta", "language", "text", "contained", "extension", "identifier"}
_SAME |= {"category"}
_STATUS_TO_R5 = {"proposed": "draft", "rejected": "not-done"}
_STATUS_TO_R4 = {"not-done": "rejected", "unknown": "inactive"}
_OPPOSITE = {"permit": "deny", "deny": "permit"}

# Servers change these; they say nothing about whether the carried elements still belong.
_UNTRACKED = {"id", "meta", "text", "status", "extension"}


def convert(resource: Mapping[str, Any], *, source: FhirVersion, to: FhirVersion) -> dict[str, Any]:
    """``resource``, which has been read without an error, in the version ``to``."""
    if source is to:
        return dict(resource)
    there, back = (_to_r5, _to_r4) if to is FhirVersion.R5 else (_to_r4, _to_r5)
    plain, carried = _unpacked(resource)
    result = there(plain)
    if carried and carried["of"] == _digest(plain):
        return _overlaid(result, carried)
    returned = back(result)
    lost = {name: value for name, value in plain.items() if returned.get(name) != value}
    added = sorted(returned.keys() - plain.keys())
    if lost or added:
        _pack(result, {"elements": lost, "without": added, "of": _digest(result)})
    return result


def _to_r5(resource: dict[str, Any]) -> dict[str, Any]:
    result = {name: value for name, value in resource.items() if name in _SAME}
    _rename(resource, result, _RENAMED)
    status = resource.get("status")
    result["status"] = _STATUS_TO_R5.get(status or "", status)
    for name in _MADE_A_LIST & resource.keys():
        result[name] = [resource[name]]
    if "policyRule" in resource:
        result["regulatoryBasis"] = [resource["policyRule"]]
    policies = resource.get("policy") or []
    if policies and "uri" in policies[0]:
        result["policyBasis"] = {"url": policies[0]["uri"]}
    if "dateTime" in resource:
        result["date"] = resource["dateTime"][:10]
    provision = dict(resource.get("provision") or {})
    if "type" in provision:
        result["decision"] = provision.pop("type")
    if provision:
        result["provision"] = [_provision_to_r5(provision, result.get("decision"))]
    return result


def _to_r4(resource: dict[str, Any]) -> dict[str, Any]:
    result = {name: value for name, value in resource.items() if name in _SAME}
    result["scope"] = {"coding": [{"system": codes.CONSENT_SCOPE, "code": "patient-privacy"}]}
    result.setdefault("category", [{"coding": [{"system": codes.LOINC, "code": "59284-0"}]}])
    _rename(resource, result, {new: old for old, new in _RENAMED.items()})
    status = resource.get("status")
    result["status"] = _STATUS_TO_R4.get(status or "", status)
    for name in _MADE_A_LIST & resource.keys():
        result[name] = resource[name][0]
    if "regulatoryBasis" in resource:
        result["policyRule"] = resource["regulatoryBasis"][0]
    if "url" in resource.get("policyBasis", {}):
        result["policy"] = [{"uri": resource["policyBasis"]["url"]}]
    if "date" in resource:
        result["dateTime"] = resource["date"]
    listed = resource.get("provision") or [{}]
    provision = _provision_to_r4(listed[0], resource.get("decision"))
    if "period" in resource:
        provision["period"] = _both(resource["period"], provision.get("period") or {})
    result["provision"] = provision
    return result


def _rename(source: dict[str, Any], result: dict[str, Any], names: Mapping[str, str]) -> None:
    for old, new in names.items():
        if old in source:
            result[new] = source[old]


def _provision_to_r5(provision: dict[str, Any], decision: str | None) -> dict[str, Any]:
    result = {k: v for k, v in provision.items() if k not in ("type", "class", "provision")}
    if "class" in provision:
        result["resourceType"] = provision["class"]
    kind = provision.get("type")
    if kind is not None and decision is not None and kind != _OPPOSITE[decision]:
        result["modifierExtension"] = [{"url": NESTED_TYPE, "valueCode": kind}]
    if "provision" in provision:
        result["provision"] = [_provision_to_r5(p, decision) for p in provision["provision"]]
    return result


def _provision_to_r4(provision: dict[str, Any], kind: str | None) -> dict[str, Any]:
    result: dict[str, Any] = {} if kind is None else {"type": kind}
    result |= {k: v for k, v in provision.items() if k not in ("resourceType", "provision")}
    if "resourceType" in provision:
        result["class"] = provision["resourceType"]
    for extension in result.pop("modifierExtension", ()):
        if extension.get("url") == NESTED_TYPE:
            result["type"] = extension["valueCode"]
    if "provision" in provision:
        nested = None if kind is None else _OPPOSITE[kind]
        result["provision"] = [_provision_to_r4(p, nested) for p in provision["provision"]]
    return result


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The period that is in both."""
    from medfab_gateway.ehr._fhir_time import span_of

    starts = [p["start"] for p in (one, other) if "start" in p]
    ends = [p["end"] for p in (one, other) if "end" in p]
    result = {}
    if starts:
        result["start"] = max(starts, key=lambda text: span_of(text).start)
    if ends:
        result["end"] = min(ends, key=lambda text: span_of(text).end)
    return result


def _pack(resource: dict[str, Any], carried: dict[str, Any]) -> None:
    extension = {"url": CARRIED, "valueString": json.dumps(carried, sort_keys=True)}
    resource["extension"] = [*resource.get("extension", ()), extension]


def _unpacked(resource: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    plain = dict(resource)
    extensions = plain.pop("extension", [])
    packed = [each for each in extensions if each.get("url") == CARRIED]
    others = [each for each in extensions if each.get("url") != CARRIED]
    if others:
        plain["extension"] = others
    try:
        carried = json.loads(packed[0]["valueString"]) if packed else None
        if carried is not None and not (
            isinstance(carried["elements"], dict)
            and isinstance(carried["without"], list)
            and isinstance(carried["of"], str)
        ):
            carried = None
    except (ValueError, LookupError, TypeError):
        carried = None
    return plain, carried


def _overlaid(result: dict[str, Any], carried: dict[str, Any]) -> dict[str, Any]:
    """``status`` stays as it is now: a consent may have ended in between."""
    elements = {name: value for name, value in carried["elements"].items() if name != "status"}
    without = set(carried["without"])
    return {name: value for name, value in result.items() if name not in without} | elements


def _digest(resource: dict[str, Any]) -> str:
    tracked = {name: value for name, value in resource.items() if name not in _UNTRACKED}
    return hashlib.sha256(json.dumps(tracked, sort_keys=True).encode()).hexdigest()
