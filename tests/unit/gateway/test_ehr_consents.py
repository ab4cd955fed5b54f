"""FHIR Consent R4 and R5 to the canonical terms and out again: nothing lost, nothing ignored."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medfab_gateway.ehr import (
    ConsentError,
    ConsentException,
    ConsentTerms,
    ConsentType,
    FhirVersion,
    Recipient,
    Rule,
    read_consent,
    write_consent,
)
from medfab_gateway.ehr._consents import codes
from medfab_gateway.ehr._consents.versions import CARRIED, convert
from medfab_gateway.ehr._validation import validate

R4, R5 = FhirVersion.R4, FhirVersion.R5

SETTINGS = settings(max_examples=60, deadline=None)

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


def few(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=3, unique=True).map(tuple)


recipients = st.one_of(
    st.builds(Recipient, msp_id=names),
    st.builds(Recipient, msp_id=st.none() | names, role=names),
    st.builds(Recipient, msp_id=st.none() | names, practitioner=names, role=st.none() | names),
)


@st.composite
def spans(draw: st.DrawFn) -> tuple[datetime | None, datetime | None]:
    start = draw(st.none() | moments)
    length = draw(st.integers(1, 10**12))
    if draw(st.booleans()):
        return start, None
    return start, (start or datetime(2000, 1, 1, tzinfo=UTC)) + timedelta(milliseconds=length)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    (start, end), (data_start, data_end) = draw(spans()), draw(spans())
    references = few(
        st.builds("{}/{}".format, st.sampled_from(["Encounter", "Practitioner"]), names)
    )
    return Rule(
        not_before=start,
        not_after=end,
        recipients=draw(few(recipients)),
        purposes=draw(few(st.sampled_from(sorted(codes.PURPOSE_CODES)))),
        categories=draw(few(st.sampled_from(["laboratory", "vital-signs", "imaging"]))),
        resource_types=draw(few(st.sampled_from(["Observation", "Condition", "Immunization"]))),
        security_labels=draw(
            few(st.sampled_from(sorted(codes.CONFIDENTIALITY_CODES | codes.SENSITIVITY_CODES)))
        ),
        data_start=data_start,
        data_end=data_end,
        authors=draw(references),
        instances=draw(references),
        related=draw(references),
    )


consent_types = st.sampled_from(ConsentType)
consents = st.builds(
    ConsentTerms,
    type=consent_types,
    rule=rules(),
    redisclosure=st.booleans(),
    exceptions=few(
        st.builds(
            ConsentException, type=consent_types, rule=rules().filter(lambda rule: rule != Rule())
        )
    ),
)


def bare(terms: ConsentTerms) -> ConsentTerms:
    return replace(terms, source=None)


@SETTINGS
@given(consents, st.sampled_from(FhirVersion))
def test_terms_are_the_same_after_a_way_through_fhir(
    terms: ConsentTerms, version: FhirVersion
) -> None:
    resource = write_consent(terms, version=version, patient="0" * 32)
    validate(resource, version, place="Consent")
    again = read_consent(json.dumps(resource), version=version)
    assert bare(again) == terms
    assert bare(read_consent(resource)) == terms, "the version is recognised"


@SETTINGS
@given(consents, st.sampled_from(FhirVersion), st.data())
def test_the_other_version_means_the_same_and_the_way_back_is_the_original(
    terms: ConsentTerms, version: FhirVersion, data: st.DataObject
) -> None:
    resource = described(write_consent(terms, version=version, patient="0" * 32), version, data)
    validate(resource, version, place="Consent")
    read = read_consent(resource)
    assert bare(read) == terms
    assert write_consent(read, version=version) == resource

    other = R5 if version is R4 else R4
    converted = write_consent(read, version=other)
    validate(converted, other, place="Consent")
    read_other = read_consent(converted)
    assert bare(read_other) == terms
    assert write_consent(read_other, version=version) == resource


def described(
    resource: dict[str, Any], version: FhirVersion, data: st.DataObject
) -> dict[str, Any]:
    """With elements that say nothing about access, of those that the version has."""
    texts = st.text("abc äß<&\"'", min_size=1, max_size=9).map(lambda text: text.strip() or "-")
    reference = st.builds(lambda name: {"reference": f"Organization/{name}"}, names)
    concept = st.builds(lambda text: {"text": text}, texts)
    common = {
        "id": names,
        "language": st.just("de"),
        "identifier": st.lists(st.builds(lambda v: {"value": v}, texts), min_size=1, max_size=2),
        "extension": st.builds(
            lambda text: [{"url": "http://example.org/x", "valueString": text}], texts
        ),
    }
    of_version: dict[FhirVersion, dict[str, Any]] = {
        R4: {
            "dateTime": st.sampled_from(["2024", "2024-05-01", "2024-05-01T10:20:30+02:00"]),
            "policyRule": concept,
            "performer": st.lists(reference, min_size=1, max_size=2),
            "organization": st.lists(reference, min_size=1, max_size=2),
            "policy": st.builds(
                lambda a: [{"authority": "http://e.org", "uri": f"urn:{a}"}], names
            ),
            "sourceReference": st.builds(lambda n: {"reference": f"DocumentReference/{n}"}, names),
            "verification": st.just([{"verified": True, "verificationDate": "2024-05-01"}]),
        },
        R5: {
            "date": st.just("2024-05-01"),
            "regulatoryBasis": st.lists(concept, min_size=1, max_size=2),
            "grantor": st.lists(reference, min_size=1, max_size=2),
            "manager": st.lists(reference, min_size=1, max_size=2),
            "controller": st.lists(reference, min_size=1, max_size=2),
            "sourceReference": st.lists(
                st.builds(lambda n: {"reference": f"DocumentReference/{n}"}, names),
                min_size=1,
                max_size=2,
            ),
        },
    }
    elements: dict[str, Any] = common | of_version[version]
    chosen = data.draw(st.lists(st.sampled_from(sorted(elements)), unique=True))
    described = resource | {name: data.draw(elements[name]) for name in chosen}
    if "extension" in resource and "extension" in chosen:
        described["extension"] = [*resource["extension"], *described["extension"]]
    return described


def pcf_basic() -> dict[str, Any]:
    """As PCF Basic has it: everything for treatment, to one organisation, to the end of 2030."""
    return {
        "resourceType": "Consent",
        "meta": {
            "profile": ["https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentBasic"]
        },
        "status": "active",
        "scope": {"coding": [{"system": codes.CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": codes.LOINC, "code": "59284-0"}]}],
        "patient": {"reference": "Patient/1"},
        "dateTime": "2024-05-01",
        "performer": [{"reference": "Patient/1"}],
        "organization": [{"reference": "Organization/1"}],
        "policy": [{"uri": "http://example.org/policies/base"}],
        "provision": {
            "type": "permit",
            "period": {"end": "2030"},
            "actor": [
                {
                    "role": {
                        "coding": [
                            {
                                "system": codes.PARTICIPATION,
                                "code": "IRCP",
                                "display": "information recipient",
                            }
                        ]
                    },
                    "reference": {"reference": "Organization/clinic", "display": "The clinic"},
                }
            ],
            "purpose": [{"system": codes.ACT_REASON, "code": "TREAT"}],
        },
    }


CLINIC = Recipient(msp_id="ClinicMSP")
REFERENCES = {"Organization/clinic": CLINIC}


def test_pcf_basic() -> None:
    terms = read_consent(pcf_basic(), references=REFERENCES)
    assert terms.type is ConsentType.PERMIT
    assert terms.rule == Rule(
        not_after=datetime(2031, 1, 1, tzinfo=UTC), recipients=(CLINIC,), purposes=("TREAT",)
    )
    assert write_consent(terms) == pcf_basic()


def test_pcf_intermediate() -> None:
    """Exceptions, a data period, and what data is meant."""
    resource = pcf_basic()
    resource["provision"]["provision"] = [
        {"type": "deny", "dataPeriod": {"start": "2010-02-03", "end": "2011-07"}},
        {
            "type": "deny",
            "data": [
                {"meaning": "instance", "reference": {"reference": "Observation/1"}},
                {"meaning": "related", "reference": {"reference": "Encounter/2"}},
                {"meaning": "authoredby", "reference": {"reference": "Practitioner/3"}},
            ],
        },
    ]
    terms = read_consent(resource, references=REFERENCES)
    assert [exception.rule for exception in terms.exceptions] == [
        Rule(
            data_start=datetime(2010, 2, 3, tzinfo=UTC), data_end=datetime(2011, 8, 1, tzinfo=UTC)
        ),
        Rule(instances=("Observation/1",), related=("Encounter/2",), authors=("Practitioner/3",)),
    ]
    assert write_consent(terms) == resource


def test_pcf_advanced() -> None:
    """Normal data to all who are named, psychiatry to one practitioner: a permit in a permit."""
    resource = pcf_basic()
    resource["provision"]["securityLabel"] = [{"system": codes.CONFIDENTIALITY, "code": "N"}]
    focused = copy.deepcopy(resource["provision"]["actor"])
    focused[0]["reference"] = {
        "identifier": {"system": codes.PRACTITIONER, "value": "ClinicMSP/okafor"}
    }
    resource["provision"]["provision"] = [
        {
            "type": "permit",
            "actor": focused,
            "securityLabel": [
                {"system": codes.ACT_CODE, "code": "PSY"},
                {"system": codes.CONFIDENTIALITY, "code": "R"},
            ],
        }
    ]
    terms = read_consent(resource, references=REFERENCES)
    assert terms.rule.security_labels == ("N",)
    (exception,) = terms.exceptions
    assert exception.type is ConsentType.PERMIT
    assert exception.rule == Rule(
        recipients=(Recipient(msp_id="ClinicMSP", practitioner="okafor"),),
        security_labels=("PSY", "R"),
    )
    converted = write_consent(terms, version=R5)
    validate(converted, R5, place="Consent")
    assert bare(read_consent(converted, references=REFERENCES)) == bare(terms)
    assert write_consent(read_consent(converted, references=REFERENCES)) == resource


def provision(**elements: object) -> dict[str, Any]:
    resource = pcf_basic()
    resource["provision"] |= elements
    return resource


def nested(**elements: object) -> dict[str, Any]:
    return provision(provision=[{"type": "deny"} | elements])


@pytest.mark.parametrize(
    ("resource", "element"),
    [
        (pcf_basic() | {"status": "draft"}, "Consent.status"),
        (pcf_basic() | {"scope": {"text": "research"}}, "Consent.scope"),
        (pcf_basic() | {"implicitRules": "http://example.org"}, "Consent.implicitRules"),
        (
            pcf_basic() | {"modifierExtension": [{"url": "urn:x", "valueCode": "y"}]},
            "Consent.modifierExtension",
        ),
        (pcf_basic() | {"provision": {}}, "Consent.provision.type"),
        (pcf_basic() | {"secret-Quenneville": 1}, "Consent"),
        (
            provision(period={"start": "2024-05-02", "end": "2024-05-01"}),
            "Consent.provision.period",
        ),
        (
            provision(purpose=[{"system": codes.ACT_REASON, "code": "HMARKT"}]),
            "Consent.provision.purpose[0]",
        ),
        (provision(purpose=[{"code": "TREAT"}]), "Consent.provision.purpose[0]"),
        (
            provision(securityLabel=[{"system": codes.ACT_CODE, "code": "STD"}]),
            "Consent.provision.securityLabel[0]",
        ),
        (
            provision(**{"class": [{"system": "urn:ietf:rfc:3986", "code": "x"}]}),
            "Consent.provision.class[0]",
        ),
        (
            provision(code=[{"coding": [{"system": codes.LOINC, "code": "718-7"}]}]),
            "Consent.provision.code[0].coding[0]",
        ),
        (provision(code=[{"text": "everything about my heart"}]), "Consent.provision.code[0]"),
        (
            provision(action=[{"coding": [{"system": codes.CONSENT_ACTION, "code": "correct"}]}]),
            "Consent.provision.action",
        ),
        (
            provision(modifierExtension=[{"url": "urn:x", "valueCode": "y"}]),
            "Consent.provision.modifierExtension",
        ),
        (nested(provision=[{"type": "permit"}]), "Consent.provision.provision[0].provision"),
        (nested(), "Consent.provision.provision[0]"),
        (
            nested(data=[{"meaning": "dependents", "reference": {"reference": "Encounter/1"}}]),
            "Consent.provision.provision[0].data[0].meaning",
        ),
        (
            nested(data=[{"meaning": "instance", "reference": {"display": "the last one"}}]),
            "Consent.provision.provision[0].data[0].reference",
        ),
        (
            nested(actor=[{"role": {"text": "somebody"}, "reference": {"reference": "Patient/1"}}]),
            "Consent.provision.provision[0].actor[0].role",
        ),
    ],
)
def test_what_cannot_be_enforced_is_refused_by_its_name(
    resource: dict[str, Any], element: str
) -> None:
    with pytest.raises(ConsentError) as caught:
        read_consent(resource, references=REFERENCES)
    assert str(caught.value).startswith(f"{element}: "), caught.value
    assert "Quenneville" not in str(caught.value)


def test_an_unknown_recipient_is_refused() -> None:
    with pytest.raises(ConsentError, match=r"^Consent\.provision\.actor\[0\]\.reference: it names"):
        read_consent(pcf_basic())


@pytest.mark.parametrize(
    ("elements", "element"),
    [
        ({"decision": None}, "Consent.decision"),
        ({"provision": [{}, {}]}, "Consent.provision[1]"),
        ({"provision": [{"documentType": [{"code": "x"}]}]}, "Consent.provision[0].documentType"),
        (
            {"provision": [{"expression": {"language": "text/fhirpath", "expression": "x"}}]},
            "Consent.provision[0].expression",
        ),
        (
            {"grantee": [{"identifier": {"system": codes.MSP, "value": "ClinicMSP"}}]},
            "Consent.grantee[0]",
        ),
    ],
)
def test_r5_elements_that_cannot_be_enforced(elements: dict[str, Any], element: str) -> None:
    resource = {"resourceType": "Consent", "status": "active", "decision": "permit"} | elements
    resource = {name: value for name, value in resource.items() if value is not None}
    with pytest.raises(ConsentError) as caught:
        read_consent(resource, version=R5)
    assert str(caught.value).startswith(f"{element}: "), caught.value


@pytest.mark.parametrize("data", [b"[]", b"\xff", b'{"a":1,"a":2}', b"null"])
def test_what_is_no_json_object_is_refused_without_its_text(data: bytes) -> None:
    with pytest.raises(ConsentError) as caught:
        read_consent(data)
    assert caught.value.__context__ is None


def test_periods_of_an_r5_consent_and_of_its_provision_both_hold() -> None:
    resource = {
        "resourceType": "Consent",
        "status": "active",
        "decision": "permit",
        "period": {"start": "2024-01-01", "end": "2025-06-30"},
        "provision": [{"period": {"start": "2023", "end": "2025-03"}}],
    }
    terms = read_consent(resource)
    assert terms.rule == Rule(
        not_before=datetime(2024, 1, 1, tzinfo=UTC), not_after=datetime(2025, 4, 1, tzinfo=UTC)
    )
    in_r4 = write_consent(terms, version=R4)
    assert bare(read_consent(in_r4)) == bare(terms)
    assert write_consent(read_consent(in_r4), version=R5) == resource


def test_what_was_changed_in_the_other_version_stays_changed() -> None:
    resource = pcf_basic() | {"verification": [{"verified": True}]}
    converted = convert(resource, source=R4, to=R5)
    assert any(each["url"] == CARRIED for each in converted["extension"])
    converted["decision"] = "deny"
    assert convert(converted, source=R5, to=R4)["provision"]["type"] == "deny"


def test_the_ledgers_state_is_written_over_the_source() -> None:
    terms = read_consent(pcf_basic(), references=REFERENCES)
    resource = write_consent(terms, consent_id="a" * 64, ledger_version=2, active=False)
    assert (resource["id"], resource["status"]) == ("a" * 64, "inactive")
    assert resource["meta"] == pcf_basic()["meta"] | {"versionId": "2"}
    validate(resource, R4, place="Consent")


def test_a_recipient_is_somebody() -> None:
    with pytest.raises(ValueError, match="an organisation, a role or"):
        Recipient()
