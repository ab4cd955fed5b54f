"""A channel, as the peers of the gateway's organisation see it."""

from __future__ import annotations

from medfab_gateway._block import Block
from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._commit_async import AsyncCommit
from medfab_gateway._contract_async import AsyncContract
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._channel_events_async import AsyncChannelEvents
from medfab_gateway._events._checkpoint import Checkpoint
from medfab_gateway._events._filtered_block import FilteredBlock
from medfab_gateway._events._private_data import BlockAndPrivateData
from medfab_gateway._events._request_async import AsyncDeliverRequest
from medfab_gateway._events._requests_async import (
    AsyncBlockAndPrivateDataEventsRequest,
    AsyncBlockEventsRequest,
    AsyncChaincodeEventsRequest,
    AsyncFilteredBlockEventsRequest,
)
from medfab_gateway._events._shared_streams_async import AsyncSharedStreams
from medfab_gateway._events._stream_async import AsyncEventStream


class AsyncNetwork:
    """A channel: its contracts, its events and blocks, and the outcome of its transactions.

    ::

        network = gateway.network("care")
        answer = await network.contract("assets").evaluate("ReadAsset", "asset-1")
        status = await network.commit(transaction_id).status()
        async with network.block_events(0, 1) as blocks:
            async for block in blocks:
                print(block.number)
    """

    def __init__(self, client: AsyncClient, streams: AsyncSharedStreams, channel_name: str) -> None:
        self._client = client
        self._channel_name = channel_name
        self._events = AsyncChannelEvents(client, streams, channel_name=channel_name)

    @property
    def channel_name(self) -> str:
        return self._channel_name

    def contract(self, chaincode_name: str, contract_name: str | None = None) -> AsyncContract:
        """A contract of a chaincode; contract_name None: the chaincode's default contract."""
        return AsyncContract(
            self._client,
            channel_name=self._channel_name,
            chaincode_name=chaincode_name,
            contract_name=contract_name,
        )

    def commit(self, transaction_id: str) -> AsyncCommit:
        """Asks for the outcome of any transaction of the channel, by its id.

        For what was submitted before, for instance by a process that has died since.
        """
        return AsyncCommit(
            self._client, channel_name=self._channel_name, transaction_id=transaction_id
        )

    def chaincode_events(
        self,
        chaincode_name: str,
        start_block: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> AsyncEventStream[CommittedEvent]:
        """The events of a chaincode's valid transactions, in order, as they are committed.

            async with network.chaincode_events("ehr") as events:
                async for event in events:
                    print(event.block_number, event.name)

        checkpoint: what has been handled before, see `AsyncCheckpointer`; None: see start_block.
        start_block: number of the first block; None: the next to be committed.

        All such streams of a gateway share one at the peer. Where the connection breaks, it is
        made again, to any of the gateway's peers, without loss or repetition: see
        `GatewayOptions.reconnect`. Iterating raises `DeliverError`, `ConnectionFailedError` where
        no peer has ever been reached, and `CheckpointError`.
        """
        return self._events.chaincode(chaincode_name, start_block, checkpoint)

    def block_events(
        self,
        start_block: int | None = None,
        stop_block: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> AsyncEventStream[Block]:
        """The channel's blocks, in order, as they are committed.

            async with network.block_events(start_block=0) as blocks:
                async for block in blocks:
                    print(block.number, len(block.transactions))

        checkpoint: what has been handled before; its block is delivered again where it names a
        transaction. None: see start_block. start_block: number of the first; None: the next to be
        committed. stop_block: number of the last; None: without end. Recovers as
        `chaincode_events` does; iterating raises `DeliverError` or `ConnectionFailedError`.
        """
        return self._events.blocks(AsyncBlockEventsRequest, start_block, stop_block, checkpoint)

    def filtered_block_events(
        self,
        start_block: int | None = None,
        stop_block: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> AsyncEventStream[FilteredBlock]:
        """The outcome of each transaction, without what it says; as `block_events` otherwise."""
        return self._events.blocks(
            AsyncFilteredBlockEventsRequest, start_block, stop_block, checkpoint
        )

    def block_and_private_data_events(
        self,
        start_block: int | None = None,
        stop_block: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> AsyncEventStream[BlockAndPrivateData]:
        """Blocks with the private data that the peer has; as `block_events` otherwise.

        Iterating raises `DeliverError` (`PERMISSION_DENIED`) on channels that close `event/Block`,
        as those of medfab with more than one organisation do: whoever may read this stream gets
        all private data of collections that are not member-only, past any contract.
        """
        return self._events.blocks(
            AsyncBlockAndPrivateDataEventsRequest, start_block, stop_block, checkpoint
        )

    def chaincode_events_request(
        self,
        chaincode_name: str,
        start_block: int | None = None,
        *,
        after_transaction_id: str | None = None,
    ) -> AsyncChaincodeEventsRequest:
        """A request to be signed elsewhere; what it gives ends with its connection.

        after_transaction_id: of the last event handled: the peer goes on after it. One that
        emitted no event is never found, and nothing is ever sent. None: not used.
        """
        return self._events.chaincode_request(chaincode_name, start_block, after_transaction_id)

    def block_events_request(
        self, start_block: int | None = None, stop_block: int | None = None
    ) -> AsyncDeliverRequest[Block]:
        """A request to be signed elsewhere and opened within 15 minutes."""
        return self._events.blocks_request(AsyncBlockEventsRequest, start_block, stop_block)

    def filtered_block_events_request(
        self, start_block: int | None = None, stop_block: int | None = None
    ) -> AsyncDeliverRequest[FilteredBlock]:
        """A request to be signed elsewhere and opened within 15 minutes."""
        return self._events.blocks_request(AsyncFilteredBlockEventsRequest, start_block, stop_block)

    def block_and_private_data_events_request(
        self, start_block: int | None = None, stop_block: int | None = None
    ) -> AsyncDeliverRequest[BlockAndPrivateData]:
        """A request to be signed elsewhere and opened within 15 minutes."""
        return self._events.blocks_request(
            AsyncBlockAndPrivateDataEventsRequest, start_block, stop_block
        )
