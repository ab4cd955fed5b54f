"""Whether and when a broken stream is opened again. The clock is an argument."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from medfab_gateway._backoff import pauses
from medfab_gateway.errors import ConnectionFailedError, GatewayError, RequestLimitError


@dataclass(frozen=True, kw_only=True)
class Reconnect:
    """How streams of events recover. All in seconds.

    ::

        options = GatewayOptions(reconnect=Reconnect(max_delay=5, give_up_after=600))
    """

    first_delay: float = 0.2
    """The pause before the first attempt; each further one waits twice as long."""

    max_delay: float = 10.0
    """The longest pause. A stream that has lived for longer than this counts as recovered."""

    give_up_after: float | None = None
    """How long an interruption may last before its error is raised; None: for ever."""


class Interruption:
    """What one stream has been through since it last worked."""

    def __init__(self, settings: Reconnect, *, peers: int) -> None:
        """peers: how many there are to connect to."""
        self._settings = settings
        self._peers = peers
        self._reached = False
        self._began: float | None = None
        self._attempts = 0
        self._pauses = pauses(settings.first_delay, settings.max_delay)

    def is_over(self) -> None:
        """Something has come: the next failure is a new interruption."""
        self._reached = True
        self._began = None

    def failed(
        self, error: GatewayError, *, attempted: float, now: float, position_is_known: bool
    ) -> float | None:
        """The pause before the next attempt; None: raise the error.

        attempted, now: when the stream was opened and when it failed, on one clock in seconds.
        position_is_known: the channel is known to have reached the position, so that a peer that
        does not know it is only behind.
        """
        if not self._may_pass(error, position_is_known):
            return None
        never_connected = isinstance(error, ConnectionFailedError)
        if not never_connected and now - attempted > self._settings.max_delay:
            self._began = None  # silent, but it has lived
        if self._began is None:
            self._began, self._attempts = now, 0
            self._pauses = pauses(self._settings.first_delay, self._settings.max_delay)
        self._reached = self._reached or not never_connected
        give_up_after = self._settings.give_up_after
        if give_up_after is not None and now - self._began >= give_up_after:
            return None
        self._attempts += 1
        return next(self._pauses)

    def _may_pass(self, error: GatewayError, position_is_known: bool) -> bool:
        if isinstance(error, ConnectionFailedError):
            if error.code is not grpc.StatusCode.UNAVAILABLE:
                return False  # the gateway is closed
            # Addresses at which nobody has ever answered are wrong until the opposite is shown.
            return self._reached or self._attempts + 1 < self._peers
        if isinstance(error, RequestLimitError):
            return True
        if error.code is grpc.StatusCode.NOT_FOUND:
            return position_is_known
        return error.code in _PASSING


_PASSING = {
    grpc.StatusCode.UNAVAILABLE,  # the connection broke, or the peer is shutting down
    grpc.StatusCode.ABORTED,  # its ledger was closed under the stream
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.DEADLINE_EXCEEDED,  # of a question asked before the stream is opened
}
