"""What a consent can say of a resource: its labels, read from the resource itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_OBSERVATION_CATEGORY = frozenset(
    {
        "http://terminology.hl7.org/CodeSystem/observation-category",
        "http://hl7.org/fhir/observation-category",  # before R4
    }
)
_DIAGNOSTIC_SERVICE = "http://terminology.hl7.org/CodeSystem/v2-0074"

# Sections of HL7 v2 table 0074 in the words of observation-category. A section that is not here
# leaves the report without a category, which withholds it.
_SECTIONS = {
    "LAB": "laboratory",
    "CH": "laboratory",  # chemistry
    "HM": "laboratory",  # hematology
    "MB": "laboratory",  # microbiology
    "RAD": "imaging",
    "CT": "imaging",
    "NMR": "imaging",
    "RUS": "imaging",  # ultrasound
}


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Type, categories, confidentiality and times of a resource, as the contract keeps them."""

    resource_type: str
    categories: tuple[str, ...] = ()
    """Of an Observation or DiagnosticReport, in observation-category's codes; empty: none."""
    security: tuple[str, ...] = ()
    """Codes of ``meta.security``; empty: nothing is said, which counts as normal."""
    period_start: str | None = None
    """FHIR dateTime at which what it says begins to apply; None: not stated."""
    period_end: str | None = None
    authored: str | None = None
    """FHIR dateTime at which it was recorded; None: not stated."""


def label(content: dict[str, Any]) -> Labels:
    """Label a resource that has been validated."""
    resource_type = content["resourceType"]
    start, end = _period(content)
    return Labels(
        resource_type=resource_type,
        categories=tuple(sorted(set(_categories(content))))
        if resource_type in ("Observation", "DiagnosticReport")
        else (),
        security=tuple(sorted(set(_security(content)))),
        period_start=start,
        period_end=end,
        authored=_first(content, "issued", "authoredOn", "recordedDate", "recorded", "created"),
    )


def _categories(content: dict[str, Any]) -> Iterator[str]:
    for concept in content.get("category") or []:
        for coding in concept.get("coding") or []:
            code = coding.get("code")
            if coding.get("system") in _OBSERVATION_CATEGORY and code:
                yield code
            elif coding.get("system") == _DIAGNOSTIC_SERVICE and code in _SECTIONS:
                yield _SECTIONS[code]


def _security(content: dict[str, Any]) -> Iterator[str]:
    for coding in (content.get("meta") or {}).get("security") or []:
        # A label without a code is still a label: "unknown" is above normal to the contract.
        yield coding.get("code") or "unknown"


def _period(content: dict[str, Any]) -> tuple[str | None, str | None]:
    for name in ("effectivePeriod", "performedPeriod", "period", "billablePeriod"):
        period = content.get(name)
        if isinstance(period, dict):
            return period.get("start"), period.get("end")
    moment = _first(
        content, "effectiveDateTime", "performedDateTime", "occurrenceDateTime", "onsetDateTime"
    )
    return moment, moment


def _first(content: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = content.get(name)
        if isinstance(value, str):
            return value
    return None
