"""A smart contract on a channel."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar, overload

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2

from medfab_gateway._arguments import argument_bytes, checked_transient, msp_ids
from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._deadline import Deadline
from medfab_gateway._messages.proposal import NONCE_BYTES, build_proposal
from medfab_gateway._observation import Operation, watched
from medfab_gateway._outcome_async import submit_and_wait
from medfab_gateway._proposal_async import AsyncProposal
from medfab_gateway._results import convert_result
from medfab_gateway._retry_async import with_retry
from medfab_gateway._retry_options import RetryOptions
from medfab_gateway._transaction_async import AsyncSubmittedTransaction

T = TypeVar("T")


class AsyncContract:
    """The transaction functions of one contract.

    Evaluating asks one peer and leaves no trace; submitting writes to the ledger:

        answer = await contract.evaluate("ReadAsset", "asset-1")
        answer = await contract.submit("MoveAsset", "asset-1", "ward-3")

    An answer is bytes, or what `result=` makes of them:

        asset = await contract.evaluate("ReadAsset", "asset-1", result=json_result(Asset))

    Sensitive values go into `transient`, never into arguments: those are in the block for all
    members of the channel to read.

        await contract.submit(
            "InspectAsset",
            "asset-1",
            transient={"report": report},
            endorsing_organizations=["HospitalMSP"],
        )

    Step by step, for example to act between the steps or to wait for the outcome later:

        proposal = contract.proposal("MoveAsset", "asset-1", "ward-3")
        transaction = await proposal.endorse()
        commit = await transaction.submit()
        status = await commit.status()
    """

    def __init__(
        self,
        client: AsyncClient,
        *,
        channel_name: str,
        chaincode_name: str,
        contract_name: str | None,
    ) -> None:
        self._client = client
        self._channel_name = channel_name
        self._chaincode_name = chaincode_name
        self._contract_name = contract_name

    @property
    def chaincode_name(self) -> str:
        return self._chaincode_name

    @property
    def contract_name(self) -> str | None:
        """The contract within the chaincode; None: the chaincode's default contract."""
        return self._contract_name

    def proposal(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
    ) -> AsyncProposal:
        """A new proposal, with a new transaction id, to call the function `name`.

        args: in the function's order; text is sent as UTF-8. transient: reaches the endorsing
        peers and no block. endorsing_organizations: the MSP ids of the organisations whose peers
        shall be asked; None: the gateway peer chooses by the policies.
        """
        function = self._function(name)
        unsigned = build_proposal(
            identity=self._client.identity,
            channel_id=self._channel_name,
            chaincode_name=self._chaincode_name,
            args=[argument_bytes(argument) for argument in (function, *args)],
            transient=checked_transient(transient or {}),
            nonce=secrets.token_bytes(NONCE_BYTES),
            timestamp_ns=time.time_ns(),
        )
        proposed = gateway_pb2.ProposedTransaction(
            transaction_id=unsigned.transaction_id,
            proposal=proposal_pb2.SignedProposal(proposal_bytes=unsigned.proposal_bytes),
            endorsing_organizations=msp_ids(endorsing_organizations),
        )
        return AsyncProposal(
            self._client,
            proposed,
            channel_name=self._channel_name,
            description=self._description(name),
        )

    @overload
    async def evaluate(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        target_organizations: Sequence[str] | None = None,
        retry: RetryOptions | None = None,
        timeout: float | None = None,
    ) -> bytes: ...
    @overload
    async def evaluate(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        target_organizations: Sequence[str] | None = None,
        result: Callable[[bytes], T],
        retry: RetryOptions | None = None,
        timeout: float | None = None,
    ) -> T: ...
    async def evaluate(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        target_organizations: Sequence[str] | None = None,
        result: Callable[[bytes], T] | None = None,
        retry: RetryOptions | None = None,
        timeout: float | None = None,
    ) -> bytes | T:
        """What the function `name` answers; nothing is submitted.

        target_organizations: MSP ids, one of which shall answer; None: the gateway peer chooses,
        and with transient data stays in its own organisation. result: what to make of the answer,
        e.g. `json_result(Asset)`; None: bytes. retry: when to ask again; None: never.
        timeout: seconds for the call as a whole; None: the gateway's, for each attempt. Raises
        `EvaluateError`, `ConnectionFailedError`, `RequestLimitError`, `ResultError`.
        """
        deadline = Deadline(timeout)

        async def attempt() -> bytes:
            proposal = self.proposal(
                name, *args, transient=transient, endorsing_organizations=target_organizations
            )
            operation.transaction_id = proposal.transaction_id
            return await proposal.evaluate(timeout=deadline.remaining())

        with self._watched("evaluate", name) as operation:
            answer = await with_retry(attempt, retry, deadline)
            return self._converted(answer, result, name)

    @overload
    async def submit(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        retry: RetryOptions | None = None,
        timeout: float | None = None,
    ) -> bytes: ...
    @overload
    async def submit(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        result: Callable[[bytes], T],
        retry: RetryOptions | None = None,
        timeout: float | None = None,
    ) -> T: ...
    async def submit(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        result: Callable[[bytes], T] | None = None,
        retry: RetryOptions | None = None,
        timeout: float | None = None,
    ) -> bytes | T:
        """Calls the function `name`, and returns its answer once its writes are in the ledger.

        endorsing_organizations: MSP ids; None: the gateway peer chooses by the policies. result:
        what to make of the answer; None: bytes. retry: when to try again with a new proposal,
        e.g. `RetryOptions()` where another transaction came first; None: never. timeout: seconds
        for the call as a whole; None: the gateway's deadline for each step.

        Raises `CommitError` (in a block, but invalid), `OutcomeUnknownError` (it may be on the
        ledger), or another `GatewayError`: `EndorseError`, `SubmitError`,
        `ConnectionFailedError`, `RequestLimitError` all mean that nothing has been written. Where
        the answer to the submission is lost, the outcome is asked for, and nothing is submitted a
        second time. `ResultError`: nothing was submitted.
        """
        deadline = Deadline(timeout)

        async def attempt() -> bytes | T:
            proposal = self.proposal(
                name, *args, transient=transient, endorsing_organizations=endorsing_organizations
            )
            operation.transaction_id = proposal.transaction_id
            transaction = await proposal.endorse(timeout=deadline.remaining())
            answer = self._converted(transaction.result, result, name)
            await submit_and_wait(transaction, deadline)
            return answer

        with self._watched("submit", name) as operation:
            return await with_retry(attempt, retry, deadline)

    @overload
    async def submit_async(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> AsyncSubmittedTransaction[bytes]: ...
    @overload
    async def submit_async(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        result: Callable[[bytes], T],
        timeout: float | None = None,
    ) -> AsyncSubmittedTransaction[T]: ...
    async def submit_async(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        result: Callable[[bytes], T] | None = None,
        timeout: float | None = None,
    ) -> AsyncSubmittedTransaction[bytes | T]:
        """Like `submit()`, but returns as soon as the orderers have the transaction.

        timeout: seconds for endorsing and submitting together. The outcome is told by
        `.commit.status()`, which raises nothing for a transaction that is invalid. A lost answer
        is an `OutcomeUnknownError` here: nothing is waited for.
        """
        deadline = Deadline(timeout)
        with self._watched("submit_async", name) as operation:
            proposal = self.proposal(
                name, *args, transient=transient, endorsing_organizations=endorsing_organizations
            )
            operation.transaction_id = proposal.transaction_id
            transaction = await proposal.endorse(timeout=deadline.remaining())
            answer = self._converted(transaction.result, result, name)
            commit = await transaction.submit(timeout=deadline.remaining())
            return AsyncSubmittedTransaction(result=answer, commit=commit)

    def _watched(self, operation: str, name: str) -> AbstractContextManager[Operation]:
        return watched(
            self._client.options.observer,
            Operation(
                name=operation,
                is_step=False,
                channel=self._channel_name,
                chaincode=self._chaincode_name,
                function=self._function(name),
            ),
        )

    def _converted(
        self, answer: bytes, result: Callable[[bytes], T] | None, name: str
    ) -> bytes | T:
        if result is None:
            return answer
        return convert_result(answer, result, description=self._description(name))

    def _function(self, name: str) -> str:
        return f"{self._contract_name}:{name}" if self._contract_name else name

    def _description(self, name: str) -> str:
        """For errors."""
        return (
            f"{self._function(name)} of chaincode {self._chaincode_name} on channel "
            f"{self._channel_name}"
        )
