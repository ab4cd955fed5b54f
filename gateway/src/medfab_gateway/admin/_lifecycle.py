# Made by scripts/make_sync.py from _lifecycle_async.py: change that, and run it.
"""The chaincode lifecycle of one channel, through the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric_protos.peer.lifecycle import lifecycle_pb2

from medfab_gateway._network import Network
from medfab_gateway.admin._definition import (
    ApprovedDefinition,
    ChaincodeDefinition,
    from_result,
    to_arguments,
)
from medfab_gateway.errors import EvaluateError

_NOT_APPROVED = "could not fetch approved chaincode definition"


class Lifecycle:
    """Approve, check, commit and query chaincode definitions on one channel.

        definition = ChaincodeDefinition(name="notes", version="1.0", sequence=1)
        for organization, msp_id in (("hospital", "HospitalMSP"), ("clinic", "ClinicMSP")):
            with Gateway.connect_user(".medfab", organization, "admin") as gateway:
                lifecycle = Lifecycle(gateway.network("care"))
                lifecycle.approve(definition, package_id, msp_id=msp_id)
        lifecycle = Lifecycle(network)
        lifecycle.check_commit_readiness(definition)  # {'ClinicMSP': True, …}
        lifecycle.commit(definition, endorsing_organizations=["HospitalMSP", "ClinicMSP"])

    Approving needs a client of the approving organisation, usually its admin, and each approves
    through its own. All methods raise the gateway's errors.
    """

    def __init__(self, network: Network) -> None:
        self._contract = network.contract("_lifecycle")

    def approve(
        self, definition: ChaincodeDefinition, package_id: str | None, *, msp_id: str
    ) -> bool:
        """Approve for one's own organisation; waits until the approval is committed.

        Args:
            definition: What to approve.
            package_id: The installed package that the organisation's peers run for it. None: they
                run none, and endorse nothing.
            msp_id: The organisation, the caller's own; its peers alone endorse.

        Returns:
            False where exactly this is approved already, and nothing was submitted.
        """
        wanted = ApprovedDefinition(definition=definition, package_id=package_id)
        standing = self.approved(definition.name, definition.sequence, msp_id=msp_id)
        if standing == wanted:
            return False
        arguments = to_arguments(definition, lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs)
        if package_id is None:
            arguments.source.unavailable.SetInParent()
        else:
            arguments.source.local_package.package_id = package_id
        self._contract.submit(
            "ApproveChaincodeDefinitionForMyOrg",
            arguments.SerializeToString(),
            endorsing_organizations=[msp_id],
        )
        return True

    def approved(self, name: str, sequence: int, *, msp_id: str) -> ApprovedDefinition | None:
        """What the caller's organisation `msp_id` has approved; None for nothing."""
        arguments = lifecycle_pb2.QueryApprovedChaincodeDefinitionArgs(name=name, sequence=sequence)
        try:
            result = lifecycle_pb2.QueryApprovedChaincodeDefinitionResult.FromString(
                self._evaluate("QueryApprovedChaincodeDefinition", arguments, msp_id)
            )
        except EvaluateError as error:
            # Fabric has no status of its own for this, as it has for a missing definition.
            if error.chaincode is not None and _NOT_APPROVED in error.chaincode.message:
                return None
            raise
        return ApprovedDefinition(
            definition=from_result(name, result),
            package_id=result.source.local_package.package_id or None,
        )

    def check_commit_readiness(self, definition: ChaincodeDefinition) -> dict[str, bool]:
        """MSP id of each organisation of the channel → whether it approved exactly this.

        Raises:
            EvaluateError: The sequence is not the next one, e.g. because it is committed.
        """
        arguments = to_arguments(definition, lifecycle_pb2.CheckCommitReadinessArgs)
        result = lifecycle_pb2.CheckCommitReadinessResult.FromString(
            self._evaluate("CheckCommitReadiness", arguments)
        )
        return dict(sorted(result.approvals.items()))

    def commit(
        self, definition: ChaincodeDefinition, *, endorsing_organizations: Sequence[str]
    ) -> bool:
        """Put an approved definition into force; waits until it is committed.

        Args:
            definition: What has been approved.
            endorsing_organizations: MSP ids; enough for the channel's policy
                `LifecycleEndorsement`, usually a majority, and all of them have approved.

        Returns:
            False where exactly this is committed already, and nothing was submitted.
        """
        if self.committed(definition.name) == definition:
            return False
        arguments = to_arguments(definition, lifecycle_pb2.CommitChaincodeDefinitionArgs)
        self._contract.submit(
            "CommitChaincodeDefinition",
            arguments.SerializeToString(),
            endorsing_organizations=endorsing_organizations,
        )
        return True

    def committed(self, name: str) -> ChaincodeDefinition | None:
        """The definition in force; None where the channel has no such chaincode."""
        arguments = lifecycle_pb2.QueryChaincodeDefinitionArgs(name=name)
        try:
            result = lifecycle_pb2.QueryChaincodeDefinitionResult.FromString(
                self._evaluate("QueryChaincodeDefinition", arguments)
            )
        except EvaluateError as error:
            if error.chaincode is not None and error.chaincode.status == 404:
                return None
            raise
        return from_result(name, result)

    def definitions(self) -> list[ChaincodeDefinition]:
        """All definitions in force on the channel, sorted by name."""
        result = lifecycle_pb2.QueryChaincodeDefinitionsResult.FromString(
            self._evaluate(
                "QueryChaincodeDefinitions", lifecycle_pb2.QueryChaincodeDefinitionsArgs()
            )
        )
        found = (from_result(each.name, each) for each in result.chaincode_definitions)
        return sorted(found, key=lambda definition: definition.name)

    def approvals(self, name: str) -> dict[str, bool]:
        """MSP id of each organisation of the channel → whether it approved what is in force.

        Raises:
            EvaluateError: The channel has no such chaincode (status 404).
        """
        arguments = lifecycle_pb2.QueryChaincodeDefinitionArgs(name=name)
        result = lifecycle_pb2.QueryChaincodeDefinitionResult.FromString(
            self._evaluate("QueryChaincodeDefinition", arguments)
        )
        return dict(sorted(result.approvals.items()))

    def _evaluate(self, function: str, arguments: Any, msp_id: str | None = None) -> bytes:
        return self._contract.evaluate(
            function,
            arguments.SerializeToString(),
            target_organizations=None if msp_id is None else [msp_id],
        )
