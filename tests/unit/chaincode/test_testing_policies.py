"""Endorsement policies on the ledger in memory: of chaincodes, and of single keys."""

import pytest
from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2

from medfab_chaincode import Context, Contract, KeyEndorsementPolicy, submit
from medfab_chaincode.testing import (
    EndorsementPolicy,
    Identity,
    Ledger,
    PeerCrashError,
    all_of,
    any_of,
    majority_of,
    out_of,
)
from medfab_chaincode.testing._policies import key_policy

A, B, C = "MspA", "MspB", "MspC"
ALICE = Identity(A, "alice")


class Owned(Contract):
    @submit("Put")
    def put(self, context: Context, key: str, value: str) -> None:
        context.stub.put_state(key, value.encode())

    @submit("Protect")
    def protect(self, context: Context, key: str, owners: list[str]) -> None:
        parameter = b""
        if owners:
            policy = KeyEndorsementPolicy()
            policy.add_organizations(*owners)
            parameter = policy.to_bytes()
        context.stub.set_state_validation_parameter(key, parameter)

    @submit("Delete")
    def delete(self, context: Context, key: str) -> None:
        context.stub.delete_state(key)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(Owned, organizations=[A, B, C], state={"k": b"1"})


async def code(ledger: Ledger, endorsers: list[str], *call: str) -> str:
    transaction = await ledger.endorse(*call, caller=ALICE, endorsing_organizations=endorsers)
    return ledger.commit(transaction)[0]


@pytest.mark.parametrize(
    ("policy", "enough", "too_few"),
    [
        (all_of(A, B), [A, B], [A, C]),
        (any_of(A, B), [B], [C]),
        (majority_of(A, B, C), [A, C], [C]),
        (out_of(2, A, all_of(B, C)), [A, B, C], [B, C]),
        (out_of(0), [], None),
        (all_of(A, any_of(A, B)), [A, B], [A]),  # one signature does not count twice
    ],
)
def test_policies(policy: EndorsementPolicy, enough: list[str], too_few: list[str] | None) -> None:
    assert policy.is_met_by(enough)
    assert too_few is None or not policy.is_met_by(too_few)


def test_a_policy_of_more_than_there_is() -> None:
    with pytest.raises(ValueError, match="none to all"):
        out_of(2, A)


def test_principals_that_are_no_peers() -> None:
    def signed_by(role: str) -> bytes:
        principal = msp_principal_pb2.MSPPrincipal(
            principal_classification="ROLE",
            principal=msp_principal_pb2.MSPRole(msp_identifier=A, role=role).SerializeToString(),
        )
        envelope = policies_pb2.SignaturePolicyEnvelope(
            rule=policies_pb2.SignaturePolicy(signed_by=0), identities=[principal]
        )
        return bytes(envelope.SerializeToString())

    assert key_policy(signed_by("PEER")).is_met_by([A])
    assert key_policy(signed_by("MEMBER")).is_met_by([A])
    assert not key_policy(signed_by("ADMIN")).is_met_by([A])


async def test_a_keys_own_policy(ledger: Ledger) -> None:
    failure = "ENDORSEMENT_POLICY_FAILURE"
    assert await code(ledger, [A, B], "Protect", "k", '["MspC"]') == "VALID"
    assert ledger.key_policy("k") is not None
    assert await code(ledger, [A, B], "Put", "k", "2") == failure
    assert await code(ledger, [C], "Put", "k", "2") == "VALID"
    # The policy stays with the key, and whoever may write the key may change it.
    assert await code(ledger, [A, B], "Protect", "k", "[]") == failure
    assert await code(ledger, [C], "Protect", "k", "[]") == "VALID"
    assert ledger.key_policy("k") is None
    assert await code(ledger, [C], "Put", "k", "3") == failure
    assert ledger.state() == {"k": b"2"}
    assert len(ledger.history("k")) == 1, "a policy is no change of the value"


async def test_a_deletion_takes_the_policy_along(ledger: Ledger) -> None:
    await code(ledger, [A, B], "Protect", "k", '["MspC"]')
    assert await code(ledger, [C], "Delete", "k") == "VALID"
    assert await code(ledger, [A, B], "Put", "k", "2") == "VALID"
    assert ledger.key_policy("k") is None


async def test_a_policy_for_nothing_has_no_effect(ledger: Ledger) -> None:
    assert await code(ledger, [A, B], "Protect", "none", '["MspC"]') == "VALID"
    assert await code(ledger, [A, B], "Put", "none", "1") == "VALID"


async def test_the_owner_is_asked_where_nobody_is_named(ledger: Ledger) -> None:
    await code(ledger, [A, B], "Protect", "k", '["MspC"]')
    endorsed = await ledger.endorse("Put", "k", "2", caller=ALICE)
    assert endorsed.endorsers == (C,)


async def test_a_block_that_changes_a_policy_takes_no_write_under_it(ledger: Ledger) -> None:
    protect = await ledger.endorse("Protect", "k", '["MspC"]', caller=ALICE)
    put = await ledger.endorse("Put", "k", "2", caller=ALICE)
    assert ledger.commit(protect, put) == ("VALID", "ENDORSEMENT_POLICY_FAILURE")


async def test_the_block_that_real_peers_do_not_survive(ledger: Ledger) -> None:
    """Seen on a real network: every peer panics, and does so again after each start."""
    delete = await ledger.endorse("Delete", "k", caller=ALICE)
    protect = await ledger.endorse("Protect", "k", '["MspC"]', caller=ALICE)
    with pytest.raises(PeerCrashError, match=protect.transaction_id):
        ledger.commit(delete, protect)


async def test_what_nobody_can_read_nobody_can_meet(ledger: Ledger) -> None:
    class Broken(Contract):
        @submit("Break")
        def spoil(self, context: Context) -> None:
            context.stub.put_state("b", b"1")
            context.stub.set_state_validation_parameter("b", b"\xff")

    ledger.deploy("broken", Broken)
    await ledger.submit("Break", caller=ALICE, chaincode="broken")
    again = await ledger.endorse(
        "Break", caller=ALICE, chaincode="broken", endorsing_organizations=[A, B, C]
    )
    assert ledger.commit(again) == ("ENDORSEMENT_POLICY_FAILURE",)
