"""A second opinion on consents: the rules of docs/design/ehr.md, written down once more.

It knows nothing of the contract: consents are the JSON that clients send, records are labels, and
every record is asked about one by one. No portions, no reasons, no indexes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CONFIDENTIALITY = "ULMNRV"
PART_2 = {"ETH", "ETHUD", "OPIOIDUD"}
EVERYBODY_MAY = {"TREAT", "ETREAT", "HPAYMT", "HOPERAT", "HRESCH", "CLINTRCH"}
HOUR = 3_600_000

OPEN_RULE: dict[str, Any] = {
    "not_before": None, "not_after": None, "recipients": [], "purposes": [], "categories": [],
    "resource_types": [], "security_labels": [], "data_start": None, "data_end": None,
    "authors": [], "instances": [], "related": [],
}  # fmt: skip


@dataclass
class Asker:
    msp_id: str
    person: str
    functions: tuple[str, ...] = ()


@dataclass
class Entry:
    """A consent on the model's books."""

    terms: dict[str, Any]
    active: bool = True
    version: int = 1


@dataclass
class Permit:
    """A decision that permitted, with the versions it rests on."""

    request: dict[str, Any]
    asker: Asker
    ends: int
    rests_on: dict[str, int]


@dataclass
class Model:
    """All consents of one patient."""

    consents: dict[str, Entry] = field(default_factory=dict)

    def decide(self, request: dict[str, Any], asker: Asker, now: int) -> Permit | None:
        """None: denied."""
        if request["purpose"] not in EVERYBODY_MAY:
            return None
        walls = [
            rule
            for consent in self.active()
            for rule in walls_of(consent.terms)
            if meant(rule, asker, request["purpose"], now)
        ]
        rests_on, ends = {}, [now + HOUR]
        for consent_id, consent in self.consents.items():
            if not consent.active:
                continue
            for kind, rule in rules_of(consent.terms):
                if kind != "permit" or not meant(rule, asker, request["purpose"], now):
                    continue
                pieces = [
                    (category, resource_type)
                    for category in both(request["categories"], rule["categories"])
                    for resource_type in both(request["resource_types"], rule["resource_types"])
                ]
                if any(not any(walled(wall, piece) for wall in walls) for piece in pieces):
                    rests_on[consent_id] = consent.version
                    ends += [rule["not_after"]] if rule["not_after"] is not None else []
        return Permit(request, asker, min(ends), rests_on) if rests_on else None

    def releases(self, permit: Permit, labels: dict[str, Any], now: int) -> bool | None:
        """Does this record go out? None: the permit itself is over."""
        if now >= permit.ends:
            return None
        for consent_id, version in permit.rests_on.items():
            consent = self.consents[consent_id]
            if not consent.active or consent.version != version:
                return None
        if self.decide(permit.request, permit.asker, now) is None:
            return None
        request = permit.request
        if request["categories"] and not {*request["categories"]} & {*labels["categories"]}:
            return False
        if request["resource_types"] and labels["resource_type"] not in request["resource_types"]:
            return False
        said = {
            consent_id: says(consent.terms, permit.asker, request["purpose"], now, labels)
            for consent_id, consent in self.consents.items()
            if consent.active
        }
        if "deny" in said.values():
            return False
        return any(said.get(consent_id) == "permit" for consent_id in permit.rests_on)

    def active(self) -> list[Entry]:
        return [consent for consent in self.consents.values() if consent.active]


def full(rule: dict[str, Any], root: dict[str, Any] | None = None) -> dict[str, Any]:
    """A rule with all its dimensions, an exception's with the root's where it has none."""
    base = OPEN_RULE if root is None else full(root)
    return {**base, **{name: value for name, value in rule.items() if value not in (None, [])}}


def rules_of(terms: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(terms["type"], full(terms["rule"])), *exceptions_of(terms)]


def exceptions_of(terms: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (each["type"], full(each["rule"], terms["rule"])) for each in terms.get("exceptions", [])
    ]


