"""One endpoint of a gateway: its channel, its stubs, and how well it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from fabric_protos.gateway import gateway_pb2_grpc
from fabric_protos.peer import events_pb2_grpc, peer_pb2_grpc

ChannelT = TypeVar("ChannelT")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 16.0  # seconds


class Peer(Generic[ChannelT]):
    """A peer that a gateway may call. Used by any number of tasks or threads."""

    def __init__(
        self,
        channel: ChannelT,
        *,
        address: str | None,
        msp_id: str | None,
        tls_certificate_hash: bytes | None,
        watch: Callable[[ChannelT], Callable[[], bool]],
    ) -> None:
        """address, msp_id: None where they are not known. watch: begins to connect a channel
        again; what it gives tells whether the channel is connected."""
        self.channel = channel
        self.address = address
        self.msp_id = msp_id
        self.tls_certificate_hash = tls_certificate_hash
        self._watch = watch
        self._is_connected: Callable[[], bool] | None = None
        self._pause = _FIRST_PAUSE
        self._pause_ends = 0.0

    @cached_property
    def gateway(self) -> Any:
        """The stub of the Gateway service."""
        return gateway_pb2_grpc.GatewayStub(self.channel)

    @cached_property
    def deliver(self) -> Any:
        """The stub of the Deliver service: blocks."""
        return events_pb2_grpc.DeliverStub(self.channel)

    @cached_property
    def endorser(self) -> Any:
        """The stub of the Endorser service: the peer itself, past its gateway."""
        return peer_pb2_grpc.EndorserStub(self.channel)

    @property
    def name(self) -> str:
        """For people: the address, and the organisation where it is known."""
        organization = f" ({self.msp_id})" if self.msp_id else ""
        return f"{self.address or 'the peer'}{organization}"

    @property
    def is_well(self) -> bool:
        """False after a failure, until the peer is connected again and a pause is over."""
        if self._is_connected is None:
            return True
        return time.monotonic() >= self._pause_ends and self._is_connected()

    def failed(self) -> None:
        """A call did not get through. Each failure in a row makes the pause longer."""
        if not self.is_well:
            return  # one of several calls that fail at the same time
        if self._is_connected is not None:
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        self._pause_ends = time.monotonic() + self._pause
        self._is_connected = self._watch(self.channel)

    def succeeded(self) -> None:
        """A call got through."""
        self._is_connected = None
        self._pause = _FIRST_PAUSE


class Peers(Generic[ChannelT]):
    """The peers of a gateway, the preferred one first."""

    def __init__(self, peers: Sequence[Peer[ChannelT]]) -> None:
        self.all = tuple(peers)

    def in_order(self) -> list[Peer[ChannelT]]:
        """The order in which to try: those that are well as preferred, then the others."""
        return sorted(self.all, key=lambda peer: not peer.is_well)

    def failed(self, peer: Peer[ChannelT]) -> None:
        """Puts a peer aside for a while, if there is another one."""
        if len(self.all) > 1:
            peer.failed()
