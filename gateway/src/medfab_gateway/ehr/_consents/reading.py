"""From a FHIR Consent, R4 or R5, to canonical terms.

What cannot be enforced is refused with the name of the element: an ignored constraint would
release what the patient did not permit. Descriptive elements (text, source, verification…) have
no effect, and are kept in :attr:`ConsentTerms.source`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from medfab_gateway.ehr import _json_text
from medfab_gateway.ehr._consents import codes
from medfab_gateway.ehr._consents.model import (
    ConsentException,
    ConsentTerms,
    ConsentType,
    Recipient,
    Rule,
)
from medfab_gateway.ehr._consents.versions import NESTED_TYPE
from medfab_gateway.ehr._fhir_time import Span, span_of
from medfab_gateway.ehr._validation import FhirVersion, validate
from medfab_gateway.ehr.errors import ConsentError

_COMMON = {"id", "extension", "modifierExtension", "period", "actor", "action", "securityLabel"}
_COMMON |= {"purpose", "code", "dataPeriod", "data", "provision"}
_ELEMENTS = {
    FhirVersion.R4: _COMMON | {"type", "class"},
    FhirVersion.R5: _COMMON | {"documentType", "resourceType"},
}


def read_consent(
    resource: bytes | str | Mapping[str, Any],
    *,
    version: FhirVersion | None = None,
    references: Mapping[str, Recipient] | None = None,
) -> ConsentTerms:
    """Read a FHIR Consent; ``version`` None: R4 or R5, by its elements.

    ``references`` says which recipient a reference to an actor (``Organization/7``) means;
    identifiers of the systems ``urn:medfab:msp``, ``…:role`` and ``…:practitioner`` need none.

    Raises :class:`ConsentError`, which names the element.
    """
    text, content = _parsed(resource)
    if content.get("resourceType") != "Consent":
        raise ConsentError('Consent: "resourceType" is not "Consent"')
    version = version or consent_version(content)
    validate(content, version, place="Consent", error=ConsentError)
    return _Reader(version, references or {}).terms(content, text)


def consent_version(content: Mapping[str, Any]) -> FhirVersion:
    """R5 has `decision`, `subject` and lists where R4 has `scope`, `patient` and one provision."""
    of_r4 = {"scope", "patient", "dateTime", "policy", "policyRule"} & content.keys()
    of_r5 = {"decision", "subject", "date", "grantor", "grantee"} & content.keys()
    listed = isinstance(content.get("provision"), list)
    return FhirVersion.R5 if (of_r5 or listed) and not of_r4 else FhirVersion.R4


def _parsed(resource: bytes | str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    content: Any = None
    text = ""
    try:
        if isinstance(resource, Mapping):
            text = _json_text.dumps(resource)
        else:
            text = resource.decode("utf-8-sig") if isinstance(resource, bytes) else resource
        content = _json_text.parse(text)
    except (ValueError, TypeError, RecursionError):
        pass
    if not isinstance(content, dict):
        # Outside of a handler: what was caught carries the whole text.
        raise ConsentError("the consent is not a JSON object in UTF-8 with unique names")
    return _json_text.compact(text), content


class _Reader:
    def __init__(self, version: FhirVersion, references: Mapping[str, Recipient]) -> None:
        self._r5 = version is FhirVersion.R5
        self._elements = _ELEMENTS[version]
        self._references = references

    def terms(self, content: dict[str, Any], text: str) -> ConsentTerms:
        self._envelope(content)
        if self._r5:
            path = "Consent.provision[0]"
            provisions = content.get("provision") or []
            if len(provisions) > 1:
                _refuse("Consent.provision[1]", "give each rule a Consent of its own")
            root = provisions[0] if provisions else {}
            kind = self._type("Consent.decision", content.get("decision"))
        else:
            path = "Consent.provision"
            root = content.get("provision") or {}
            kind = self._type(f"{path}.type", root.get("type"))
        rule = self._rule(root, path, outer=content.get("period") if self._r5 else None)
        self._grantees(content, rule)
        exceptions = tuple(
            self._exception(nested, f"{path}.provision[{index}]", kind)
            for index, nested in enumerate(root.get("provision") or [])
        )
        return ConsentTerms(
            type=kind,
            rule=rule,
            exceptions=exceptions,
            redisclosure=_extension(content, codes.REDISCLOSURE).get("valueBoolean") is True,
            source=text,
        )

    def _envelope(self, content: dict[str, Any]) -> None:
        if content.get("status") != "active":
            _refuse("Consent.status", "only an active consent can be granted")
        for name in ("modifierExtension", "implicitRules"):
            if name in content:
                _refuse(f"Consent.{name}", "what changes the meaning is not understood")
        scope = content.get("scope")
        if scope is not None and "patient-privacy" not in {
            coding.get("code")
            for coding in scope.get("coding") or []
            if coding.get("system") == codes.CONSENT_SCOPE
        }:
            _refuse("Consent.scope", "only consents of the scope patient-privacy are enforced")

    def _grantees(self, content: dict[str, Any], rule: Rule) -> None:
        for index, reference in enumerate(content.get("grantee") or []):
            path = f"Consent.grantee[{index}]"
            if self._recipient(reference, path) not in rule.recipients:
                _refuse(path, "name who may receive as actor of the provision, too")

    def _type(self, path: str, value: object) -> ConsentType:
        if value not in ("permit", "deny"):
            _refuse(path, "say permit or deny")
        return ConsentType(value)

    def _exception(self, nested: dict[str, Any], path: str, root: ConsentType) -> ConsentException:
        if nested.get("provision"):
            _refuse(f"{path}.provision", "only one level of exceptions is enforced")
        kind = root.opposite
        if not self._r5:
            kind = self._type(f"{path}.type", nested.get("type"))
        for extension in nested.get("modifierExtension") or []:
            if self._r5 and extension.get("url") == NESTED_TYPE:
                kind = self._type(f"{path}.modifierExtension", extension.get("valueCode"))
            else:
                _refuse(f"{path}.modifierExtension", "what changes the meaning is not understood")
        rule = self._rule(nested, path, but=("modifierExtension",))
        if rule == Rule():
            _refuse(path, "an exception must say what it is about")
        return ConsentException(type=kind, rule=rule)

    def _rule(
        self,
        provision: dict[str, Any],
        path: str,
        *,
        outer: dict[str, Any] | None = None,
        but: Sequence[str] = (),
    ) -> Rule:
        for name in provision:
            known = name.removeprefix("_") in self._elements
            if not known or (name == "modifierExtension" and name not in but):
                _refuse(f"{path}.{name}", "it cannot be enforced")
        self._actions(provision, path)
        start, end = _period(provision.get("period"), f"{path}.period")
        outer_start, outer_end = _period(outer, "Consent.period")
        data_start, data_end = _period(provision.get("dataPeriod"), f"{path}.dataPeriod")
        categories, types = self._content(provision, path)
        meanings = self._data(provision, path)
        return Rule(
            not_before=max(filter(None, (start, outer_start)), default=None),
            not_after=min(filter(None, (end, outer_end)), default=None),
            recipients=_unique(
                self._actor(actor, f"{path}.actor[{index}]")
                for index, actor in enumerate(provision.get("actor") or [])
            ),
            purposes=self._codings(
                provision, path, "purpose", {codes.ACT_REASON: codes.PURPOSE_CODES}
            ),
            categories=categories,
            resource_types=types,
            security_labels=self._codings(
                provision,
                path,
                "securityLabel",
                {
                    codes.CONFIDENTIALITY: codes.CONFIDENTIALITY_CODES,
                    codes.ACT_CODE: codes.SENSITIVITY_CODES,
                },
            ),
            data_start=data_start,
            data_end=data_end,
            authors=meanings["authoredby"],
            instances=meanings["instance"],
            related=meanings["related"],
        )

    def _actor(self, actor: dict[str, Any], path: str) -> Recipient:
        role = {
            coding.get("code")
            for coding in (actor.get("role") or {}).get("coding") or []
            if coding.get("system") == codes.PARTICIPATION
        }
        if role != {codes.RECIPIENT_ROLE}:
            _refuse(f"{path}.role", "only IRCP (information recipient) is enforced")
        return self._recipient(actor.get("reference") or {}, f"{path}.reference")

    def _recipient(self, reference: dict[str, Any], path: str) -> Recipient:
        known = self._references.get(str(reference.get("reference")))
        if known is not None:
            return known
        identifier = reference.get("identifier") or {}
        msp_id, slash, within = str(identifier.get("value") or "").partition("/")
        match identifier.get("system"):
            case codes.MSP if msp_id and not slash:
                return Recipient(msp_id=msp_id)
            case codes.ROLE if within:
                return Recipient(msp_id=msp_id or None, role=within)
            case codes.PRACTITIONER if within:
                role = _extension(reference, codes.RECIPIENT_ROLE_LIMIT).get("valueString")
                return Recipient(msp_id=msp_id or None, practitioner=within, role=role)
        return _refuse(
            path,
            f"it names nobody of this network: give an identifier of the system {codes.MSP}, "
            f"{codes.ROLE} or {codes.PRACTITIONER}, or say whom the reference means",
        )

    def _actions(self, provision: dict[str, Any], path: str) -> None:
        actions = provision.get("action")
        if actions is None:
            return
        named = {
            coding.get("code")
            for concept in actions
            for coding in concept.get("coding") or []
            if coding.get("system") == codes.CONSENT_ACTION
        }
        if not named & codes.READING_ACTIONS:
            _refuse(f"{path}.action", "only access, use and disclose are enforced")

    def _content(
        self, provision: dict[str, Any], path: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        types = dict.fromkeys(codes.RESOURCE_TYPES)
        resource_types = (
            *self._codings(provision, path, "class", types),
            *self._codings(provision, path, "resourceType", types),
        )
        if "documentType" in provision:
            _refuse(f"{path}.documentType", "only resourceType is enforced")
        categories: list[str] = []
        for index, concept in enumerate(provision.get("code") or []):
            where = f"{path}.code[{index}]"
            found = self._codings(
                {"coding": concept.get("coding")},
                where,
                "coding",
                {codes.OBSERVATION_CATEGORY: None},
            )
            if len(found) != 1:
                _refuse(where, "one category of observation-category is needed")
            categories += found
        return _unique(categories), _unique(resource_types)

    def _codings(
        self,
        element: dict[str, Any],
        path: str,
        name: str,
        systems: Mapping[str, Collection[str] | None],
    ) -> tuple[str, ...]:
        """Codes of the codings ``name``; ``systems``: those that can be enforced, None is any."""
        found = []
        for index, coding in enumerate(element.get(name) or []):
            where = f"{path}.{name}[{index}]"
            system, code = coding.get("system"), coding.get("code")
            if system not in systems:
                _refuse(where, f"only codes of {', '.join(systems)} are enforced")
            known = systems[system]
            if not isinstance(code, str) or (known is not None and code not in known):
                of = f": {', '.join(sorted(known))}" if known is not None else ""
                _refuse(where, f"the code is none of those that are enforced{of}")
            found.append(code)
        return _unique(found)

    def _data(self, provision: dict[str, Any], path: str) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {"instance": [], "related": [], "authoredby": []}
        for index, data in enumerate(provision.get("data") or []):
            where = f"{path}.data[{index}]"
            if data.get("meaning") not in found:
                _refuse(f"{where}.meaning", f"only {', '.join(found)} are enforced")
            reference = (data.get("reference") or {}).get("reference")
            if not isinstance(reference, str) or not reference:
                _refuse(f"{where}.reference", "a literal reference (Type/id) is needed")
            found[data["meaning"]].append(reference)
        return {meaning: _unique(references) for meaning, references in found.items()}


def _period(period: dict[str, Any] | None, path: str) -> tuple[datetime | None, datetime | None]:
    period = period or {}
    spans: dict[str, Span | None] = {}
    for name in ("start", "end"):
        value = period.get(name)
        try:
            spans[name] = None if value is None else span_of(value)
        except ValueError as error:
            _refuse(f"{path}.{name}", str(error))
    start, end = spans["start"], spans["end"]
    if start and end and end.end <= start.start:
        _refuse(path, "the end is before the start")
    return start.start if start else None, end.end if end else None


def _extension(element: dict[str, Any], url: str) -> dict[str, Any]:
    found = (each for each in element.get("extension") or [] if each.get("url") == url)
    return next(found, {})


def _unique(values: Any) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


def _refuse(path: str, advice: str) -> NoReturn:
    raise ConsentError(f"{path}: {advice}")
