"""Policies and collections against what Fabric's own Go code makes of the same text.

`admin_vectors.json` was written by a program that calls `policydsl.FromString` and
`GetCollectionConfigFromFile` of Fabric v3.1.1; a null is what those refuse.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.peer import policy_pb2

from medfab_gateway.admin import (
    AdministrationError,
    CollectionError,
    PolicyError,
    collection_config_package,
    endorsement_policy,
    signature_policy,
)

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("admin_vectors.json").read_text()
)
STRICTER = {
    "outof(0, 'A.member')": "never or always",
    "OUTOF(4, 'A.member','B.member','C.member')": "never or always",
    "OutOf(1.5, 'A.member','B.member')": "Unexpected character",
}
"""Taken by Fabric, refused here."""

MEMBERS = {"name": "consents", "policy": "OR('A.member', 'B.member')"}


@pytest.mark.parametrize("vector", VECTORS["policies"], ids=lambda vector: vector["input"])
def test_a_policy_is_what_fabric_makes_of_it(vector: dict[str, Any]) -> None:
    text = vector["input"]
    if vector["hex"] is None or text in STRICTER:
        with pytest.raises(PolicyError, match=STRICTER.get(text)) as caught:
            signature_policy(text)
        assert repr(text) in str(caught.value)
        assert isinstance(caught.value, AdministrationError)
    else:
        assert signature_policy(text).hex() == vector["hex"]


def test_the_vectors_hold_both_kinds() -> None:
    assert any(vector["hex"] for vector in VECTORS["policies"])
    assert any(vector["hex"] is None for vector in VECTORS["policies"])


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("OR('A.member', 'B.boss')", 15, "principal"),
        ("OR('A.member'; 'B.member')", 13, "Unexpected character"),
        ("OR('A.member') and more", 15, "follows the end"),
        ("  XOR('A.member')", 2, "Expected AND, OR or OutOf"),
        ("OR('A.member',", 14, "Expected AND, OR or OutOf"),
        ("AND('A.member', OutOf(3, 'A.peer'))", 16, "3 of 1 parts"),
        ("OutOf(٣, 'A.peer','B.peer','C.peer')", 6, "Unexpected character"),
        ("OR('A.member", 3, "Unexpected character"),
    ],
)
def test_an_error_says_where_and_why(text: str, position: int, reason: str) -> None:
    with pytest.raises(PolicyError, match=reason) as caught:
        signature_policy(text)
    assert caught.value.position == position
    assert caught.value.text == text


def test_a_reference_to_the_channels_configuration() -> None:
    policy = policy_pb2.ApplicationPolicy.FromString(
        endorsement_policy("/Channel/Application/Endorsement")
    )
    assert policy.channel_config_policy_reference == "/Channel/Application/Endorsement"


def test_a_signature_policy_for_endorsement() -> None:
    text = "AND('A.peer', 'B.peer')"
    policy = policy_pb2.ApplicationPolicy.FromString(endorsement_policy(text))
    assert policy.signature_policy.SerializeToString() == signature_policy(text)


@pytest.mark.parametrize("vector", VECTORS["collections"])
def test_collections_are_what_fabric_makes_of_them(vector: dict[str, Any]) -> None:
    assert collection_config_package(vector["input"]).hex() == vector["hex"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": ""}, "collection 1: name"),
        ({"name": "_implicit_org_A"}, "cannot be the name"),
        ({"name": "a b"}, "cannot be the name"),
        ({"name": 7}, "name must be a text"),
        ({"policy": None}, "collection 'consents': policy must be a text"),
        ({"policy": "AND('A.member', 'B.member')"}, "may use OR only"),
        ({"policy": "OR('A.member', AND('A.member', 'B.member'))"}, "may use OR only"),
        ({"policy": "OR('A.boss')"}, "collection 'consents': policy: .* principal"),
        ({"memberOnlyread": True}, "unknown 'memberOnlyread'; known are .*memberOnlyRead"),
        ({"memberOnlyRead": "yes"}, "memberOnlyRead must be true or false"),
        ({"memberOnlyWrite": 1}, "memberOnlyWrite must be true or false"),
        ({"requiredPeerCount": -1}, "requiredPeerCount must be a whole number"),
        ({"requiredPeerCount": True}, "requiredPeerCount must be a whole number"),
        ({"requiredPeerCount": 2}, r"maxPeerCount \(1\) is less than requiredPeerCount \(2\)"),
        ({"maxPeerCount": 2**31}, "maxPeerCount must be a whole number"),
        ({"blockToLive": 1.5}, "blockToLive must be a whole number"),
        ({"blockToLive": 2**64}, "blockToLive must be a whole number"),
        ({"endorsementPolicy": {}}, "either signaturePolicy or channelConfigPolicy"),
        ({"endorsementPolicy": "Writers"}, "endorsementPolicy: an object is needed"),
        ({"endorsementPolicy": {"policy": "x"}}, "endorsementPolicy: unknown 'policy'"),
        ({"endorsementPolicy": {"signaturePolicy": "OR()"}}, "signaturePolicy: Expected AND"),
        (
            {"endorsementPolicy": {"signaturePolicy": "OR('A.peer')", "channelConfigPolicy": "x"}},
            "either signaturePolicy or channelConfigPolicy",
        ),
    ],
)
def test_a_collection_that_is_wrong_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(CollectionError, match=reason):
        collection_config_package([{**MEMBERS, **change}])


def test_two_collections_of_one_name_are_refused() -> None:
    with pytest.raises(CollectionError, match="Two collections have the name 'consents'"):
        collection_config_package([MEMBERS, MEMBERS])


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(CollectionError, match="collection 1: an object is needed"):
        collection_config_package(["consents"])  # type: ignore[list-item]
