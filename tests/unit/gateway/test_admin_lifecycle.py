"""The lifecycle against a gateway that keeps approvals and definitions as `_lifecycle` does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import pytest
from fabric_protos.peer.lifecycle import lifecycle_pb2

from medfab_gateway import AsyncGateway, EndorseError, EvaluateError, private_key_signer
from medfab_gateway.admin import (
    ApprovedDefinition,
    AsyncLifecycle,
    ChaincodeDefinition,
    collection_config_package,
    endorsement_policy,
)
from unit.gateway.fake_gateway import Failure, FakeGateway, Proposal, make_identity, serve

IDENTITY, KEY = make_identity("A")
DEFINITION = ChaincodeDefinition(
    name="ehr",
    version="1.0",
    sequence=1,
    endorsement_policy=endorsement_policy("OR('A.peer', 'B.peer')"),
    collections=collection_config_package([{"name": "consents", "policy": "OR('A.member')"}]),
)
SHARED = (
    "sequence",
    "version",
    "endorsement_plugin",
    "validation_plugin",
    "validation_parameter",
    "collections",
    "init_required",
)


def copied(source: Any, target_type: Any, *fields: str) -> Any:
    """A message with those fields of another that it has."""
    target = target_type()
    for name in (*SHARED, *fields):
        if source.DESCRIPTOR.fields_by_name[name].message_type is None:
            setattr(target, name, getattr(source, name))
        else:
            getattr(target, name).CopyFrom(getattr(source, name))
    return target


@dataclass
class FakeLifecycle(FakeGateway):
    """`_lifecycle` at a peer of organisation A; B has approved nothing."""

    approved: dict[tuple[str, int], Any] = field(default_factory=dict)
    committed: dict[str, Any] = field(default_factory=dict)
    organizations: list[list[str]] = field(default_factory=list)
    """Those named in each call."""

    async def Evaluate(self, request: Any, context: Any) -> Any:
        proposal = Proposal.read(request.proposed_transaction)
        self.organizations.append(list(request.target_organizations))
        if "Evaluate" in self.failures:
            return await super().Evaluate(request, context)
        result, failure = self._query(*proposal.args)
        if failure is not None:
            self.failures["Evaluate"] = Failure(
                code=grpc.StatusCode.UNKNOWN,
                text=f"evaluate call to endorser returned error: chaincode response {failure}",
            )
        self.result = b"" if result is None else result.SerializeToString()
        try:
            return await super().Evaluate(request, context)
        finally:
            self.failures.pop("Evaluate", None)

    async def Endorse(self, request: Any, context: Any) -> Any:
        proposal = Proposal.read(request.proposed_transaction)
        self.organizations.append(list(request.endorsing_organizations))
        answer = await super().Endorse(request, context)
        function, argument = proposal.args
        if function == b"ApproveChaincodeDefinitionForMyOrg":
            arguments = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs.FromString(argument)
            self.approved[arguments.name, arguments.sequence] = copied(
                arguments, lifecycle_pb2.QueryApprovedChaincodeDefinitionResult, "source"
            )
        else:
            assert function == b"CommitChaincodeDefinition"
            arguments = lifecycle_pb2.CommitChaincodeDefinitionArgs.FromString(argument)
            self.committed[arguments.name] = copied(
                arguments, lifecycle_pb2.QueryChaincodeDefinitionResult
            )
        return answer

    def _query(self, function: bytes, argument: bytes) -> tuple[Any, str | None]:
        match function:
            case b"QueryApprovedChaincodeDefinition":
                asked = lifecycle_pb2.QueryApprovedChaincodeDefinitionArgs.FromString(argument)
                return self.approved.get((asked.name, asked.sequence)), (
                    None
                    if (asked.name, asked.sequence) in self.approved
                    else "500, failed to invoke backing implementation of "
                    "'QueryApprovedChaincodeDefinition': could not fetch approved chaincode "
                    f"definition (name: '{asked.name}', sequence: '1') on channel 'care'"
                )
            case b"QueryChaincodeDefinition":
                asked = lifecycle_pb2.QueryChaincodeDefinitionArgs.FromString(argument)
                known = self.committed.get(asked.name)
                return known, None if known else f"404, namespace {asked.name} is not defined"
            case b"CheckCommitReadiness":
                asked = lifecycle_pb2.CheckCommitReadinessArgs.FromString(argument)
                approved = self.approved.get((asked.name, asked.sequence))
                mine = approved is not None and all(
                    getattr(asked, name) == getattr(approved, name) for name in SHARED
                )
                result = lifecycle_pb2.CheckCommitReadinessResult(approvals={"B": False, "A": mine})
                return result, None
        raise AssertionError(function)


@pytest.fixture
async def fake() -> FakeLifecycle:
    return FakeLifecycle()


@pytest.fixture
async def lifecycle(fake: FakeLifecycle) -> AsyncIterator[AsyncLifecycle]:
    async with (
        serve(fake) as endpoint,
        AsyncGateway.connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        yield AsyncLifecycle(gateway.network("care"))


async def test_approve_check_commit(lifecycle: AsyncLifecycle, fake: FakeLifecycle) -> None:
    assert await lifecycle.committed("ehr") is None
    assert await lifecycle.approved("ehr", 1, msp_id="A") is None
    assert await lifecycle.approve(DEFINITION, "ehr:1234", msp_id="A") is True
    assert await lifecycle.approved("ehr", 1, msp_id="A") == ApprovedDefinition(
        definition=DEFINITION, package_id="ehr:1234"
    )
    assert await lifecycle.check_commit_readiness(DEFINITION) == {"A": True, "B": False}
    assert await lifecycle.commit(DEFINITION, endorsing_organizations=["A", "B"]) is True
    assert await lifecycle.committed("ehr") == DEFINITION
    assert fake.calls.count("CommitStatus") == 2


async def test_who_is_asked(lifecycle: AsyncLifecycle, fake: FakeLifecycle) -> None:
    await lifecycle.approve(DEFINITION, None, msp_id="A")
    await lifecycle.commit(DEFINITION, endorsing_organizations=["A", "B"])
    # is it approved? approve. is it committed? commit.
    assert fake.organizations == [["A"], ["A"], [], ["A", "B"]]


async def test_what_stands_is_not_submitted_again(
    lifecycle: AsyncLifecycle, fake: FakeLifecycle
) -> None:
    await lifecycle.approve(DEFINITION, "ehr:1234", msp_id="A")
    await lifecycle.commit(DEFINITION, endorsing_organizations=["A"])
    assert await lifecycle.approve(DEFINITION, "ehr:1234", msp_id="A") is False
    assert await lifecycle.commit(DEFINITION, endorsing_organizations=["A"]) is False
    assert fake.calls.count("Submit") == 2


async def test_a_change_is_submitted(lifecycle: AsyncLifecycle, fake: FakeLifecycle) -> None:
    await lifecycle.approve(DEFINITION, "ehr:1234", msp_id="A")
    assert await lifecycle.approve(DEFINITION, "ehr:5678", msp_id="A") is True
    changed = replace(DEFINITION, version="1.1")
    assert await lifecycle.check_commit_readiness(changed) == {"A": False, "B": False}
    assert await lifecycle.approve(changed, "ehr:5678", msp_id="A") is True
    assert await lifecycle.commit(changed, endorsing_organizations=["A"]) is True
    assert await lifecycle.commit(DEFINITION, endorsing_organizations=["A"]) is True


async def test_an_approval_without_package(lifecycle: AsyncLifecycle) -> None:
    await lifecycle.approve(DEFINITION, None, msp_id="A")
    approved = await lifecycle.approved("ehr", 1, msp_id="A")
    assert approved is not None
    assert approved.package_id is None
    assert await lifecycle.approve(DEFINITION, None, msp_id="A") is False


async def test_other_failures_are_raised(lifecycle: AsyncLifecycle, fake: FakeLifecycle) -> None:
    fake.failures["Evaluate"] = Failure(code=grpc.StatusCode.FAILED_PRECONDITION, text="no access")
    with pytest.raises(EvaluateError, match="no access"):
        await lifecycle.approved("ehr", 1, msp_id="A")
    with pytest.raises(EvaluateError, match="no access"):
        await lifecycle.committed("ehr")
    del fake.failures["Evaluate"]
    fake.failures["Endorse"] = Failure(code=grpc.StatusCode.ABORTED, text="not agreed to")
    with pytest.raises(EndorseError, match="not agreed to"):
        await lifecycle.approve(DEFINITION, None, msp_id="A")
