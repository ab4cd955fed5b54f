"""Bundles: exact text, clear refusals without values, labels."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfab_gateway.ehr import BundleError, Labels, example_bundle, load_bundle
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


def test_security_labels() -> None:
    assert labels_of().security == ()
    marked = labels_of(meta={"security": [{"code": "R"}, {"display": "only words"}]})
    assert marked.security == ("R", "unknown")


def test_times() -> None:
    moment = labels_of(effectiveDateTime="2024-02-19", issued="2024-02-20T06:31:07.418Z")
    assert (moment.period_start, moment.period_end) == ("2024-02-19", "2024-02-19")
    assert moment.authored == "2024-02-20T06:31:07.418Z"
    period = labels_of(effectivePeriod={"start": "2024-02-19"})
    assert (period.period_start, period.period_end, period.authored) == ("2024-02-19", None, None)


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
