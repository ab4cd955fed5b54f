"""Whether a submitted transaction was committed, and whether it is valid."""

from __future__ import annotations

from typing import Any

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2

from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._messages.transaction import build_commit_status_request
from medfab_gateway._method import COMMIT_STATUS
from medfab_gateway._signable_async import AsyncSignable
from medfab_gateway._status import Status
from medfab_gateway._validation import validation_code_name


class AsyncCommit(AsyncSignable):
    """A question about one transaction, which can be asked as often as wanted.

        commit = network.commit(transaction_id)
        status = await commit.status()
        print(status.code, status.block_number)

    `bytes` is a `gateway.SignedCommitStatusRequest`.
    """

    def __init__(
        self, client: AsyncClient, *, channel_name: str, transaction_id: str, message: Any = None
    ) -> None:
        """message: the `gateway.SignedCommitStatusRequest`; None: one is made."""
        if message is None:
            request = build_commit_status_request(
                identity=client.identity, channel_id=channel_name, transaction_id=transaction_id
            )
            message = gateway_pb2.SignedCommitStatusRequest(request=request)
        super().__init__(client, message, signed=message, content=message.request)
        self._client = client
        self._channel_name = channel_name
        self._transaction_id = transaction_id

    @property
    def transaction_id(self) -> str:
        return self._transaction_id

    async def status(self, *, timeout: float | None = None) -> Status:
        """Waits until the peer has the transaction in a block.

        timeout: seconds; None: the gateway's `commit_status_timeout`. A peer waits for ever for
        a transaction that it never sees. While peers cannot be reached, they are asked again
        until the time is over. Raises `CommitStatusError`; and `ConnectionFailedError` or
        `RequestLimitError`, which say only that this question was not asked.
        """
        await self.sign()
        response = await self._client.call(
            COMMIT_STATUS,
            self._message,
            action=f"Asking on channel {self._channel_name} whether transaction "
            f"{self._transaction_id} is committed",
            timeout=self._client.options.commit_status_timeout if timeout is None else timeout,
            transaction_id=self._transaction_id,
        )
        return Status(
            code=validation_code_name(response.result),
            successful=response.result == transaction_pb2.VALID,
            block_number=response.block_number,
            transaction_id=self._transaction_id,
        )

    async def sign(self) -> None:
        """Signs the question, unless it is signed. `status()` does so by itself."""
        await self._sign()
