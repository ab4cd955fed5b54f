"""A smart contract on a channel."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2

from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._messages.proposal import NONCE_BYTES, build_proposal
from medfab_gateway._proposal_async import AsyncProposal
from medfab_gateway._transaction_async import AsyncSubmittedTransaction
from medfab_gateway.errors import (
    CommitError,
    CommitStatusError,
    ConnectionFailedError,
    RequestLimitError,
)


class AsyncContract:
    """The transaction functions of one contract.

    Evaluating asks one peer and leaves no trace; submitting writes to the ledger:

        answer = await contract.evaluate("ReadAsset", "asset-1")
        answer = await contract.submit("MoveAsset", "asset-1", "ward-3")

    Sensitive values go into `transient`, never into arguments: those are in the block for all
    members of the channel to read.

        await contract.submit("File", transient={"record": record}, endorsing_organizations=["A"])

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
        function = f"{self._contract_name}:{name}" if self._contract_name else name
        unsigned = build_proposal(
            identity=self._client.identity,
            channel_id=self._channel_name,
            chaincode_name=self._chaincode_name,
            args=[_argument_bytes(argument) for argument in (function, *args)],
            transient=_checked_transient(transient or {}),
            nonce=secrets.token_bytes(NONCE_BYTES),
            timestamp_ns=time.time_ns(),
        )
        proposed = gateway_pb2.ProposedTransaction(
            transaction_id=unsigned.transaction_id,
            proposal=proposal_pb2.SignedProposal(proposal_bytes=unsigned.proposal_bytes),
            endorsing_organizations=_msp_ids(endorsing_organizations),
        )
        return AsyncProposal(
            self._client,
            proposed,
            channel_name=self._channel_name,
            description=f"{function} of chaincode {self._chaincode_name} on channel "
            f"{self._channel_name}",
        )

    async def evaluate(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        target_organizations: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """What the function `name` answers; nothing is submitted.

        target_organizations: MSP ids, one of which shall answer; None: the gateway peer chooses,
        and with transient data stays in its own organisation. timeout: seconds; None: the
        gateway's. Raises `EvaluateError`, `ConnectionFailedError`, `RequestLimitError`.
        """
        proposal = self.proposal(
            name, *args, transient=transient, endorsing_organizations=target_organizations
        )
        return await proposal.evaluate(timeout=timeout)

    async def submit(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """Calls the function `name`, and returns its answer once its writes are in the ledger.

        endorsing_organizations: MSP ids; None: the gateway peer chooses by the policies.
        timeout: seconds for the call as a whole; None: the gateway's deadline for each step.

        Raises `EndorseError` (nothing submitted), `SubmitError`, `CommitStatusError` (outcome
        open) or `CommitError` (committed as invalid). `ConnectionFailedError` and
        `RequestLimitError` mean here as everywhere that nothing has been submitted.
        """
        deadline = _Deadline(timeout)
        submitted = await self._submit(
            name,
            *args,
            transient=transient,
            endorsing_organizations=endorsing_organizations,
            deadline=deadline,
        )
        try:
            status = await submitted.commit.status(timeout=deadline.remaining())
        except (ConnectionFailedError, RequestLimitError) as error:
            # By themselves they promise that nothing happened, but the transaction is submitted.
            happened, _, _ = str(error).partition("\n")
            raise CommitStatusError(
                f"{happened}\nThe transaction has been submitted; its outcome is not known yet: "
                f"ask network.commit({submitted.transaction_id!r}).status() again.",
                code=error.code,
                transaction_id=submitted.transaction_id,
                result=submitted.result,
            ) from error
        except CommitStatusError as error:
            error.result = submitted.result
            raise
        if not status.successful:
            raise CommitError(
                code=status.code,
                transaction_id=status.transaction_id,
                block_number=status.block_number,
                result=submitted.result,
            )
        return submitted.result

    async def submit_async(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> AsyncSubmittedTransaction:
        """Like `submit()`, but returns as soon as the orderers have the transaction.

        timeout: seconds for endorsing and submitting together. The outcome is told by
        `.commit.status()`, which raises nothing for a transaction that is invalid.
        """
        return await self._submit(
            name,
            *args,
            transient=transient,
            endorsing_organizations=endorsing_organizations,
            deadline=_Deadline(timeout),
        )

    async def _submit(
        self,
        name: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None,
        endorsing_organizations: Sequence[str] | None,
        deadline: _Deadline,
    ) -> AsyncSubmittedTransaction:
        proposal = self.proposal(
            name, *args, transient=transient, endorsing_organizations=endorsing_organizations
        )
        transaction = await proposal.endorse(timeout=deadline.remaining())
        commit = await transaction.submit(timeout=deadline.remaining())
        return AsyncSubmittedTransaction(result=transaction.result, commit=commit)


class _Deadline:
    """One timeout over several steps."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout

    def remaining(self) -> float | None:
        """Seconds left, never below 0; None where each step has the deadline of the gateway."""
        if self._end is None:
            return None
        return max(self._end - time.monotonic(), 0.0)


# The checks below name the place and never the value: protobuf's own errors quote the value.


def _argument_bytes(argument: str | bytes) -> bytes:
    if isinstance(argument, str):
        try:
            return argument.encode()
        except UnicodeEncodeError:
            # `from None`: a UnicodeEncodeError carries the whole text.
            raise ValueError("An argument holds half a surrogate pair: no UTF-8 text.") from None
    if isinstance(argument, bytes):
        return argument
    raise TypeError(f"An argument is {type(argument).__name__}; only str and bytes can be sent.")


def _checked_transient(transient: Mapping[str, bytes]) -> Mapping[str, bytes]:
    for key, value in transient.items():
        if not isinstance(value, bytes):
            raise TypeError(
                f"The transient value under {key!r} is {type(value).__name__}; bytes are needed."
            )
    return transient


def _msp_ids(organizations: Sequence[str] | None) -> Sequence[str]:
    if isinstance(organizations, str):
        raise TypeError(f"Organizations are a list of MSP ids: write [{organizations!r}].")
    return organizations or ()
