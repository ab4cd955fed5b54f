"""Bundles: exact text, clear refusals without values, labels."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfab_gateway.ehr import (
    BundleError,
    FhirVersion,
    LabelPolicy,
    Labels,
    example_bundle,
    load_bundle,
)
from medfab_gateway.ehr import _json_text as json_text

SYNTHEA = Path("/work/shared/data/fhir")


def bundle(*resources: dict[str, Any]) -> bytes:
    patient = {"resourceType": "Patient", "id": "p"}
    entries = [{"resource": resource} for resource in (patient, *resources)]
    return json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}).encode()


def observation(**fields: Any) -> dict[str, Any]:
    code = {"text": "a test"}
    return {"resourceType": "Observation", "id": "o", "status": "final", "code": code, **fields}


def labels_of(**fields: Any) -> Labels:
    return load_bundle(bundle(observation(**fields))).resources[1].labels


def test_the_example_bundle() -> None:
    loaded = load_bundle(example_bundle())
    assert loaded.patient.labels.resource_type == "Patient"
    counted = [(r.labels.resource_type, r.labels.categories) for r in loaded.resources]
    assert counted.count(("Observation", ("laboratory",))) == 4
    assert counted.count(("Observation", ("vital-signs",))) == 2
    assert counted.count(("DiagnosticReport", ("laboratory",))) == 1
    assert len(loaded.resources) == 13


def test_decimals_keep_their_digits() -> None:
    text = example_bundle().decode()
    texts = [resource.text for resource in load_bundle(text.encode()).resources]
    for written in ('"value":1.00,', '"value":151.70,', '"value":88.450,', '"value":7.83,'):
        assert any(written in text for text in texts)


def test_texts_are_the_bundles_own_but_for_white_space() -> None:
    data = example_bundle()
    for resource, entry in zip(load_bundle(data).resources, json.loads(data)["entry"], strict=True):
        assert json.loads(resource.text) == entry["resource"]
        assert "\n" not in resource.text


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason=f"{SYNTHEA} is not there")
@pytest.mark.parametrize("pattern", ["Buster*", "Clemente*", "Liz*"])
def test_synthea_bundles(pattern: str) -> None:
    (path,) = SYNTHEA.glob(pattern)
    data = path.read_bytes()
    loaded = load_bundle(data)
    assert len(loaded.resources) == len(json.loads(data)["entry"])
    for resource in loaded.resources:
        if resource.labels.resource_type in ("Observation", "DiagnosticReport"):
            assert resource.labels.categories
    assert any("laboratory" in r.labels.categories for r in loaded.resources)


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason=f"{SYNTHEA} is not there")
@pytest.mark.parametrize("pattern", ["hospital*", "practitioner*"])
def test_synthea_bundles_without_a_patient(pattern: str) -> None:
    (path,) = SYNTHEA.glob(pattern)
    with pytest.raises(BundleError, match="bundle has no Patient"):
        load_bundle(path.read_bytes())


SECRET = "Hoegerstrasse"  # stands for a value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (SECRET.encode(), "not JSON"),
        (b'{"resourceType": "' + SECRET.encode(), "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": 1, "a": 2}', "not JSON"),
        (b"[1]", "no FHIR bundle"),
        (b'{"resourceType": "Patient"}', "no FHIR bundle"),
        (b'{"resourceType": "Bundle"}', "bundle has no Patient"),
        (bundle({"resourceType": "Patient", "id": "q"}), "bundle has 2 Patients"),
        (bundle({"resourceType": "Patient", "id": "p"}), "bundle has 2 Patients"),
        (bundle(observation(), observation()), r"1 resource\(s\) more than once"),
        (bundle({"resourceType": SECRET}), r"entry\[1\] \w+: is not a resource type"),
        (bundle({"resourceType": "Basic", "code": {"text": "x"}}), "neither an id nor a fullUrl"),
        (
            bundle(observation(valueQuantity={"value": SECRET})),
            r"entry\[1\] Observation: valueQuantity\.value: value_error",
        ),
        (
            bundle(observation(component=[{"code": {"text": SECRET}, "valueInteger": "x"}])),
            r"component\[0\]\.valueInteger",
        ),
        (bundle(observation(**{f"{SECRET} 4": 1})), r"Observation: \?: extra_forbidden"),
        (bundle(observation(**{SECRET: 1})), r"Observation: \?: extra_forbidden"),
    ],
)
def test_refusals_name_the_place_and_not_the_value(data: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(data)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    if b'"resourceType": "' + SECRET.encode() + b'"}' not in data:  # the type is named
        assert SECRET not in str(caught.value)


def test_nothing_of_a_resource_is_in_its_repr() -> None:
    assert "Quenneville" not in repr(load_bundle(example_bundle()))


CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"


@pytest.mark.parametrize(
    ("codings", "categories"),
    [
        ([], ()),
        ([(CATEGORY, "laboratory")], ("laboratory",)),
        ([(CATEGORY, "vital-signs"), (CATEGORY, "exam")], ("exam", "vital-signs")),
        ([("http://hl7.org/fhir/observation-category", "survey")], ("survey",)),
        ([(SECTION, "LAB")], ("laboratory",)),
        ([(SECTION, "RAD")], ("imaging",)),
        ([(SECTION, "OTH")], ()),
        ([("http://example.org/own", "laboratory")], ()),
    ],
)
def test_categories(codings: list[tuple[str, str]], categories: tuple[str, ...]) -> None:
    concepts = [{"coding": [{"system": system, "code": code}]} for system, code in codings]
    fields = {"category": concepts} if concepts else {}
    assert labels_of(**fields).categories == categories


CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def marked(*codings: dict[str, str]) -> tuple[str | None, tuple[str, ...]]:
    labels = labels_of(meta={"security": [*codings]})
    return labels.confidentiality, labels.sensitivity


def test_security_labels() -> None:
    assert (labels_of().confidentiality, labels_of().sensitivity) == (None, ())
    assert marked({"code": "R"}, {"display": "only words"}) == ("R", ("unknown",))
    assert marked({"system": CONFIDENTIALITY, "code": "N"}) == ("N", ())
    both = [{"system": CONFIDENTIALITY, "code": code} for code in "NRL"]
    assert marked(*both) == ("R", ()), "the highest counts"
    assert marked({"system": ACT_CODE, "code": "PSY"}) == (None, ("PSY",))
    own = {"system": "http://example.org/own", "code": "N"}
    assert marked(own) == (None, ("N",)), "an own system's N may mean anything"


def test_a_policy_adds_labels_and_takes_none_away() -> None:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "5602001"}]}
    policy = LabelPolicy(
        confidentiality="N", sensitive_codes={("http://snomed.info/sct", "5602001"): "OPIOIDUD"}
    )
    data = bundle(
        observation(),
        observation(id="a", meta={"security": [{"code": "V"}]}),
        observation(id="b", code=code),
        observation(id="c", code=code, meta={"security": [{"code": "V"}, {"code": "PSY"}]}),
    )
    labels = [r.labels for r in load_bundle(data, policy=policy).resources[1:]]
    assert [(each.confidentiality, each.sensitivity) for each in labels] == [
        ("N", ()),
        ("V", ()),
        ("R", ("OPIOIDUD",)),
        ("V", ("OPIOIDUD", "PSY")),
    ]
    unlabelled = load_bundle(data).resources[1].labels
    assert unlabelled.confidentiality is None
    with pytest.raises(ValueError, match="one of U, L, M, N, R, V"):
        LabelPolicy(confidentiality="normal")


def utc(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("fields", "start", "end"),
    [
        ({}, None, None),
        ({"effectiveDateTime": "2024-02-19"}, utc(2024, 2, 19), utc(2024, 2, 20)),
        ({"effectiveDateTime": "2024"}, utc(2024, 1, 1), utc(2025, 1, 1)),
        ({"effectivePeriod": {"start": "2024-02-19"}}, utc(2024, 2, 19), None),
        ({"effectivePeriod": {"end": "2024-12"}}, None, utc(2025, 1, 1)),
        (
            {"effectiveInstant": "2024-02-19T23:30:00-05:00"},
            utc(2024, 2, 20, 4, 30),
            utc(2024, 2, 20, 4, 30, 1),
        ),
    ],
)
def test_periods_are_as_long_as_they_are_precise(
    fields: dict[str, Any], start: datetime | None, end: datetime | None
) -> None:
    labels = labels_of(**fields)
    assert (labels.period_start, labels.period_end) == (start, end)


def test_a_condition_lasts_until_it_abates() -> None:
    condition = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "onsetDateTime": "2020-03",
        "abatementDateTime": "2021-04-05",
        "recordedDate": "2020-05-06",
    }
    labels = load_bundle(bundle(condition)).resources[1].labels
    assert (labels.period_start, labels.period_end) == (utc(2020, 3, 1), utc(2021, 4, 6))
    assert labels.authored == utc(2020, 5, 6)


def test_authors_and_what_a_resource_refers_to() -> None:
    """The bundle's own addresses become `Type/id`; the patient is in every resource."""
    encounter = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "class": {"code": "AMB"},
        "participant": [{"individual": {"reference": "Practitioner/1"}}],
    }
    document = json.loads(
        bundle(
            encounter,
            observation(
                subject={"reference": "Patient/p"},
                encounter={"reference": "urn:uuid:of-the-encounter"},
                performer=[{"reference": "Practitioner/1"}, {"reference": "Organization/2"}],
                derivedFrom=[{"reference": "Observation/3"}, {"reference": "#contained"}],
            ),
        )
    )
    document["entry"][1]["fullUrl"] = "urn:uuid:of-the-encounter"
    loaded = load_bundle(json.dumps(document).encode())
    labels = loaded.resources[2].labels
    assert labels.reference == "Observation/o"
    assert labels.authors == ("Organization/2", "Practitioner/1")
    assert labels.related == ("Encounter/e", "Observation/3")
    assert loaded.resources[1].labels.authors == ("Practitioner/1",)
    assert "Practitioner/1" not in repr(labels)