def walls_of(terms: dict[str, Any]) -> list[dict[str, Any]]:
    """Rules that keep whole portions, whatever the record is."""
    exceptions = exceptions_of(terms)
    found = [rule for kind, rule in exceptions if kind == "deny"]
    if terms["type"] == "deny" and all(kind == "deny" for kind, _ in exceptions):
        found.append(full(terms["rule"]))
    special = ("security_labels", "authors", "instances", "related")
    return [
        rule
        for rule in found
        if not any(rule[name] for name in special)
        and rule["data_start"] is None
        and rule["data_end"] is None
    ]


def walled(wall: dict[str, Any], piece: tuple[str | None, str | None]) -> bool:
    category, resource_type = piece
    return (not wall["categories"] or category in wall["categories"]) and (
        not wall["resource_types"] or resource_type in wall["resource_types"]
    )


def both(one: list[str], other: list[str]) -> list[str | None]:
    if one and other:
        return [each for each in one if each in other]
    return [*(one or other)] or [None]


def meant(rule: dict[str, Any], asker: Asker, purpose: str, now: int) -> bool:
    if rule["not_before"] is not None and now < rule["not_before"]:
        return False
    if rule["not_after"] is not None and now >= rule["not_after"]:
        return False
    if rule["purposes"] and purpose not in rule["purposes"]:
        return False
    if not rule["recipients"]:
        return True
    for recipient in rule["recipients"]:
        wanted_role = recipient.get("role")
        if (
            recipient.get("msp_id") in (None, asker.msp_id)
            and recipient.get("practitioner") in (None, asker.person)
            and (wanted_role is None or wanted_role in ("practitioner", *asker.functions))
        ):
            return True
    return False


def says(
    terms: dict[str, Any], asker: Asker, purpose: str, now: int, labels: dict[str, Any]
) -> str | None:
    found = {
        kind
        for kind, rule in exceptions_of(terms)
        if meant(rule, asker, purpose, now) and about(kind, rule, labels)
    }
    if found:
        return "deny" if "deny" in found else "permit"
    root = full(terms["rule"])
    if meant(root, asker, purpose, now) and about(terms["type"], root, labels):
        return str(terms["type"])
    return None


def about(kind: str, rule: dict[str, Any], labels: dict[str, Any]) -> bool:
    sure = kind == "permit"
    vague = (
        labels["resource_type"] in ("Observation", "DiagnosticReport")
        and not (labels["categories"])
    )
    in_categories = not rule["categories"] or {*rule["categories"]} & {*labels["categories"]}
    if not in_categories and (sure or not vague):
        return False
    if sure and vague and not rule["instances"]:
        return False
    if rule["resource_types"] and labels["resource_type"] not in rule["resource_types"]:
        return False
    for name, of_record in (
        ("authors", labels["authors"]),
        ("instances", [labels["reference"]]),
        ("related", labels["related"]),
    ):
        if rule[name] and not {*rule[name]} & {*of_record}:
            return False
    return labels_fit(sure, rule["security_labels"], labels) and time_fits(sure, rule, labels)


def labels_fit(sure: bool, named: list[str], labels: dict[str, Any]) -> bool:
    level = CONFIDENTIALITY.index(labels["confidentiality"] or "R")
    levels = [CONFIDENTIALITY.index(code) for code in named if code in CONFIDENTIALITY]
    codes = {code for code in named if code not in CONFIDENTIALITY}
    sensitive = {*labels["sensitivity"]}
    if not sure:
        return not named or bool(codes & sensitive) or any(level >= each for each in levels)
    if not named:
        return level <= CONFIDENTIALITY.index("N") and not sensitive
    if not sensitive <= codes:
        return False
    if levels:
        return level <= max(levels)
    return level <= CONFIDENTIALITY.index("R") and bool(sensitive)


def time_fits(sure: bool, rule: dict[str, Any], labels: dict[str, Any]) -> bool:
    start, end = rule["data_start"], rule["data_end"]
    if start is None and end is None:
        return True
    first, last = labels["period_start"], labels["period_end"]
    if first is None and last is None:
        first = labels["authored"]
        last = None if first is None else first + 1
    low, high = -1 if start is None else start, 10**18 if end is None else end
    if sure:
        return (start is None or (first is not None and first >= low)) and (
            end is None or (last is not None and last <= high)
        )
    return (first is None or first < high) and (last is None or last > low)
