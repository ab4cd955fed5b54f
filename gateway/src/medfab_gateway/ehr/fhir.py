"""FHIR bundles, R4 and R5: read, validate and label, without losing a digit.

::

    bundle = load_bundle(Path("bundle.json").read_bytes())
    for resource in bundle.resources:
        print(resource.labels.resource_type, resource.labels.categories)

Validation is that of ``fhir.resources`` (the extra ``medfab-gateway[ehr]``), with its R4B models
for R4, whose resources fit them. It is imported on first use, because that can take seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import resources as package_files
from typing import Any

from medfab_gateway.ehr import _json_text
from medfab_gateway.ehr._labels import LabelPolicy, Labels, label, literal_references, own_reference
from medfab_gateway.ehr._validation import FIELD_NAME, FhirVersion, validate
from medfab_gateway.ehr.errors import BundleError


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a bundle."""

    key: str
    """``Type/id``, or ``Type/`` and the entry's fullUrl where the resource has no id."""

    labels: Labels

    text: str = field(repr=False)
    """Its JSON: the bundle's own characters, without white space between tokens."""

    content: dict[str, Any] = field(repr=False)
    """The same, parsed; numbers with a fraction are ``Decimal``."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A validated bundle about exactly one patient."""

    resources: tuple[Resource, ...]

    version: FhirVersion = FhirVersion.R4
    """What all of its resources are valid as."""

    @property
    def patient(self) -> Resource:
        """The bundle's Patient resource."""
        return next(r for r in self.resources if r.labels.resource_type == "Patient")

    def under(self, policy: LabelPolicy) -> Bundle:
        """The same bundle, with what ``policy`` adds to the labels."""
        labelled = (
            replace(resource, labels=policy.apply(resource.labels, resource.content))
            for resource in self.resources
        )
        return replace(self, resources=tuple(labelled))


def load_bundle(
    data: bytes, *, version: FhirVersion | None = None, policy: LabelPolicy | None = None
) -> Bundle:
    """Parse, validate and label a bundle; ``version`` None: R4, or R5 where it is no valid R4.

    ``policy``: what the holder adds to the labels that the resources carry.
    Raises :class:`BundleError` at the first fault.
    """
    text, content = _parsed(data)
    if not isinstance(content, dict) or content.get("resourceType") != "Bundle":
        raise BundleError('the file is no FHIR bundle: "resourceType" is not "Bundle"')
    texts = _resource_texts(text)
    entries = [
        _entry(index, entry, texts.get(index))
        for index, entry in enumerate(content.get("entry") or [])
    ]
    version = _validated(entries, version)
    own = {
        entry.full_url: own_reference(entry.key) or entry.key
        for entry in entries
        if entry.full_url is not None
    }
    policy = policy or LabelPolicy()
    loaded = tuple(_resource(entry, own, policy) for entry in entries)
    patients = sum(resource.labels.resource_type == "Patient" for resource in loaded)
    if patients == 0:
        raise BundleError("bundle has no Patient: file a bundle about one patient")
    if patients > 1:
        raise BundleError(f"bundle has {patients} Patients: file one bundle for each")
    doubled = sum(count > 1 for count in Counter(r.key for r in loaded).values())
    if doubled:
        raise BundleError(f"bundle has {doubled} resource(s) more than once: give each its own id")
    return Bundle(resources=loaded, version=version)


def load_resource(
    data: bytes,
    *,
    version: FhirVersion | None = None,
    policy: LabelPolicy | None = None,
    references: Mapping[str, str] | None = None,
) -> Resource:
    """Parse, validate and label one resource, which must have an id; as :func:`load_bundle`.

    ``references``: what its references to addresses of a bundle (``urn:uuid:…``) mean
    (``Encounter/7``): alone they mean nothing, and a consent about the encounter would miss it.
    """
    text, content = _parsed(data)
    if not isinstance(content, dict):
        raise BundleError("the file is no FHIR resource: it is not a JSON object")
    entry = _entry(0, {"resource": content}, _json_text.compact(text))
    _validated([entry], version)
    own = dict(references or {})
    for reference in literal_references(content):
        if reference.startswith("urn:") and reference not in own:
            raise BundleError(
                f"{entry.place}: refers to an address that means something in its bundle only: "
                "say which Type/id it is"
            )
    return _resource(entry, own, policy or LabelPolicy())


def _parsed(data: bytes) -> tuple[str, Any]:
    with suppress(ValueError, RecursionError):
        text = data.decode("utf-8-sig")
        return text, _json_text.parse(text)
    # Outside of a handler: what was caught carries the whole text.
    raise BundleError("the file is not JSON in UTF-8 with unique names")


def example_bundle() -> bytes:
    """Return the small synthetic bundle that ships with the package: an invented patient."""
    return (package_files.files("medfab_gateway.ehr") / "data" / "example-bundle.json").read_bytes()


def _resource_texts(text: str) -> dict[int, str]:
    """The text of each entry's resource, by the entry's index."""
    for name, start, _ in _json_text.members(text):
        if name == "entry" and text[start] == "[":
            return {
                index: _json_text.compact(text[begin:end])
                for index, (element, _) in enumerate(_json_text.elements(text, start))
                if text[element] == "{"
                for member, begin, end in _json_text.members(text, element)
                if member == "resource"
            }
    return {}


@dataclass(frozen=True, kw_only=True)
class _Entry:
    place: str
    """``entry[7] Observation``."""
    key: str
    full_url: str | None
    text: str
    content: dict[str, Any]


def _entry(index: int, entry: Any, text: str | None) -> _Entry:
    place = f"entry[{index}]"
    content = entry.get("resource") if isinstance(entry, dict) else None
    if text is None or not isinstance(content, dict):
        raise BundleError(f"{place}: has no resource")
    resource_type = content.get("resourceType")
    if not isinstance(resource_type, str) or not FIELD_NAME.fullmatch(resource_type):
        raise BundleError(f"{place}: has no resourceType")
    full_url = entry.get("fullUrl")
    name = content.get("id") or full_url
    return _Entry(
        place=f"{place} {resource_type}",
        key=f"{resource_type}/{name}" if isinstance(name, str) and name else "",
        full_url=full_url if isinstance(full_url, str) else None,
        text=text,
        content=content,
    )


def _validated(entries: list[_Entry], version: FhirVersion | None) -> FhirVersion:
    """The version that all entries are valid as; of two failures, that of R4 is told."""
    failure = None
    for tried in [version] if version else FhirVersion:
        try:
            for entry in entries:
                validate(entry.content, tried, place=entry.place)
                if not entry.key:
                    raise BundleError(f"{entry.place}: has neither an id nor a fullUrl")
        except BundleError as error:
            failure = failure or error
        else:
            return tried
    assert failure is not None  # noqa: S101 - one version at least was tried
    raise failure from None


def _resource(entry: _Entry, own: dict[str, str], policy: LabelPolicy) -> Resource:
    labels = label(
        entry.content,
        reference=entry.key,
        resolve=lambda reference: own.get(reference, reference),
    )
    return Resource(
        key=entry.key,
        labels=policy.apply(labels, entry.content),
        text=entry.text,
        content=entry.content,
    )
