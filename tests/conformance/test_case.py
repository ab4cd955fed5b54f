"""The comparison itself: it finds what it is there to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance.calls import call
from conformance.case import Case
from conformance.observed import Observed

ANSWER = Observed(status=200, payload="x")
REFUSAL = Observed(status=500, message="no")
OURS = Observed(status=400, code="INVALID_ARGUMENT", message="no")
NONE = Observed(status=0, message="the stream ended")


def judge(*shown: Observed, **more: Any) -> list[str]:
    """Who is wrong, in a case of one call: ours, raw, Go, Node."""
    case = Case(name="one", calls=(call("Get"),), **more)
    wrong = case.judge({each: [one] for each, one in zip(case.among, shown, strict=True)})
    return sorted(wrong)


def test_the_same_is_right() -> None:
    assert judge(ANSWER, ANSWER, ANSWER, ANSWER) == []


@pytest.mark.parametrize(
    "other",
    [
        Observed(status=200, payload="y"),
        Observed(status=200, payload="x", message="m"),
        Observed(status=200, payload="x", event=["e", ""]),
        Observed(status=200, payload="x", read_write_sets=[{"namespace": "n"}]),
        Observed(status=200, payload="x", validation="MVCC_READ_CONFLICT"),
        REFUSAL,
    ],
)
def test_every_part_is_compared(other: Observed) -> None:
    assert judge(other, ANSWER, ANSWER, ANSWER) == ["ours"]
    assert judge(ANSWER, other, ANSWER, ANSWER) == ["raw"]
    assert judge(ANSWER, ANSWER, ANSWER, other) == ["node"]


def test_no_answer_is_never_right() -> None:
    assert judge(NONE, NONE, NONE, NONE) == ["go", "node", "ours", "raw"]


def test_json_is_compared_by_what_it_says() -> None:
    one, two = (Observed(status=200, payload=text) for text in ('{"a":1,"b":2}', '{"b":2, "a":1}'))
    assert judge(one, one, one, two) == []
    assert judge(one, one, one, two, exact=True) == ["node"]


def test_a_refusal_of_ours_has_its_code_and_the_others_their_status() -> None:
    assert judge(OURS, REFUSAL, REFUSAL, REFUSAL, code="INVALID_ARGUMENT") == []
    assert judge(OURS, REFUSAL, REFUSAL, REFUSAL, code="REFUSED") == ["ours"]
    other_status = replace(OURS, status=404)
    assert judge(other_status, REFUSAL, REFUSAL, REFUSAL, code="INVALID_ARGUMENT") == ["ours"]
    assert judge(ANSWER, ANSWER, REFUSAL, REFUSAL) == ["ours", "raw"]


def test_words_are_compared_where_they_are_the_same_by_right() -> None:
    other = Observed(status=500, message="never")
    refusals: Sequence[Observed] = (OURS, other, REFUSAL, REFUSAL)
    assert judge(*refusals, code="INVALID_ARGUMENT") == []
    assert judge(*refusals, code="INVALID_ARGUMENT", words=True) == ["raw"]
    own = [replace(OURS, code="REFUSED", message=words) for words in ("no", "never")]
    assert judge(own[0], REFUSAL, REFUSAL, REFUSAL, code="REFUSED", words=True) == []
    assert judge(own[1], REFUSAL, REFUSAL, REFUSAL, code="REFUSED", words=True) == ["ours"]


def test_where_the_official_ones_disagree_the_case_says_whom_ours_follows() -> None:
    other = Observed(status=200, payload="y")
    assert judge(ANSWER, ANSWER, ANSWER, other) == ["node"]
    assert judge(ANSWER, ANSWER, ANSWER, other, follows="go") == []
    assert judge(ANSWER, ANSWER, ANSWER, other, follows="node") == ["ours", "raw"]
    assert judge(ANSWER, ANSWER, ANSWER, ANSWER, follows="go") == ["node"]


def test_a_departure_is_what_the_case_says() -> None:
    departs = {"ours": "INVALID_ARGUMENT"}
    assert judge(OURS, ANSWER, ANSWER, ANSWER, departs=departs) == []
    assert judge(REFUSAL, ANSWER, ANSWER, ANSWER, departs=departs) == ["ours"]
    assert judge(replace(OURS, status=404), ANSWER, ANSWER, ANSWER, departs=departs) == ["ours"]
    assert judge(ANSWER, ANSWER, ANSWER, ANSWER, departs=departs) == ["ours"]
