# Made by scripts/make_sync.py from _network_async.py: change that, and run it.
"""A channel, as the peers of the gateway's organisation see it."""

from __future__ import annotations

from medfab_gateway._block import Block
from medfab_gateway._calls import Client
from medfab_gateway._commit import Commit
from medfab_gateway._contract import Contract
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._channel_events import ChannelEvents
from medfab_gateway._events._checkpoint import Checkpoint
from medfab_gateway._events._filtered_block import FilteredBlock
from medfab_gateway._events._private_data import BlockAndPrivateData
from medfab_gateway._events._request import DeliverRequest
from medfab_gateway._events._requests import (
    BlockAndPrivateDataEventsRequest,
    BlockEventsRequest,
    ChaincodeEventsRequest,
    FilteredBlockEventsRequest,
)
from medfab_gateway._events._shared_streams import SharedStreams
from medfab_gateway._events._stream import EventStream


class Network:
    """A channel: its contracts, its events and blocks, and the outcome of its transactions.

    ::

        network = gateway.network("care")
        answer = network.contract("assets").evaluate("ReadAsset", "asset-1")
        status = network.commit(transaction_id).status()
        with network.block_events(0, 1) as blocks:
            for block in blocks:
                print(block.number)
    """

    def __init__(self, client: Client, streams: SharedStreams, channel_name: str) -> None:
        self._client = client
        self._channel_name = channel_name
        self._events = ChannelEvents(client, streams, channel_name=channel_name)

    @property
    def channel_name(self) -> str:
        return self._channel_name

    def contract(self, chaincode_name: str, contract_name: str | None = None) -> Contract:
        """A contract of a chaincode; contract_name None: the chaincode's default contract."""
        return Contract(
            self._client,
            channel_name=self._channel_name,
            chaincode_name=chaincode_name,
            contract_name=contract_name,
        )

    def commit(self, transaction_id: str) -> Commit:
        """Asks for the outcome of any transaction of the channel, by its id.

        For what was submitted before, for instance by a process that has died since.
        """
        return Commit(self._client, channel_name=self._channel_name, transaction_id=transaction_id)

    def chaincode_events(
        self,
        chaincode_name: str,
        start_block: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> EventStream[CommittedEvent]:
        """The events of a chaincode's valid transactions, in order, as they are committed.

            with network.chaincode_events("ehr") as events:
                for event in events:
                    print(event.block_number, event.name)

        checkpoint: what has been handled before, see `Checkpointer`; None: see start_block.
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
    ) -> EventStream[Block]:
        """The channel's blocks, in order, as they are committed.

            with network.block_events(start_block=0) as blocks:
                for block in blocks:
                    print(block.number, len(block.transactions))

        checkpoint: what has been handled before; its block is delivered again where it names a
        transaction. None: see start_block. start_block: number of the first; None: the next to be
        committed. stop_block: number of the last; None: without end. Recovers as
        `chaincode_events` does; iterating raises `DeliverError` or `ConnectionFailedError`.
        """
        return self._events.blocks(BlockEventsRequest, start_block, stop_block, checkpoint)

    def filtered_block_events(
        self,
        start_block: int | None = None,
        stop_block: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> EventStream[FilteredBlock]:
        """The outcome of each transaction, without what it says; as `block_events` otherwise."""
        return self._events.blocks(FilteredBlockEventsRequest, start_block, stop_block, checkpoint)

    def block_and_private_data_events(
        self,
        start_block: int | None = None,
        stop_block: int | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> EventStream[BlockAndPrivateData]:
        """Blocks with the private data that the peer has; as `block_events` otherwise.

        Iterating raises `DeliverError` (`PERMISSION_DENIED`) on channels that close `event/Block`,
        as those of medfab with more than one organisation do: whoever may read this stream gets
        all private data of collections that are not member-only, past any contract.
        """
        return self._events.blocks(
            BlockAndPrivateDataEventsRequest, start_block, stop_block, checkpoint
        )

    def chaincode_events_request(
        self,
        chaincode_name: str,
        start_block: int | None = None,
        *,
        after_transaction_id: str | None = None,
    ) -> ChaincodeEventsRequest:
        """A request to be signed elsewhere; what it gives ends with its connection.

        after_transaction_id: of the last event handled: the peer goes on after it. One that
        emitted no event is never found, and nothing is ever sent. None: not used.
        """
        return self._events.chaincode_request(chaincode_name, start_block, after_transaction_id)

    def block_events_request(
        self, start_block: int | None = None, stop_block: int | None = None
    ) -> DeliverRequest[Block]:
        """A request to be signed elsewhere and opened within 15 minutes."""
        return self._events.blocks_request(BlockEventsRequest, start_block, stop_block)

    def filtered_block_events_request(
        self, start_block: int | None = None, stop_block: int | None = None
    ) -> DeliverRequest[FilteredBlock]:
        """A request to be signed elsewhere and opened within 15 minutes."""
        return self._events.blocks_request(FilteredBlockEventsRequest, start_block, stop_block)

    def block_and_private_data_events_request(
        self, start_block: int | None = None, stop_block: int | None = None
    ) -> DeliverRequest[BlockAndPrivateData]:
        """A request to be signed elsewhere and opened within 15 minutes."""
        return self._events.blocks_request(
            BlockAndPrivateDataEventsRequest, start_block, stop_block
        )
