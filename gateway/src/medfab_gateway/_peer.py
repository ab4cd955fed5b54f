# Made by scripts/make_sync.py from _peer_async.py: change that, and run it.
"""The peers of a gateway: their channels, their stubs, and how well they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from fabric_protos.gateway import gateway_pb2_grpc
from fabric_protos.peer import events_pb2_grpc, peer_pb2_grpc

from medfab_gateway import _blocking
from medfab_gateway._options import GatewayOptions
from medfab_gateway.endpoint import Endpoint

_log = logging.getLogger("medfab_gateway.peers")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0  # seconds


class Peer:
    """A peer that a gateway may call."""

    def __init__(
        self,
        channel: _blocking.Channel,
        options: GatewayOptions,
        *,
        address: str | None = None,
        msp_id: str | None = None,
        tls_certificate_hash: bytes | None = None,
    ) -> None:
        """address, msp_id: None where they are not known."""
        self.channel = channel
        self.address = address
        self.msp_id = msp_id
        self.tls_certificate_hash = tls_certificate_hash
        # All stubs at once: making one on a closed blocking channel ends the process (SIGSEGV).
        self.gateway: Any = gateway_pb2_grpc.GatewayStub(channel)
        self.deliver: Any = events_pb2_grpc.DeliverStub(channel)
        self.endorser: Any = peer_pb2_grpc.EndorserStub(channel)
        self.call_permits: _blocking.Permits = _blocking.Permits(options.concurrent_calls)
        self.wait_permits: _blocking.Permits = _blocking.Permits(options.concurrent_status_waits)
        self._pause = _FIRST_PAUSE
        self._pause_ends = 0.0

    @classmethod
    def open(cls, endpoint: Endpoint, options: GatewayOptions) -> Peer:
        """With a channel of its own."""
        return cls(
            _blocking.open_channel(endpoint),
            options,
            address=endpoint.address,
            msp_id=endpoint.msp_id,
            tls_certificate_hash=endpoint.client_certificate_hash,
        )

    @property
    def name(self) -> str:
        """For people: the address, and the organisation where it is known."""
        organization = f" ({self.msp_id})" if self.msp_id else ""
        return f"{self.address or 'the peer'}{organization}"

    @property
    def is_well(self) -> bool:
        """False for a while after a failure; then the next call tries the peer again."""
        return time.monotonic() >= self._pause_ends

    def failed(self) -> None:
        """A call did not get through. Each failure in a row makes the pause longer.

        Trying a peer that is still away costs next to nothing: gRPC goes on connecting in the
        background, and fails calls at once until it has succeeded.
        """
        if not self.is_well:
            return  # one of several calls that fail at the same time
        _log.warning("%s is put aside for %g s", self.name, self._pause)
        self._pause_ends = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def succeeded(self) -> None:
        """A call got through."""
        self._pause = _FIRST_PAUSE


class Peers:
    """The peers of a gateway, the preferred one first; at least one."""

    def __init__(self, peers: Sequence[Peer]) -> None:
        self.all: tuple[Peer, ...] = tuple(peers)

    def in_order(self) -> list[Peer]:
        """The order in which to try: those that are well as preferred, then the others."""
        return sorted(self.all, key=lambda peer: not peer.is_well)

    def failed(self, peer: Peer) -> None:
        """Puts a peer aside for a while, if there is another one."""
        if len(self.all) > 1:
            peer.failed()
