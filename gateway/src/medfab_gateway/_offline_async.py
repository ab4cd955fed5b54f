"""Off-line signing: what one process made, another signs, and the first one sends."""

from __future__ import annotations

from typing import Any

from medfab_gateway._block import Block
from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._commit_async import AsyncCommit
from medfab_gateway._events._feed_async import Item
from medfab_gateway._events._filtered_block import FilteredBlock
from medfab_gateway._events._private_data import BlockAndPrivateData
from medfab_gateway._events._request_async import AsyncDeliverRequest
from medfab_gateway._events._requests_async import (
    AsyncBlockAndPrivateDataEventsRequest,
    AsyncBlockEventsRequest,
    AsyncChaincodeEventsRequest,
    AsyncFilteredBlockEventsRequest,
)
from medfab_gateway._messages.signables import (
    read_blocks_request,
    read_chaincode_events_request,
    read_commit,
    read_proposal,
    read_transaction,
)
from medfab_gateway._proposal_async import AsyncProposal
from medfab_gateway._transaction_async import AsyncTransaction
from medfab_gateway.errors import SignableError


class AsyncOffline:
    """Signables from their `bytes`, with or without a signature made elsewhere.

        proposal = contract.proposal("MoveAsset", "asset-1", "ward-3")
        signature = elsewhere(proposal.bytes)        # signs proposal.digest
        proposal = gateway.offline.proposal(proposal.bytes, signature)
        transaction = await proposal.endorse()       # with that signature, never another

    Made by `gateway.offline`; the gateway needs no signer. Each method takes the `bytes` of a
    signable and the signature over its `digest`; signature None: it keeps the one that its bytes
    have, if any, and is else signed by the gateway's own signer when it is sent.

    Every method raises `SignableError` for bytes that are cut off, of another kind, made for
    another identity than the gateway's, or contradict themselves; and for an empty signature.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def proposal(self, data: bytes, signature: bytes | None = None) -> AsyncProposal:
        """From `AsyncProposal.bytes`."""
        read = read_proposal(data, self._client.identity)
        _sign(read.message.proposal, signature)
        return AsyncProposal(
            self._client,
            read.message,
            channel_name=read.channel_name,
            description=f"{read.function} of chaincode {read.chaincode_name} on channel "
            f"{read.channel_name}",
        )

    def transaction(self, data: bytes, signature: bytes | None = None) -> AsyncTransaction:
        """From `AsyncTransaction.bytes`."""
        message = read_transaction(data, self._client.identity)
        _sign(message.envelope, signature)
        return AsyncTransaction(self._client, message)

    def commit(self, data: bytes, signature: bytes | None = None) -> AsyncCommit:
        """From `AsyncCommit.bytes`."""
        read = read_commit(data, self._client.identity)
        _sign(read.message, signature)
        return AsyncCommit(
            self._client,
            channel_name=read.channel_name,
            transaction_id=read.transaction_id,
            message=read.message,
        )

    def chaincode_events(
        self, data: bytes, signature: bytes | None = None
    ) -> AsyncChaincodeEventsRequest:
        """From `AsyncChaincodeEventsRequest.bytes`."""
        read = read_chaincode_events_request(data, self._client.identity)
        _sign(read.message, signature)
        return AsyncChaincodeEventsRequest(
            self._client,
            read.message,
            channel_name=read.channel_name,
            chaincode_name=read.chaincode_name,
        )

    def block_events(
        self, data: bytes, signature: bytes | None = None
    ) -> AsyncDeliverRequest[Block]:
        """From `AsyncBlockEventsRequest.bytes`."""
        return self._blocks(AsyncBlockEventsRequest, data, signature)

    def filtered_block_events(
        self, data: bytes, signature: bytes | None = None
    ) -> AsyncDeliverRequest[FilteredBlock]:
        """From `AsyncFilteredBlockEventsRequest.bytes`."""
        return self._blocks(AsyncFilteredBlockEventsRequest, data, signature)

    def block_and_private_data_events(
        self, data: bytes, signature: bytes | None = None
    ) -> AsyncDeliverRequest[BlockAndPrivateData]:
        """From `AsyncBlockAndPrivateDataEventsRequest.bytes`."""
        return self._blocks(AsyncBlockAndPrivateDataEventsRequest, data, signature)

    def _blocks(
        self, kind: type[AsyncDeliverRequest[Item]], data: bytes, signature: bytes | None
    ) -> AsyncDeliverRequest[Item]:
        """The three kinds have the same bytes; they differ in what is asked with them."""
        read = read_blocks_request(data, self._client.identity)
        _sign(read.message, signature)
        return kind(self._client, read.message, channel_name=read.channel_name)


def _sign(signed: Any, signature: bytes | None) -> None:
    if signature is None:
        return
    if not signature:
        raise SignableError("The signature is empty: was there an answer from the signer?")
    signed.signature = signature
