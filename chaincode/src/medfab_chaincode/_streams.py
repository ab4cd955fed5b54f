"""All streams of one process: served by the same chaincode, counted, drained together."""

import asyncio
from collections.abc import Sequence

from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._contract import Contract
from medfab_chaincode._execution import Executor
from medfab_chaincode._handler import StreamHandler
from medfab_chaincode._observation import Observer
from medfab_chaincode._router import Router
from medfab_chaincode._settings import ClientSettings, ServerSettings
from medfab_chaincode._transport import Stream


class Streams:
    """What a server and a client have in common.

    Raises `DefinitionError` where a contract cannot be served.
    """

    def __init__(
        self,
        chaincode: Sequence[Contract] | Chaincode,
        settings: ServerSettings | ClientSettings,
        observer: Observer,
    ) -> None:
        target = chaincode if isinstance(chaincode, Chaincode) else Router(chaincode)
        self._executor = Executor(target, msp_id=settings.msp_id)
        self._settings = settings
        self._observer = observer
        self._handlers: set[StreamHandler] = set()

    @property
    def count(self) -> int:
        """How many streams are open."""
        return len(self._handlers)

    async def serve(self, stream: Stream) -> None:
        """Serve one stream until it is over."""
        handler = StreamHandler(
            stream,
            chaincode_id=self._settings.chaincode_id,
            executor=self._executor,
            observer=self._observer,
        )
        self._handlers.add(handler)
        self._observer.streams_changed(self.count)
        try:
            await handler.run()
        finally:
            self._handlers.discard(handler)
            self._observer.streams_changed(self.count)

    async def drain(self) -> None:
        """Take no more transactions, let the running ones finish (bounded), end all streams."""
        seconds = self._settings.drain_seconds
        await asyncio.gather(*(handler.drain(seconds) for handler in self._handlers))
