"""What is on record about access and consents, as FHIR AuditEvent and Provenance, R4 and R5.

AuditEvents follow IHE BALP's PrivacyDisclosure: subtype ``disclose``, a source and a recipient,
the patient, what was disclosed, and the purpose. A denial is one with an outcome that says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from medfab_gateway.ehr._consents import codes
from medfab_gateway.ehr._fhir_time import first_moment
from medfab_gateway.ehr._types import Disclosure, LogRow
from medfab_gateway.ehr._validation import FhirVersion

ACCOUNTING_YEARS = 6
"""How far an accounting of disclosures looks back (45 CFR 164.528)."""

_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_OUTCOME = "http://terminology.hl7.org/CodeSystem/issue-severity"
_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_AGENT_TYPE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_REQUEST = "urn:medfab:request"
_CLIENT = "urn:medfab:client"
_ACCOUNTABLE = "urn:medfab:fhir:accountable"

_BALP = (
    "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"
)

_CHANGES = {"consent-granted": "CREATE", "consent-amended": "UPDATE", "consent-revoked": "NULLIFY"}


def accounting_start(now: datetime | None = None) -> datetime:
    """Six years before ``now``; None: of today."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    try:
        return moment.replace(year=moment.year - ACCOUNTING_YEARS)
    except ValueError:  # the 29th of February
        return moment.replace(year=moment.year - ACCOUNTING_YEARS, day=28)


def audit_event(
    row: Disclosure, *, patient: str, version: FhirVersion = FhirVersion.R4
) -> dict[str, Any]:
    """A row of the accounting as AuditEvent."""
    make = _audit_event_r4 if version is FhirVersion.R4 else _audit_event_r5
    return make(row, patient)


def provenance(row: LogRow, *, patient: str) -> dict[str, Any] | None:
    """A change of a consent as Provenance (R4 and R5 alike); None for any other row."""
    change = _CHANGES.get(row.kind)
    if change is None:
        return None
    moment = first_moment(row.at)
    return {
        "resourceType": "Provenance",
        "id": row.id,
        "target": [{"reference": f"Consent/{row.ref}"}],
        "occurredDateTime": moment,
        "recorded": moment,
        "activity": {"coding": [{"system": _OPERATION, "code": change}]},
        "agent": [
            {
                "type": {"coding": [{"system": _AGENT_TYPE, "code": "author"}]},
                "who": {"identifier": {"system": _CLIENT, "value": row.client}},
                "onBehalfOf": _patient(patient),
            },
            {
                "type": {"coding": [{"system": _AGENT_TYPE, "code": "custodian"}]},
                "who": _organization(row.msp_id),
            },
        ],
    }


def audit_bundle(resources: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """AuditEvents and Provenances as one Bundle."""
    entries = [{"resource": resource} for resource in resources]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "collection"}
    return bundle | ({"entry": entries} if entries else {})


def _audit_event_r4(row: Disclosure, patient: str) -> dict[str, Any]:
    permitted = row.decision == "permit"
    return {
        "resourceType": "AuditEvent",
        "id": row.request_id,
        "meta": {"profile": [_BALP]},
        "extension": [{"url": _ACCOUNTABLE, "valueBoolean": row.accountable}],
        "type": {"system": _DCM, "code": "110106", "display": "Export"},
        "subtype": [{"system": _LIFECYCLE, "code": "disclose"}],
        "action": "R",
        "recorded": first_moment(row.at),
        "outcome": "0" if permitted else "4",
        "outcomeDesc": row.reason,
        "purposeOfEvent": [_purpose(row)],
        "agent": [_source() | {"requestor": False}, _recipient(row) | {"requestor": True}],
        "source": {"observer": _network()},
        "entity": [
            {
                "what": _patient(patient),
                "type": {"system": _ENTITY_TYPE, "code": "1"},
                "role": {"system": _OBJECT_ROLE, "code": "1"},
            },
            {
                "what": {"identifier": {"system": _REQUEST, "value": row.request_id}},
                "type": {"system": _ENTITY_TYPE, "code": "2"},
                "role": {"system": _OBJECT_ROLE, "code": "4"},
                "detail": [{"type": name, "valueString": value} for name, value in _portions(row)],
            },
        ],
    }


def _audit_event_r5(row: Disclosure, patient: str) -> dict[str, Any]:
    permitted = row.decision == "permit"
    return {
        "resourceType": "AuditEvent",
        "id": row.request_id,
        "extension": [{"url": _ACCOUNTABLE, "valueBoolean": row.accountable}],
        "category": [_concept(_DCM, "110106")],
        "code": _concept(_LIFECYCLE, "disclose"),
        "action": "R",
        "recorded": first_moment(row.at),
        "outcome": {
            "code": {"system": _OUTCOME, "code": "success" if permitted else "error"},
            "detail": [{"text": row.reason}],
        },
        "authorization": [_purpose(row)],
        "patient": _patient(patient),
        "agent": [_source() | {"requestor": False}, _recipient(row) | {"requestor": True}],
        "source": {"observer": _network()},
        "entity": [
            {"what": _patient(patient), "role": _concept(_OBJECT_ROLE, "1")},
            {
                "what": {"identifier": {"system": _REQUEST, "value": row.request_id}},
                "role": _concept(_OBJECT_ROLE, "4"),
                "detail": [
                    {"type": {"text": name}, "valueString": value} for name, value in _portions(row)
                ],
            },
        ],
    }


def _source() -> dict[str, Any]:
    """Whose peer released it is the reader's choice of holder: the network as a whole is named."""
    return {"type": _concept(_DCM, "110153"), "who": _network()}


def _recipient(row: Disclosure) -> dict[str, Any]:
    value = f"{row.recipient_msp}/{row.practitioner}"
    return {
        "type": _concept(_DCM, "110152"),
        "who": {
            "type": "Practitioner",
            "identifier": {"system": codes.PRACTITIONER, "value": value},
        },
    }


def _portions(row: Disclosure) -> Iterable[tuple[str, str]]:
    yield from (("category", code) for code in row.categories)
    yield from (("resource type", code) for code in row.resource_types)
    if row.basis is not None:
        yield "basis", row.basis
    yield "decision", row.decision


def _purpose(row: Disclosure) -> dict[str, Any]:
    return _concept(codes.ACT_REASON, str(row.purpose))


def _patient(pseudonym: str) -> dict[str, Any]:
    return {"type": "Patient", "identifier": {"system": codes.PATIENT, "value": pseudonym}}


def _organization(msp_id: str) -> dict[str, Any]:
    return {"type": "Organization", "identifier": {"system": codes.MSP, "value": msp_id}}


def _network() -> dict[str, Any]:
    return {"type": "Device", "display": "medfab health-record contract"}


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
