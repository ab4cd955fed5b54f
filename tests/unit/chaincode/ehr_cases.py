"""Random consents, requests and records, for the contract and its model alike."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from unit.chaincode.ehr_ledger import CLINIC, NOW, REGULATOR, SALT

PERSONS = ("dr-cole", "dr-else")
CATEGORIES = ("laboratory", "vital-signs", "imaging")
TYPES = ("Observation", "Condition", "DiagnosticReport")
PURPOSES = ("TREAT", "HOPERAT", "HPAYMT")
LABELS = ("N", "R", "V", "PSY", "ETH")
AUTHORS = ("Practitioner/1", "Practitioner/2")
RELATED = ("Encounter/1", "Encounter/2")
SECOND = 1000
_TIMES = st.sampled_from([None, NOW - SECOND, NOW, NOW + 1, NOW + SECOND, NOW + 3 * SECOND])
_DATA_TIMES = st.sampled_from([None, 1000, 2000, 3000])


def some(values: tuple[str, ...], most: int = 2) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=most)


def _one_or_more(values: tuple[str, ...], most: int = 2) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), unique=True, min_size=1, max_size=most)


@st.composite
def _recipients(draw: st.DrawFn, permit: bool) -> list[dict[str, Any]]:
    if not permit and draw(st.booleans()):
        return []
    organisations = [CLINIC, REGULATOR] if permit else [CLINIC, REGULATOR, None]
    one = {
        "msp_id": draw(st.sampled_from(organisations)),
        "role": draw(st.sampled_from([None, None, "physician", "nurse"])),
        "practitioner": draw(st.sampled_from([None, None, *PERSONS])),
    }
    return [one] if any(one.values()) else []


@st.composite
def _rule(draw: st.DrawFn, permit: bool, exception: bool = False) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "categories": draw(some(CATEGORIES)),
        "resource_types": draw(some(TYPES)),
        "security_labels": draw(st.one_of(st.just([]), some(LABELS, 3))),
    }
    rule["authors"] = draw(st.one_of(st.just([]), st.just([]), some(AUTHORS)))
    rule["instances"] = draw(st.sampled_from([[], [], [], ["Observation/0", "Condition/1"]]))
    rule["related"] = draw(st.one_of(st.just([]), st.just([]), some(RELATED)))
    if draw(st.booleans()):
        start, end = draw(_DATA_TIMES), draw(_DATA_TIMES)
        rule["data_start"] = start
        rule["data_end"] = end if start is None or end is None or end > start else None
    if not exception or draw(st.booleans()):
        rule["recipients"] = draw(_recipients(permit))
        rule["purposes"] = draw(_one_or_more(PURPOSES) if permit else some(PURPOSES))
    if not exception:
        rule["not_before"] = draw(st.sampled_from([None, NOW - SECOND, NOW, NOW + SECOND]))
        ends = [NOW + 2 * SECOND, NOW + 3 * SECOND, NOW + 10**8]
        rule["not_after"] = draw(st.sampled_from(ends if permit else [None, *ends]))
        if rule["not_before"] is not None and rule["not_after"] is not None:
            assert rule["not_before"] < rule["not_after"]
    return rule


@st.composite
def terms(draw: st.DrawFn) -> dict[str, Any]:
    """Terms that the contract takes."""
    kind = draw(st.sampled_from(["permit", "permit", "deny"]))
    found: dict[str, Any] = {"type": kind, "rule": draw(_rule(kind == "permit")), "salt": SALT}
    # A permit inside of a deny must say itself what a permit says.
    kinds = ["permit", "deny"] if kind == "permit" else ["deny"]
    found["exceptions"] = [
        {"type": each, "rule": draw(_rule(each == "permit", exception=True))}
        for each in draw(st.lists(st.sampled_from(kinds), max_size=2))
    ]
    if kind == "deny" and draw(st.booleans()):
        found["exceptions"].append({"type": "permit", "rule": draw(_rule(True))})
        rule = found["exceptions"][-1]["rule"]
        outer = found["rule"]
        # What it leaves open it takes from the root, so it may end before it begins.
        ends = rule["not_after"] or outer["not_after"]
        begins = rule["not_before"] or outer["not_before"]
        if begins is not None and ends is not None and begins >= ends:
            rule["not_before"], rule["not_after"] = NOW - SECOND, NOW + 10**8
    return found


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    categories = draw(some(CATEGORIES))
    types = draw(some(TYPES) if categories else _one_or_more(TYPES))
    return {
        "purpose": draw(st.sampled_from(PURPOSES)),
        "categories": categories,
        "resource_types": types,
        "salt": SALT,
    }


@st.composite
def labels(draw: st.DrawFn, number: int) -> dict[str, Any]:
    kind = draw(st.sampled_from(TYPES))
    start = draw(_DATA_TIMES)
    end = None if start is None else draw(st.sampled_from([None, start + 500, start + 1500]))
    return {
        "resource_type": kind,
        "categories": draw(some(CATEGORIES)),
        "confidentiality": draw(st.sampled_from([None, "U", "N", "N", "N", "R", "V"])),
        "sensitivity": draw(st.sampled_from([[], [], [], ["PSY"], ["ETH"], ["PSY", "ETH"]])),
        "period_start": start,
        "period_end": end,
        "authored": draw(_DATA_TIMES),
        "reference": f"{kind}/{number}",
        "authors": draw(some(AUTHORS)),
        "related": draw(some(RELATED)),
    }


@st.composite
def record_labels(draw: st.DrawFn, count: int = 4) -> list[dict[str, Any]]:
    return [draw(labels(number)) for number in range(count)]
