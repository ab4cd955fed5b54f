"""Waiting before something that has failed is tried again."""

from __future__ import annotations

import logging
import time

from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._events._aio import Change
from medfab_gateway._events._reconnect import Interruption
from medfab_gateway.errors import GatewayError

_log = logging.getLogger("medfab_gateway.events")


class AsyncRecovery:
    """The failures of one stream, and whether and when to go on after each."""

    def __init__(self, client: AsyncClient, *, position_is_known: bool) -> None:
        """position_is_known: see `Interruption.failed`."""
        settings = client.options.reconnect
        self._interruption = Interruption(settings, peers=len(client.peers.all))
        self._attempted = time.monotonic()
        self._change = Change()
        self.position_is_known = position_is_known
        self.closed = False

    def attempt(self) -> None:
        """To be called whenever something is tried."""
        self._attempted = time.monotonic()

    def succeeded(self) -> None:
        """To be called whenever something has come."""
        self._interruption.is_over()

    async def wait_after(self, error: GatewayError) -> None:
        """Returns when to try again, or at once where it is closed; otherwise raises `error`."""
        if self.closed:
            return
        delay = self._interruption.failed(
            error,
            attempted=self._attempted,
            now=time.monotonic(),
            position_is_known=self.position_is_known,
        )
        if delay is None:
            raise error
        _log.warning("%s Trying again in %.1f s.", str(error).partition("\n")[0], delay)
        seen = self._change.count
        if not self.closed:
            await self._change.wait(seen, seconds=delay)

    def close(self) -> None:
        self.closed = True
        self._change.tell()