def test_r5_bundles_are_recognised() -> None:
    encounter = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "completed",  # R4: finished
        "actualPeriod": {"start": "2024-02-19", "end": "2024-02-20"},
    }
    loaded = load_bundle(bundle(encounter))
    assert loaded.version is FhirVersion.R5
    assert loaded.resources[1].labels.period_end == utc(2024, 2, 21)
    assert load_bundle(example_bundle()).version is FhirVersion.R4
    with pytest.raises(BundleError, match=r"entry\[1\] Encounter: "):
        load_bundle(bundle(encounter), version=FhirVersion.R4)
    with pytest.raises(BundleError, match=r"entry\[1\] Observation: "):
        load_bundle(bundle(observation(status=["final"])))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(value=JSON, indent=st.sampled_from([None, 1, 4]), escape=st.booleans())
def test_compact_takes_nothing_but_white_space(value: Any, indent: int, escape: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=escape)
    assert json_text.compact(text) == json.dumps(value, ensure_ascii=escape, separators=(",", ":"))


@given(value=st.dictionaries(st.text(), JSON, max_size=4), indent=st.sampled_from([None, 2]))
def test_members_are_cut_out_exactly(value: dict[str, Any], indent: int) -> None:
    text = json.dumps(value, indent=indent)
    cut = {name: json.loads(text[begin:end]) for name, begin, end in json_text.members(text)}
    assert cut == value
