"""What a consent can say of a resource: its labels, read from the resource itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from medfab_gateway.ehr._consents import codes
from medfab_gateway.ehr._fhir_time import Span, span_of, to_milliseconds

_OBSERVATION_CATEGORY = frozenset(
    {codes.OBSERVATION_CATEGORY, "http://hl7.org/fhir/observation-category"}  # the old one
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
_CATEGORISED = frozenset({"Observation", "DiagnosticReport"})

_RISING = "ULMNRV"  # v3-Confidentiality, least first

_PERIODS = (
    *("effectivePeriod", "performedPeriod", "occurrencePeriod", "period", "actualPeriod"),
    *("billablePeriod", "identifiedPeriod", "onsetPeriod"),
)
_MOMENTS = (
    *("effectiveDateTime", "effectiveInstant", "performedDateTime", "occurrenceDateTime"),
    *("started", "occurrence"),
)
_AUTHORED = (
    *("issued", "recordedDate", "authoredOn", "dateAsserted", "dateRecorded", "recorded"),
    *("created", "date"),
)
_AUTHORS = frozenset(
    {"author", "performer", "recorder", "requester", "asserter", "informationSource", "provider"}
)
_AUTHORS |= {"participant", "authorizer", "reporter", "prescriber", "interpreter"}
_SUBJECTS = frozenset({"subject", "patient", "beneficiary", "individual"})

Resolve = Callable[[str], str]

_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64})(?:/_history/.*)?")
_URN = re.compile(r"urn:(?:uuid|oid):([A-Za-z0-9.-]{1,64})")


def plain_reference(text: str) -> str | None:
    """``Type/id`` of a literal reference, of any server and version; None: it is none."""
    found = _REFERENCE.fullmatch(text) or re.fullmatch(f".*{_REFERENCE.pattern}", text)
    return found[1] if found else None


def own_reference(key: str) -> str | None:
    """``Type/id`` of a resource that has only an address in its bundle; None: no id can be made."""
    resource_type, _, name = key.partition("/")
    urn = _URN.fullmatch(name)
    return plain_reference(f"{resource_type}/{urn[1]}" if urn else key)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What a record is, as far as consents can speak of it."""

    resource_type: str
    categories: tuple[str, ...] = ()
    """Of an Observation or DiagnosticReport, in observation-category's codes; empty: none."""
    confidentiality: str | None = None
    """Of v3-Confidentiality; None: not labelled, which counts as restricted."""
    sensitivity: tuple[str, ...] = ()
    """Every other code of ``meta.security``: ``PSY``, ``HIV``…"""
    period_start: datetime | None = None
    """When what it says begins to apply; None: not stated."""
    period_end: datetime | None = None
    """The first moment after that; None: not stated, or not over."""
    authored: datetime | None = None
    """When it was recorded; None: not stated."""
    reference: str | None = field(default=None, repr=False)
    """``Type/id``."""
    authors: tuple[str, ...] = field(default=(), repr=False)
    """References to those who wrote, performed or asserted it."""
    related: tuple[str, ...] = field(default=(), repr=False)
    """Every other reference in it, but the patient's."""

    def wire(self) -> dict[str, Any]:
        """As the contract takes them."""
        return {
            "resource_type": self.resource_type,
            "categories": list(self.categories),
            "confidentiality": self.confidentiality,
            "sensitivity": list(self.sensitivity),
            "period_start": to_milliseconds(self.period_start),
            "period_end": to_milliseconds(self.period_end),
            "authored": to_milliseconds(self.authored),
            "reference": self.reference,
            "authors": list(self.authors),
            "related": list(self.related),
        }


