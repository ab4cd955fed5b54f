"""Collections and key policies: chaincode.md §2."""

from __future__ import annotations

import json

from conformance.calls import Call, call, submit
from conformance.case import Case
from conformance.cases_state import EMPTY_KEY, GO, NO_EMPTY_KEY, NO_MULTI_GET
from conformance.consortium import CLINIC, COLLECTION, HOSPITAL

OTHERS = f"_implicit_org_{CLINIC}"
"""The collection of an organisation that is not the endorser's."""


PRIVATE_RANGE = (
    "Node takes a composite key as the bound of a range of simple private keys; Go refuses it, as"
    " for public keys, and so does ours."
)
POLICY_ORDER = (
    "Node writes the organisations of a key's policy in the order in which they were added; Go"
    " sorts them, and so does ours: endorsers that add them in another order must agree."
)
NOBODY = (
    "A key's policy of no organisation: both write one that needs no signature at all. Ours"
    " refuses; it is an empty parameter that takes a policy away."
)


def private_put(key: str, value: bytes) -> Call:
    return submit("PrivatePut", COLLECTION, key, transient={"value": value})


PRIVATE = [
    Case(
        name="private put and get",
        calls=(
            private_put("p1", b"one"),
            private_put("p2", b"two"),
            private_put("p3", b"three"),
            call("PrivateGet", COLLECTION, "p1"),
        ),
    ),
    Case(name="private get: an absent key", calls=(call("PrivateGet", COLLECTION, "nothing"),)),
    Case(
        name="private get: an empty key",
        calls=(call("PrivateGet", COLLECTION, ""),),
        follows="node",
        why=EMPTY_KEY,
    ),
    Case(name="private get: no collection", calls=(call("PrivateGet", "", "p1"),)),
    Case(
        name="private get: an unknown collection",
        calls=(call("PrivateGet", "unknown", "p1"),),
        words=True,
    ),
    Case(
        name="private get: another organisation's",
        calls=(call("PrivateGet", OTHERS, "p1"),),
        words=True,
    ),
    Case(
        name="private get: several keys",
        calls=(call("PrivateGetMany", COLLECTION, '["p2","nothing","p1"]'),),
        among=GO,
        why=NO_MULTI_GET,
    ),
    Case(
        name="private hash",
        calls=(
            call("PrivateHash", COLLECTION, "p1"),
            call("PrivateHash", COLLECTION, "nothing"),
            call("PrivateHash", OTHERS, "nothing"),
        ),
    ),
    Case(
        name="private put: an empty value",
        calls=(call("PrivatePut", COLLECTION, "empty", transient={"value": b""}),),
    ),
    Case(
        name="private put: no collection",
        calls=(call("PrivatePut", "", "p1", transient={"value": b"1"}),),
    ),
    Case(
        name="private put: an empty key",
        calls=(call("PrivatePut", COLLECTION, "", transient={"value": b"1"}),),
    ),
    Case(name="private range", calls=(call("PrivateRange", COLLECTION, "p1", "p3"),)),
    Case(name="private range without bounds", calls=(call("PrivateRange", COLLECTION, "", ""),)),
    Case(
        name="private range from a composite key",
        calls=(call("PrivateRange", COLLECTION, "\x00a\x00", ""),),
        follows="go",
        why=PRIVATE_RANGE,
    ),
    Case(
        name="private partial composite keys",
        calls=(
            private_put("\x00kind\x00a\x00", b"1"),
            call("PrivatePartial", COLLECTION, "kind", "[]"),
        ),
    ),
    Case(
        name="private query on LevelDB",
        calls=(call("PrivateQuery", COLLECTION, '{"selector":{}}'),),
        words=True,
    ),
    Case(
        name="private delete",
        calls=(submit("PrivateDelete", COLLECTION, "p1"), call("PrivateGet", COLLECTION, "p1")),
    ),
    Case(name="private delete: no collection", calls=(call("PrivateDelete", "", "p1"),)),
    Case(
        name="private purge",
        calls=(
            submit("PrivatePurge", COLLECTION, "p2"),
            call("PrivateGet", COLLECTION, "p2"),
            call("PrivateHash", COLLECTION, "p2"),
        ),
    ),
    Case(
        name="private purge: an empty key",
        calls=(call("PrivatePurge", COLLECTION, ""),),
        follows="node",
        why=EMPTY_KEY,
    ),
]


def organizations(*names: str) -> str:
    return json.dumps(list(names))


# SignaturePolicyEnvelope of "all of ClinicMSP and HospitalMSP, a peer of each", as Go writes it.
TWO_PEERS = (
    "12 0c 12 0a 08 02 12 02 08 00 12 02 08 01 1a 0f 12 0d 0a 09 436c696e69634d5350 10 03"
    " 1a 11 12 0f 0a 0b 486f73706974616c4d5350 10 03"
).replace(" ", "")

POLICIES = [
    Case(
        name="a policy of peers",
        calls=(call("Policy", "PEER", organizations(HOSPITAL)),),
    ),
    Case(
        name="a policy of members",
        calls=(call("Policy", "MEMBER", organizations(CLINIC, HOSPITAL)),),
    ),
    Case(
        name="a policy, its organisations out of order",
        calls=(call("Policy", "PEER", organizations(HOSPITAL, CLINIC)),),
        follows="go",
        why=POLICY_ORDER,
    ),
    Case(
        name="a policy of one organisation twice",
        calls=(call("Policy", "PEER", organizations(HOSPITAL, HOSPITAL)),),
    ),
    Case(
        name="a policy of nobody",
        calls=(call("Policy", "PEER", "[]"),),
        departs={"ours": "INVALID_ARGUMENT", "raw": "a key's policy needs an organisation"},
        why=NOBODY,
    ),
    Case(
        name="a policy of an unknown role",
        calls=(call("Policy", "CHIEF", "[]"),),
        code="INVALID_ARGUMENT",
    ),
    Case(
        name="a policy without one of its organisations",
        calls=(call("PolicyWithout", TWO_PEERS, CLINIC),),
    ),
    Case(name="a policy that is none", calls=(call("PolicyWithout", "ffff", CLINIC),)),
    Case(
        name="a key's own policy",
        calls=(
            submit("Put", "own", "01"),
            submit("SetPolicy", "own", TWO_PEERS),
            call("GetPolicy", "own"),
            submit("SetPolicy", "own", ""),
            call("GetPolicy", "own"),
        ),
    ),
    Case(name="the policy of a key that has none", calls=(call("GetPolicy", "a"),)),
    Case(
        name="a private key's own policy",
        calls=(
            submit("PrivateSetPolicy", COLLECTION, "p3", TWO_PEERS),
            call("PrivateGetPolicy", COLLECTION, "p3"),
        ),
    ),
    Case(
        name="values and policies, public and private, some written twice",
        calls=(
            submit("Mixed", COLLECTION, "mixed", TWO_PEERS, transient={"value": b"2"}),
            call("Get", "mixed"),
            call("GetPolicy", "mixed"),
            call("PrivateGet", COLLECTION, "mixed"),
            call("PrivateGetPolicy", COLLECTION, "mixed"),
            call("PrivateGet", COLLECTION, "p3"),
        ),
    ),
    Case(
        name="the policy of an empty key",
        calls=(call("SetPolicy", "", TWO_PEERS),),
        departs=NO_EMPTY_KEY,
        why=EMPTY_KEY,
    ),
]
