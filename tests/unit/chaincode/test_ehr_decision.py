"""Decisions: a table of the rules, and a much simpler second opinion on random cases."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfab_chaincode.ehr._codes import Reason
from medfab_chaincode.ehr._decision import Decision, Requester, decide, releases
from medfab_chaincode.ehr._model import (
    AccessRequest,
    Consent,
    ConsentEntry,
    ConsentStatus,
    ConsentTerms,
    ConsentType,
    Labels,
    Portion,
    Purpose,
)

NOW = 1_000_000
ASKER = Requester(msp_id="ClinicMSP", practitioner="dr-cole")
SALT = "0" * 32


def request(*categories: str, types: tuple[str, ...] = ()) -> AccessRequest:
    return AccessRequest(
        purpose=Purpose.TREATMENT, categories=categories, resource_types=types, salt=SALT
    )


PERMIT = ConsentTerms(
    type=ConsentType.PERMIT,
    purposes=(Purpose.TREATMENT,),
    categories=("laboratory",),
    resource_types=(),
    salt=SALT,
    grantee_msp="ClinicMSP",
    not_before=NOW - 10,
    not_after=NOW + 10,
)
DENY = replace(PERMIT, type=ConsentType.DENY, not_before=None, not_after=None)


def consents(*terms: ConsentTerms, revoked: bool = False) -> list[Consent]:
    status = ConsentStatus.REVOKED if revoked else ConsentStatus.ACTIVE
    entry = ConsentEntry(status=status, version=1, granted_at=0, changed_at=0)
    return [
        Consent(id=f"consent-{number}", entry=entry, terms=each)
        for number, each in enumerate(terms)
    ]


LAB = request("laboratory")


@pytest.mark.parametrize(
    ("terms", "asked", "reason"),
    [
        ([], LAB, Reason.NO_CONSENT),
        ([PERMIT], LAB, Reason.PERMITTED),
        ([replace(PERMIT, grantee_msp="InsurerMSP")], LAB, Reason.NO_CONSENT),
        ([replace(PERMIT, practitioner="dr-cole")], LAB, Reason.PERMITTED),
        ([replace(PERMIT, practitioner="dr-else")], LAB, Reason.NO_CONSENT),
        ([replace(PERMIT, purposes=(Purpose.RESEARCH,))], LAB, Reason.PURPOSE_NOT_PERMITTED),
        ([PERMIT], request("vital-signs"), Reason.PORTION_NOT_PERMITTED),
        ([PERMIT], request(types=("Condition",)), Reason.PERMITTED),  # laboratory Conditions
        ([replace(PERMIT, not_after=NOW)], LAB, Reason.CONSENT_EXPIRED),
        ([replace(PERMIT, not_after=NOW + 1)], LAB, Reason.PERMITTED),
        ([replace(PERMIT, not_before=NOW)], LAB, Reason.PERMITTED),
        ([replace(PERMIT, not_before=NOW + 1)], LAB, Reason.CONSENT_NOT_STARTED),
        ([PERMIT, DENY], LAB, Reason.DENIED_BY_PATIENT),
        ([DENY, PERMIT], LAB, Reason.DENIED_BY_PATIENT),
        ([DENY], LAB, Reason.NO_CONSENT),
        ([PERMIT, replace(DENY, purposes=())], LAB, Reason.DENIED_BY_PATIENT),
        ([PERMIT, replace(DENY, purposes=(Purpose.RESEARCH,))], LAB, Reason.PERMITTED),
        ([PERMIT, replace(DENY, categories=())], LAB, Reason.DENIED_BY_PATIENT),
        ([PERMIT, replace(DENY, grantee_msp=None)], LAB, Reason.DENIED_BY_PATIENT),
        ([PERMIT, replace(DENY, practitioner="dr-cole")], LAB, Reason.DENIED_BY_PATIENT),
        ([PERMIT, replace(DENY, practitioner="dr-else")], LAB, Reason.PERMITTED),
        ([PERMIT, replace(DENY, not_after=NOW)], LAB, Reason.PERMITTED),
        ([PERMIT, replace(DENY, not_before=NOW)], LAB, Reason.DENIED_BY_PATIENT),
        ([PERMIT, replace(DENY, not_before=NOW + 1)], LAB, Reason.PERMITTED),
        ([PERMIT, replace(DENY, resource_types=("Observation",))], LAB, Reason.PERMITTED),
    ],
)
def test_rules(terms: list[ConsentTerms], asked: AccessRequest, reason: Reason) -> None:
    assert decide(consents(*terms), asked, ASKER, NOW).reason is reason


def test_revoked_consents_count_for_nothing() -> None:
    revoked = consents(PERMIT, revoked=True)
    assert decide(revoked, LAB, ASKER, NOW).reason is Reason.CONSENT_REVOKED
    denied_once = [*consents(PERMIT), *consents(DENY, revoked=True)]
    assert decide(denied_once, LAB, ASKER, NOW).permitted


def test_a_permit_ends_with_its_earliest_consent_or_in_an_hour() -> None:
    long = replace(PERMIT, not_after=NOW + 99_999_999)
    assert decide(consents(long), LAB, ASKER, NOW).expires_at == NOW + 3_600_000
    assert decide(consents(long, PERMIT), LAB, ASKER, NOW).expires_at == NOW + 10
    unused = replace(PERMIT, categories=("imaging",))
    decision = decide(consents(long, unused), LAB, ASKER, NOW)
    assert decision.expires_at == NOW + 3_600_000
    assert [version.consent_id for version in decision.consents] == ["consent-0"]


def test_only_what_is_asked_and_permitted_is_granted() -> None:
    both = replace(PERMIT, categories=("laboratory", "imaging"), resource_types=("Observation",))
    decision = decide(consents(both), request("laboratory", "vital-signs"), ASKER, NOW)
    assert decision.portions == (Portion("laboratory", "Observation"),)


def test_public_reasons_say_no_more_than_yes_or_no() -> None:
    assert {reason.public for reason in Reason} == {Reason.PERMITTED, Reason.NO_CONSENT}


def labels(resource_type: str, *categories: str, security: tuple[str, ...] = ()) -> Labels:
    return Labels(resource_type=resource_type, categories=categories, security=security)


@pytest.mark.parametrize(
    ("portion", "record", "released"),
    [
        (Portion("laboratory", None), labels("Observation", "laboratory"), True),
        (Portion("laboratory", None), labels("Observation", "vital-signs"), False),
        (Portion("laboratory", None), labels("Observation"), False),
        (Portion(None, "Observation"), labels("Observation"), False),  # could be anything
        (Portion(None, "Observation"), labels("Observation", "survey"), True),
        (Portion(None, "DiagnosticReport"), labels("DiagnosticReport"), False),
        (Portion(None, "Condition"), labels("Condition"), True),
        (Portion("laboratory", None), labels("Condition"), False),
        (Portion(None, "Condition"), labels("Condition", security=("N",)), True),
        (Portion(None, "Condition"), labels("Condition", security=("R",)), False),
        (Portion(None, "Condition"), labels("Condition", security=("N", "HIV")), False),
        (Portion(None, "Condition"), labels("Condition", security=("unknown",)), False),
    ],
)
def test_release(portion: Portion, record: Labels, released: bool) -> None:
    assert releases([portion], [], record) is released


def test_one_excluded_category_withholds_a_record_of_several() -> None:
    record = labels("Observation", "laboratory", "social-history")
    assert releases([Portion("laboratory", None)], [], record)
    assert not releases([Portion("laboratory", None)], [Portion("social-history", None)], record)


# --- the second opinion: record by record, without portions --------------------------------------

CATEGORIES = ("a", "b", "c")
TYPES = ("S", "T")
TIMES = st.one_of(st.none(), st.integers(NOW - 2, NOW + 2))


def lists(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True).map(tuple)


TERMS = st.builds(
    ConsentTerms,
    type=st.sampled_from(ConsentType),
    purposes=st.lists(st.sampled_from([Purpose.TREATMENT, Purpose.RESEARCH]), unique=True).map(
        tuple
    ),
    categories=lists(CATEGORIES),
    resource_types=lists(TYPES),
    salt=st.just(SALT),
    grantee_msp=st.sampled_from([None, "ClinicMSP", "InsurerMSP"]),
    practitioner=st.sampled_from([None, "dr-cole", "dr-else"]),
    not_before=TIMES,
    not_after=TIMES,
)
CONSENTS = st.lists(st.tuples(TERMS, st.booleans()), max_size=5)


def applies(terms: ConsentTerms, active: bool) -> bool:
    return (
        active
        and terms.grantee_msp in (None, "ClinicMSP")
        and terms.practitioner in (None, "dr-cole")
        and (Purpose.TREATMENT in terms.purposes or not terms.purposes)
        and (terms.not_before is None or terms.not_before <= NOW)
        and (terms.not_after is None or terms.not_after > NOW)
    )


def speaks_of(categories: tuple[str, ...], types: tuple[str, ...], record: Labels) -> bool:
    return (not categories or bool({*categories} & {*record.categories})) and (
        not types or record.resource_type in types
    )


@given(
    cases=CONSENTS,
    categories=lists(CATEGORIES),
    types=lists(TYPES),
    record=st.builds(
        Labels,
        resource_type=st.sampled_from(TYPES),
        categories=lists(CATEGORIES),
        security=st.just(()),
    ),
)
def test_against_the_second_opinion(
    cases: list[tuple[ConsentTerms, bool]],
    categories: tuple[str, ...],
    types: tuple[str, ...],
    record: Labels,
) -> None:
    given_consents = [
        replace(consents(terms, revoked=not active)[0], id=str(number))
        for number, (terms, active) in enumerate(cases)
    ]
    decision = decide(given_consents, request(*categories, types=types), ASKER, NOW)
    released = decision.permitted and releases(decision.portions, decision.exclusions, record)

    applying = [terms for terms, active in cases if applies(terms, active)]
    permits = [terms for terms in applying if terms.type is ConsentType.PERMIT]
    denies = [terms for terms in applying if terms.type is ConsentType.DENY]
    asked = speaks_of(categories, types, record)
    denied = any(speaks_of(t.categories, t.resource_types, record) for t in denies)
    permitted = any(speaks_of(t.categories, t.resource_types, record) for t in permits)

    if released:  # never more than was asked, permitted and not denied
        assert asked
        assert permitted
        assert not denied
    if len(record.categories) <= 1 and asked and permitted and not denied:
        # Never less either. (A record of two categories, one asked for and another one
        # permitted, is withheld: nobody permitted what was asked for.)
        assert released
    if not permits:
        assert decision == Decision(reason=decision.reason)
        assert not decision.permitted
