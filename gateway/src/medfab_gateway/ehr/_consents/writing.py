"""From canonical terms to a FHIR Consent, R4 or R5."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from medfab_gateway.ehr import _json_text
from medfab_gateway.ehr._consents import codes
from medfab_gateway.ehr._consents.model import ConsentTerms, ConsentType, Recipient, Rule
from medfab_gateway.ehr._consents.reading import consent_version
from medfab_gateway.ehr._consents.versions import NESTED_TYPE, convert
from medfab_gateway.ehr._fhir_time import first_moment, last_moment
from medfab_gateway.ehr._validation import FhirVersion

_POLICY = "urn:medfab:policy:deny-by-default"


def write_consent(
    terms: ConsentTerms,
    *,
    version: FhirVersion = FhirVersion.R4,
    patient: str | None = None,
    consent_id: str | None = None,
    ledger_version: int | None = None,
    granted_at: datetime | None = None,
    active: bool = True,
) -> dict[str, Any]:
    """The FHIR Consent that says what ``terms`` say.

    Where the terms came from a FHIR Consent, it is that one (in the other version, if so asked),
    with the ledger's id, version and status; else one is made, for the pseudonym ``patient``.
    """
    if terms.source is not None:
        original: dict[str, Any] = _json_text.parse(terms.source)
        resource = convert(original, source=consent_version(original), to=version)
    elif version is FhirVersion.R4:
        resource = _r4(terms, patient, granted_at)
    else:
        resource = _r5(terms, patient, granted_at)
    if terms.source is None and terms.redisclosure:
        resource["extension"] = [{"url": codes.REDISCLOSURE, "valueBoolean": True}]
    if not active:
        resource["status"] = "inactive"
    if consent_id is not None:
        resource["id"] = consent_id
    if ledger_version is not None:
        resource["meta"] = {**resource.get("meta", {}), "versionId": str(ledger_version)}
    return resource


def consent_json(resource: Mapping[str, Any]) -> str:
    """A consent as JSON text; decimals keep their digits."""
    return _json_text.dumps(resource)


def _r4(terms: ConsentTerms, patient: str | None, granted_at: datetime | None) -> dict[str, Any]:
    provision = {"type": str(terms.type)} | _provision(terms.rule, FhirVersion.R4)
    if terms.exceptions:
        provision["provision"] = [
            {"type": str(exception.type)} | _provision(exception.rule, FhirVersion.R4)
            for exception in terms.exceptions
        ]
    resource: dict[str, Any] = {
        "resourceType": "Consent",
        "status": "active",
        "scope": _concept(codes.CONSENT_SCOPE, "patient-privacy"),
        "category": [_concept(codes.LOINC, "59284-0")],
    }
    if patient is not None:
        resource["patient"] = _identified("Patient", codes.PATIENT, patient)
    if granted_at is not None:
        resource["dateTime"] = first_moment(granted_at)
    return resource | {"policy": [{"uri": _POLICY}], "provision": provision}


def _r5(terms: ConsentTerms, patient: str | None, granted_at: datetime | None) -> dict[str, Any]:
    provision = _provision(terms.rule, FhirVersion.R5)
    if terms.exceptions:
        provision["provision"] = [
            _nested_type(exception.type, terms.type) | _provision(exception.rule, FhirVersion.R5)
            for exception in terms.exceptions
        ]
    resource: dict[str, Any] = {
        "resourceType": "Consent",
        "status": "active",
        "category": [_concept(codes.LOINC, "59284-0")],
    }
    if patient is not None:
        resource["subject"] = _identified("Patient", codes.PATIENT, patient)
    if granted_at is not None:
        resource["date"] = first_moment(granted_at)[:10]
    resource |= {"policyBasis": {"url": _POLICY}, "decision": str(terms.type)}
    return resource | ({"provision": [provision]} if provision else {})


def _nested_type(kind: ConsentType, root: ConsentType) -> dict[str, Any]:
    if kind is root.opposite:
        return {}
    return {"modifierExtension": [{"url": NESTED_TYPE, "valueCode": str(kind)}]}


def _provision(rule: Rule, version: FhirVersion) -> dict[str, Any]:
    type_name = "class" if version is FhirVersion.R4 else "resourceType"
    elements = {
        "period": _period(rule.not_before, rule.not_after),
        "actor": [_actor(recipient) for recipient in rule.recipients],
        "securityLabel": [_label(code) for code in rule.security_labels],
        "purpose": [{"system": codes.ACT_REASON, "code": code} for code in rule.purposes],
        type_name: [
            {"system": codes.RESOURCE_TYPES[0], "code": code} for code in rule.resource_types
        ],
        "code": [_concept(codes.OBSERVATION_CATEGORY, code) for code in rule.categories],
        "dataPeriod": _period(rule.data_start, rule.data_end),
        "data": [
            {"meaning": meaning, "reference": {"reference": reference}}
            for meaning, references in (
                ("instance", rule.instances),
                ("related", rule.related),
                ("authoredby", rule.authors),
            )
            for reference in references
        ],
    }
    return {name: value for name, value in elements.items() if value}


def _period(start: datetime | None, end: datetime | None) -> dict[str, str]:
    period = {}
    if start is not None:
        period["start"] = first_moment(start)
    if end is not None:
        period["end"] = last_moment(end)
    return period


def _actor(recipient: Recipient) -> dict[str, Any]:
    organization = recipient.msp_id or ""
    if recipient.practitioner is not None:
        value = f"{organization}/{recipient.practitioner}"
        reference = _identified("Practitioner", codes.PRACTITIONER, value)
        if recipient.role is not None:
            limit = {"url": codes.RECIPIENT_ROLE_LIMIT, "valueString": recipient.role}
            reference["extension"] = [limit]
    elif recipient.role is not None:
        reference = _identified("PractitionerRole", codes.ROLE, f"{organization}/{recipient.role}")
    else:
        reference = _identified("Organization", codes.MSP, organization)
    return {
        "role": _concept(codes.PARTICIPATION, codes.RECIPIENT_ROLE),
        "reference": reference,
    }


def _label(code: str) -> dict[str, str]:
    confidentiality = code in codes.CONFIDENTIALITY_CODES
    return {"system": codes.CONFIDENTIALITY if confidentiality else codes.ACT_CODE, "code": code}


def _identified(kind: str, system: str, value: str) -> dict[str, Any]:
    return {"type": kind, "identifier": {"system": system, "value": value}}


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
