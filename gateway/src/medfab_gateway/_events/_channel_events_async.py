"""The streams of one channel, and the requests for them."""

from __future__ import annotations

import time

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2

from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._checkpoint import Checkpoint, first_block
from medfab_gateway._events._feed_async import Item
from medfab_gateway._events._request_async import AsyncDeliverRequest
from medfab_gateway._events._requests_async import AsyncChaincodeEventsRequest
from medfab_gateway._events._resuming_async import AsyncResuming
from medfab_gateway._events._shared_streams_async import AsyncSharedStreams
from medfab_gateway._events._stream_async import AsyncEventStream
from medfab_gateway._events._subscription_async import AsyncSubscription
from medfab_gateway._messages.chaincode_events import build_chaincode_events_request
from medfab_gateway._messages.deliver import build_seek_payload
from medfab_gateway._peer_async import AsyncPeer


class AsyncChannelEvents:
    """What `AsyncNetwork` offers of events; each kind of blocks is named by its request."""

    def __init__(
        self, client: AsyncClient, streams: AsyncSharedStreams, *, channel_name: str
    ) -> None:
        self._client = client
        self._streams = streams
        self._channel_name = channel_name

    def chaincode(
        self, chaincode_name: str, start_block: int | None, checkpoint: Checkpoint | None
    ) -> AsyncEventStream[CommittedEvent]:
        _check_range(start_block, None)
        start_block = first_block(checkpoint, start_block)

        def open_feed(start_block: int) -> AsyncResuming[CommittedEvent]:
            return AsyncResuming(
                self._client,
                lambda start_block, _: self.chaincode_request(chaincode_name, start_block, None),
                channel_name=self._channel_name,
                start_block=start_block,
            )

        return AsyncEventStream(
            AsyncSubscription(
                self._client,
                self._streams,
                channel_name=self._channel_name,
                chaincode_name=chaincode_name,
                start_block=start_block,
                checkpoint=checkpoint,
                open_feed=open_feed,
            )
        )

    def chaincode_request(
        self, chaincode_name: str, start_block: int | None, after_transaction_id: str | None
    ) -> AsyncChaincodeEventsRequest:
        request = build_chaincode_events_request(
            identity=self._client.identity,
            channel_id=self._channel_name,
            chaincode_name=chaincode_name,
            start_block=start_block,
            after_transaction_id=after_transaction_id,
        )
        return AsyncChaincodeEventsRequest(
            self._client,
            gateway_pb2.SignedChaincodeEventsRequest(request=request),
            channel_name=self._channel_name,
            chaincode_name=chaincode_name,
        )

    def blocks(
        self,
        kind: type[AsyncDeliverRequest[Item]],
        start_block: int | None,
        stop_block: int | None,
        checkpoint: Checkpoint | None,
    ) -> AsyncEventStream[Item]:
        _check_range(start_block, stop_block)
        start_block = first_block(checkpoint, start_block)
        return AsyncEventStream(
            AsyncResuming(
                self._client,
                lambda start_block, peer: self.blocks_request(kind, start_block, stop_block, peer),
                channel_name=self._channel_name,
                start_block=start_block,
                stop_block=stop_block,
                position_is_known=checkpoint is not None,
            )
        )

    def blocks_request(
        self,
        kind: type[AsyncDeliverRequest[Item]],
        start_block: int | None,
        stop_block: int | None,
        peer: AsyncPeer | None = None,
    ) -> AsyncDeliverRequest[Item]:
        """peer: that it will be sent to; None: the preferred one."""
        _check_range(start_block, stop_block)
        payload = build_seek_payload(
            identity=self._client.identity,
            channel_id=self._channel_name,
            start_block=start_block,
            stop_block=stop_block,
            timestamp_ns=time.time_ns(),
            tls_certificate_hash=(peer or self._client.peers.all[0]).tls_certificate_hash,
        )
        envelope = common_pb2.Envelope(payload=payload)
        return kind(self._client, envelope, channel_name=self._channel_name)


def _check_range(start_block: int | None, stop_block: int | None) -> None:
    for number in (start_block, stop_block):
        if number is not None and not 0 <= number < 2**64:
            raise ValueError(f"Block numbers are 0 … 2⁶⁴-1, not {number}.")
    if start_block is not None and stop_block is not None and stop_block < start_block:
        raise ValueError(f"stop_block {stop_block} lies before start_block {start_block}.")
