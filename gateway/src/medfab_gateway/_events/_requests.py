# Made by scripts/make_sync.py from _requests_async.py: change that, and run it.
"""Requests for streams of events: what is signed, and what the peer's answers mean."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import grpc

from medfab_gateway._block import Block
from medfab_gateway._block_decoder import decode_block
from medfab_gateway._blocking import Stream
from medfab_gateway._calls import Client
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._feed import Batch, Item
from medfab_gateway._events._filtered_block import (
    FilteredBlock,
    decode_filtered_block,
    filter_block,
)
from medfab_gateway._events._ledger import fetch_block
from medfab_gateway._events._private_data import BlockAndPrivateData, decode_block_and_private_data
from medfab_gateway._events._request import DeliverRequest, EventsRequest
from medfab_gateway._messages.deliver import read_start_block
from medfab_gateway._peer import Peer
from medfab_gateway.errors import DeliverError, GatewayError, SigningError


class ChaincodeEventsRequest(EventsRequest[CommittedEvent]):
    """For the events of one chaincode. `bytes` is a `gateway.SignedChaincodeEventsRequest`.

    ::

        request = network.chaincode_events_request("assets", start_block=0)
        with request.events() as events:
            for event in events:
                handle(event)
    """

    def __init__(
        self, client: Client, message: Any, *, channel_name: str, chaincode_name: str
    ) -> None:
        """message: a `gateway.SignedChaincodeEventsRequest`. The names are for errors."""
        super().__init__(client, message, signed=message, content=message.request)
        self._client = client
        self._action = f"Reading the events of chaincode {chaincode_name} on {channel_name}"

    def _open(self, peer: Peer) -> Stream:
        method = peer.gateway.ChaincodeEvents
        return Stream(peer, method, self._message, DeliverError, action=self._action)

    def _decode(self, response: Any, peer: Peer) -> Batch[CommittedEvent]:
        number = response.block_number
        return Batch(
            number=number,
            items=tuple(
                CommittedEvent(
                    block_number=number,
                    transaction_id=event.tx_id,
                    chaincode_name=event.chaincode_id,
                    name=event.event_name,
                    payload=event.payload,
                )
                for event in response.events
            ),
        )


class BlockEventsRequest(DeliverRequest[Block]):
    """For whole blocks.

    ::

        request = network.block_events_request(0, 1)
        with request.events() as blocks:
            for block in blocks:
                print(block.number, len(block.transactions))
    """

    _method = "Deliver"
    _answer = "block"
    _what = "the blocks"

    @property
    def alternative(self) -> BlocksByNumberRequest:
        # The same message, signature included, to another method.
        return BlocksByNumberRequest(self._client, self._message, channel_name=self._channel_name)

    def _decode_block(self, response: Any) -> Batch[Block]:
        block = decode_block(response.block)
        return Batch(number=block.number, items=(block,))


class ByFilteredRequest(DeliverRequest[Item]):
    """By the stream of filtered blocks.

    Any member can have a transaction put into a block that cannot be taken apart. In place of such
    a block the peer sends `BAD_REQUEST`, and goes on with the next one; it is then read by its
    number, so that one bad writer does not stop every reader.
    """

    _method = "DeliverFiltered"
    _answer = "filtered_block"

    def __init__(self, client: Client, message: Any, *, channel_name: str) -> None:
        super().__init__(client, message, channel_name=channel_name)
        self._next_block = read_start_block(message.payload)

    def _decode(self, response: Any, peer: Peer) -> Batch[Item] | None:
        try:
            batch = super()._decode(response, peer)
        except DeliverError as error:
            if error.code is not grpc.StatusCode.INVALID_ARGUMENT or self._next_block is None:
                raise
            batch = self._read_whole(self._next_block, error)
        if batch is not None:
            self._next_block = batch.number + 1
        return batch

    def _read_whole(self, number: int, refusal: DeliverError) -> Batch[Item]:
        try:
            block = fetch_block(self._client, channel_name=self._channel_name, number=number)
        except (GatewayError, SigningError):
            raise refusal from None  # so it was the request that the peer has refused
        return Batch(number=number, items=(self._from_block(block),))

    @abstractmethod
    def _from_block(self, block: Block) -> Item: ...


class BlocksByNumberRequest(ByFilteredRequest[Block]):
    """For whole blocks, where the stream of them is closed: their numbers, and one call each.

    A channel that keeps private data closes `event/Block` to everybody: the same ACL guards
    `DeliverWithPrivateData`, which hands all of a peer's private data to whoever may read blocks.
    Its members still learn the numbers of new blocks and read blocks one by one.
    """

    _what = "the blocks"

    def _decode_block(self, response: Any) -> Batch[Block]:
        number = response.filtered_block.number
        block = fetch_block(self._client, channel_name=self._channel_name, number=number)
        return Batch(number=number, items=(block,))

    def _from_block(self, block: Block) -> Block:
        return block


class FilteredBlockEventsRequest(ByFilteredRequest[FilteredBlock]):
    """For the outcome of each transaction, without what it says.

    ::

        request = network.filtered_block_events_request(0, 1)
        with request.events() as blocks:
            for block in blocks:
                print(block.number, len(block.transactions))
    """

    _what = "the filtered blocks"

    def _decode_block(self, response: Any) -> Batch[FilteredBlock]:
        block = decode_filtered_block(response.filtered_block)
        return Batch(number=block.number, items=(block,))

    def _from_block(self, block: Block) -> FilteredBlock:
        return filter_block(block, channel_id=self._channel_name)


class BlockAndPrivateDataEventsRequest(DeliverRequest[BlockAndPrivateData]):
    """For whole blocks, and the private data that the peer and the identity's organisation have.

    ::

        request = network.block_and_private_data_events_request(0, 1)
        with request.events() as blocks:
            for each in blocks:
                print(each.block.number, len(each.private_data))
    """

    _method = "DeliverWithPrivateData"
    _answer = "block_and_private_data"
    _what = "the blocks and private data"

    def _decode_block(self, response: Any) -> Batch[BlockAndPrivateData]:
        block = decode_block_and_private_data(response.block_and_private_data)
        return Batch(number=block.block.number, items=(block,))
