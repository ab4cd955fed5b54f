"""An endorsed transaction, on its way to the orderers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import grpc
from fabric_protos.gateway import gateway_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._commit_async import AsyncCommit
from medfab_gateway._messages.transaction import read_channel_header, read_transaction_result
from medfab_gateway._method import SUBMIT
from medfab_gateway._results import convert_result
from medfab_gateway._signable_async import AsyncSignable
from medfab_gateway.errors import EndorseError, GatewayError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class AsyncTransaction(AsyncSignable):
    """What `AsyncProposal.endorse()` gives: endorsed, not yet submitted.

        transaction = await contract.proposal("MoveAsset", "asset-1", "ward-3").endorse()
        print(transaction.transaction_id, transaction.result)
        commit = await transaction.submit()

    `bytes` is a `gateway.PreparedTransaction`.
    """

    def __init__(self, client: AsyncClient, prepared: Any) -> None:
        """prepared: a `gateway.PreparedTransaction`."""
        payload = prepared.envelope.payload
        super().__init__(client, prepared, signed=prepared.envelope, content=payload)
        self._client = client
        try:
            header = read_channel_header(payload)
            if header.tx_id != prepared.transaction_id:
                raise ValueError(f"it has the id {header.tx_id}")
            self._channel_name: str = header.channel_id
            self._result = read_transaction_result(payload)
        except (DecodeError, ValueError) as error:
            raise EndorseError(
                f"The peer's answer is not the endorsed transaction {prepared.transaction_id}: "
                f"{error}. Nothing was signed or submitted.",
                code=grpc.StatusCode.INTERNAL,
                transaction_id=prepared.transaction_id,
            ) from error

    @property
    def transaction_id(self) -> str:
        transaction_id: str = self._message.transaction_id
        return transaction_id

    @property
    def result(self) -> bytes:
        """What the contract answered. It takes effect only if the transaction is committed."""
        return self._result

    def read_result(self, converter: Callable[[bytes], T]) -> T:
        """The answer, as e.g. `json_result(Asset)` reads it. Raises `ResultError`."""
        return convert_result(
            self._result, converter, description=f"transaction {self.transaction_id}"
        )

    async def submit(self, *, timeout: float | None = None) -> AsyncCommit:
        """Hands the transaction to the orderers; `AsyncCommit.status()` tells the outcome.

        timeout: seconds; None: the gateway's `submit_timeout`. Raises `SubmitError`,
        `ConnectionFailedError` or `RequestLimitError` where the orderers certainly have not got
        it, and `OutcomeUnknownError` where they may: then `commit().status()` tells.
        """
        await self._sign()
        # Made and signed first: nothing may fail here between submitting and asking.
        commit = self.commit()
        if self._client.can_sign:
            await commit.sign()
        try:
            await self._client.call(
                SUBMIT,
                gateway_pb2.SubmitRequest(
                    transaction_id=self.transaction_id,
                    channel_id=self._channel_name,
                    prepared_transaction=self._message.envelope,
                ),
                action=f"Submitting transaction {self.transaction_id} to channel "
                f"{self._channel_name}",
                timeout=self._client.options.submit_timeout if timeout is None else timeout,
                transaction_id=self.transaction_id,
            )
        except GatewayError as error:
            error.result = self._result
            raise
        return commit

    def commit(self) -> AsyncCommit:
        """Asks for the outcome of the transaction, whether or not `submit()` had an answer."""
        return AsyncCommit(
            self._client, channel_name=self._channel_name, transaction_id=self.transaction_id
        )


@dataclass(frozen=True, kw_only=True)
class AsyncSubmittedTransaction(Generic[T_co]):
    """A transaction that the orderers have; its outcome is still open.

    ::

        submitted = await contract.submit_async("MoveAsset", "asset-1", "ward-3")
        print(submitted.transaction_id, submitted.result)
        status = await submitted.commit.status()
    """

    result: T_co = field(repr=False)
    """What the contract answered: bytes, or what `result=` made of them. It takes effect only if
    the transaction is committed."""

    commit: AsyncCommit
    """Asks for the outcome."""

    @property
    def transaction_id(self) -> str:
        return self.commit.transaction_id
