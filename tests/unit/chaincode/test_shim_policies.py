"""Endorsement policies of single keys: the bytes of the Go shim, nothing else is taken for one."""

import pytest
from fabric_protos.common import policies_pb2

from medfab_chaincode import InvalidArgumentError, KeyEndorsementPolicy, StateFormatError

# protobuf's text form of what fabric-chaincode-go's statebased package writes for Org1 and Org2.
GO = bytes.fromhex("120c120a080212020800120208011a0a12080a044f72673110031a0a12080a044f7267321003")


def test_the_bytes() -> None:
    policy = KeyEndorsementPolicy()
    policy.add_organizations("Org2")
    policy.add_organizations("Org1", role="PEER")
    assert policy.to_bytes() == GO
    assert KeyEndorsementPolicy.from_bytes(GO).list_organizations() == ["Org1", "Org2"]


def test_organisations_come_and_go() -> None:
    policy = KeyEndorsementPolicy()
    policy.add_organizations("B", "A", role="MEMBER")
    policy.add_organizations("A", "C")
    policy.delete_organizations("B", "nobody")
    again = KeyEndorsementPolicy.from_bytes(policy.to_bytes())
    assert again.list_organizations() == ["A", "C"]
    assert again.to_bytes() == policy.to_bytes()
    same = KeyEndorsementPolicy()
    same.add_organizations("C", "A")
    assert same.to_bytes() == policy.to_bytes()


def test_a_policy_of_nobody_would_be_met_by_anybody() -> None:
    policy = KeyEndorsementPolicy()
    with pytest.raises(InvalidArgumentError, match="needs an organisation"):
        policy.to_bytes()
    with pytest.raises(InvalidArgumentError):
        policy.add_organizations("")
    with pytest.raises(InvalidArgumentError):
        policy.add_organizations("A", role="ADMIN")  # type: ignore[arg-type]


def any_of_two() -> bytes:
    envelope = policies_pb2.SignaturePolicyEnvelope.FromString(GO)
    envelope.rule.n_out_of.n = 1
    return bytes(envelope.SerializeToString())


def of_an_administrator() -> bytes:
    return GO.replace(b"\x10\x03", b"\x10\x01")


@pytest.mark.parametrize("parameter", [b"", b"\xff", GO[:-1], any_of_two(), of_an_administrator()])
def test_another_policy_is_not_taken_for_this_kind(parameter: bytes) -> None:
    with pytest.raises(StateFormatError):
        KeyEndorsementPolicy.from_bytes(parameter)
