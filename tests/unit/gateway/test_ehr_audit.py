"""AuditEvents and Provenances: valid FHIR, in R4 and R5, with what BALP asks for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medfab_gateway.ehr import (
    Disclosure,
    FhirVersion,
    LogRow,
    Purpose,
    accounting_start,
    audit_bundle,
    audit_event,
    provenance,
)
from medfab_gateway.ehr._validation import validate

PATIENT = "0" * 32
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)

words = st.text("abcdefghijklmnop-", min_size=1, max_size=9)
disclosures = st.builds(
    Disclosure,
    request_id=st.just("a" * 64),
    at=st.just(MOMENT),
    recipient_msp=words,
    practitioner=words,
    purpose=st.sampled_from(Purpose),
    categories=st.lists(words, max_size=3).map(tuple),
    resource_types=st.lists(words, max_size=3).map(tuple),
    decision=st.sampled_from(["permit", "deny"]),
    reason=words,
    accountable=st.booleans(),
    basis=st.none() | words,
)


@settings(max_examples=25, deadline=None)
@given(disclosures, st.sampled_from(FhirVersion))
def test_audit_events_are_valid_fhir(row: Disclosure, version: FhirVersion) -> None:
    event = audit_event(row, patient=PATIENT, version=version)
    validate(event, version, place="AuditEvent")
    assert event["recorded"] == "2026-01-02T03:04:05.678Z"
    kinds = [agent["type"]["coding"][0]["code"] for agent in event["agent"]]
    assert kinds == ["110153", "110152"], "source and recipient"
    who = event["agent"][1]["who"]["identifier"]["value"]
    assert who == f"{row.recipient_msp}/{row.practitioner}"
    assert event["entity"][0]["what"]["identifier"]["value"] == PATIENT
    assert event["extension"][0]["valueBoolean"] is row.accountable
    purpose = event["purposeOfEvent" if version is FhirVersion.R4 else "authorization"]
    assert purpose[0]["coding"][0]["code"] == row.purpose
    validate(audit_bundle([event]), version, place="Bundle")


def test_the_subtype_is_disclose_and_a_denial_says_so() -> None:
    row: dict[str, Any] = {
        "request_id": "a" * 64,
        "at": MOMENT,
        "recipient_msp": "ClinicMSP",
        "practitioner": "okafor",
        "purpose": Purpose.TREATMENT,
        "reason": "no-consent",
        "accountable": False,
    }
    permitted = audit_event(Disclosure(**row, decision="permit"), patient=PATIENT)
    denied = audit_event(Disclosure(**row, decision="deny"), patient=PATIENT)
    assert permitted["subtype"][0]["code"] == "disclose"
    assert (permitted["outcome"], denied["outcome"]) == ("0", "4")
    assert denied["outcomeDesc"] == "no-consent"


@pytest.mark.parametrize("version", FhirVersion)
def test_provenance_of_a_change_of_a_consent(version: FhirVersion) -> None:
    row = LogRow(
        at=MOMENT,
        id="b" * 64,
        kind="consent-revoked",
        msp_id="HospitalMSP",
        client="c" * 64,
        ref="d" * 64,
    )
    made = provenance(row, patient=PATIENT)
    assert made is not None
    validate(made, version, place="Provenance")
    assert made["target"] == [{"reference": "Consent/" + "d" * 64}]
    assert made["agent"][0]["who"]["identifier"]["value"] == "c" * 64
    other = LogRow(at=MOMENT, id="b", kind="access-denied", msp_id="x", client="c")
    assert provenance(other, patient=PATIENT) is None


def test_the_accounting_looks_back_six_years() -> None:
    assert accounting_start(MOMENT) == datetime(2020, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    assert accounting_start(leap) == datetime(2022, 2, 28, tzinfo=UTC)


def test_an_empty_bundle_is_valid() -> None:
    validate(audit_bundle([]), FhirVersion.R4, place="Bundle")