@dataclass(frozen=True, kw_only=True)
class LabelPolicy:
    """What a holder adds to the labels that resources carry themselves; it takes none away."""

    confidentiality: str | None = None
    """For what carries no confidentiality; None leaves it unlabelled, which is restricted."""
    sensitive_codes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(system, code) of any concept in a resource → its sensitivity, e.g. ``PSY``. What has one
    is ``R`` at least."""

    def __post_init__(self) -> None:
        if self.confidentiality not in (None, *codes.CONFIDENTIALITY_CODES):
            raise ValueError(f"confidentiality is one of {', '.join(_RISING)}")

    def apply(self, labels: Labels, content: dict[str, Any]) -> Labels:
        """Labels of the resource ``content`` under this policy."""
        found = {
            self.sensitive_codes[coding]
            for coding in _codings(content)
            if coding in self.sensitive_codes
        }
        confidentiality = labels.confidentiality or self.confidentiality
        if found:
            confidentiality = max(confidentiality or "R", "R", key=_RISING.index)
        return replace(
            labels,
            confidentiality=confidentiality,
            sensitivity=tuple(sorted({*labels.sensitivity, *found})),
        )


def label(content: dict[str, Any], *, reference: str, resolve: Resolve = str) -> Labels:
    """Label a validated resource; ``resolve`` makes ``Type/id`` of its bundle's own references."""
    resource_type = content["resourceType"]
    security = [*_security(content)]
    confidentiality = {code for system, code in security if system == codes.CONFIDENTIALITY}
    start, end = _period(content)
    authored = _first(content, _AUTHORED)
    categories: tuple[str, ...] = ()
    if resource_type in _CATEGORISED:
        categories = tuple(sorted(set(_categories(content))))
    # What is no Type/id after resolving names nothing that is on file: no consent can mean it.
    authors = _plain(map(resolve, literal_references(content, only=_AUTHORS)))
    others = _plain(map(resolve, literal_references(content, but=_AUTHORS | _SUBJECTS)))
    return Labels(
        resource_type=resource_type,
        categories=categories,
        confidentiality=max(confidentiality, key=_RISING.index, default=None),
        sensitivity=tuple(sorted({c for system, c in security if system != codes.CONFIDENTIALITY})),
        period_start=start,
        period_end=end,
        authored=authored.start if authored else None,
        reference=own_reference(reference),
        authors=tuple(sorted(authors)),
        related=tuple(sorted(others - authors)),
    )


def _plain(references: Iterable[str]) -> set[str]:
    return {plain for each in references if (plain := plain_reference(each)) is not None}


def _categories(content: dict[str, Any]) -> Iterator[str]:
    for concept in content.get("category") or []:
        for coding in concept.get("coding") or []:
            code = coding.get("code")
            if coding.get("system") in _OBSERVATION_CATEGORY and code:
                yield code
            elif coding.get("system") == _DIAGNOSTIC_SERVICE and code in _SECTIONS:
                yield _SECTIONS[code]


def _security(content: dict[str, Any]) -> Iterator[tuple[str | None, str]]:
    """(system, code); a code of confidentiality has its system, even where that is left out."""
    for coding in (content.get("meta") or {}).get("security") or []:
        system, code = coding.get("system"), coding.get("code")
        if code in codes.CONFIDENTIALITY_CODES and system in (None, codes.CONFIDENTIALITY):
            yield codes.CONFIDENTIALITY, code
        else:
            # A label without a code, or with one that is not understood, still withholds.
            yield None, code or "unknown"


def _period(content: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    for name in _PERIODS:
        period = content.get(name)
        if isinstance(period, dict):
            start, end = _span(period.get("start")), _span(period.get("end"))
            return start.start if start else None, end.end if end else None
    onset = _span(content.get("onsetDateTime"))
    if onset:  # a condition applies until it abates
        abated = _span(content.get("abatementDateTime"))
        return onset.start, abated.end if abated else None
    moment = _first(content, _MOMENTS)
    return (moment.start, moment.end) if moment else (None, None)


def _first(content: dict[str, Any], names: tuple[str, ...]) -> Span | None:
    return next(filter(None, (_span(content.get(name)) for name in names)), None)


def _span(value: object) -> Span | None:
    try:
        return span_of(value) if isinstance(value, str) else None
    except ValueError:
        return None


def literal_references(
    node: Any, *, only: frozenset[str] | None = None, but: frozenset[str] = frozenset()
) -> Iterator[str]:
    """References below the members ``only`` (None: all) of a resource, but not below ``but``."""
    if isinstance(node, list):
        for item in node:
            yield from literal_references(item, only=only, but=but)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in but or name == "contained":
                continue
            if name == "reference" and isinstance(value, str):
                if only is None and not value.startswith("#"):
                    yield value
            else:
                yield from literal_references(
                    value, only=None if only and name in only else only, but=but
                )


def _codings(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _codings(item)
    elif isinstance(node, dict):
        if isinstance(node.get("system"), str) and isinstance(node.get("code"), str):
            yield node["system"], node["code"]
        for name, value in node.items():
            if name != "meta":
                yield from _codings(value)
