# Made by scripts/make_sync.py from _channel_events_async.py: change that, and run it.
"""The streams of one channel, and the requests for them."""

from __future__ import annotations

import time

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2

from medfab_gateway._calls import Client
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._checkpoint import Checkpoint, first_block
from medfab_gateway._events._feed import Item
from medfab_gateway._events._request import DeliverRequest
from medfab_gateway._events._requests import ChaincodeEventsRequest
from medfab_gateway._events._resuming import Resuming
from medfab_gateway._events._shared_streams import SharedStreams
from medfab_gateway._events._stream import EventStream
from medfab_gateway._events._subscription import Subscription
from medfab_gateway._messages.chaincode_events import build_chaincode_events_request
from medfab_gateway._messages.deliver import build_seek_payload
from medfab_gateway._peer import Peer


class ChannelEvents:
    """What `Network` offers of events; each kind of blocks is named by its request."""

    def __init__(self, client: Client, streams: SharedStreams, *, channel_name: str) -> None:
        self._client = client
        self._streams = streams
        self._channel_name = channel_name

    def chaincode(
        self, chaincode_name: str, start_block: int | None, checkpoint: Checkpoint | None
    ) -> EventStream[CommittedEvent]:
        _check_range(start_block, None)
        start_block = first_block(checkpoint, start_block)

        def open_feed(start_block: int) -> Resuming[CommittedEvent]:
            return Resuming(
                self._client,
                lambda start_block, _: self.chaincode_request(chaincode_name, start_block, None),
                channel_name=self._channel_name,
                start_block=start_block,
            )

        return EventStream(
            Subscription(
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
    ) -> ChaincodeEventsRequest:
        request = build_chaincode_events_request(
            identity=self._client.identity,
            channel_id=self._channel_name,
            chaincode_name=chaincode_name,
            start_block=start_block,
            after_transaction_id=after_transaction_id,
        )
        return ChaincodeEventsRequest(
            self._client,
            gateway_pb2.SignedChaincodeEventsRequest(request=request),
            channel_name=self._channel_name,
            chaincode_name=chaincode_name,
        )

    def blocks(
        self,
        kind: type[DeliverRequest[Item]],
        start_block: int | None,
        stop_block: int | None,
        checkpoint: Checkpoint | None,
    ) -> EventStream[Item]:
        _check_range(start_block, stop_block)
        start_block = first_block(checkpoint, start_block)
        return EventStream(
            Resuming(
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
        kind: type[DeliverRequest[Item]],
        start_block: int | None,
        stop_block: int | None,
        peer: Peer | None = None,
    ) -> DeliverRequest[Item]:
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
