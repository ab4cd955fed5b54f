"""Chaincode as a service: peers dial in, each stream gets a handler."""

import asyncio
import logging
from collections.abc import Sequence

from medfab_chaincode._address import listening_sockets
from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._contract import Contract
from medfab_chaincode._http2_connection import Http2Connection
from medfab_chaincode._http2_stream import INTERNAL, OK, Http2Stream
from medfab_chaincode._observation import Observer, TransactionLog
from medfab_chaincode._settings import ServerSettings
from medfab_chaincode._streams import Streams
from medfab_chaincode._tls import server_context
from medfab_chaincode.errors import SettingsError

_log = logging.getLogger("medfab_chaincode.server")

_HANDSHAKE_SECONDS = 20.0
_FLUSH_SECONDS = 1.0
"""How long after draining the last messages may take to be handed over."""


class ChaincodeServer:
    """One listening address that serves the same chaincode to any number of peers.

    Raises `DefinitionError` where a contract cannot be served.
    """

    def __init__(
        self,
        chaincode: Sequence[Contract] | Chaincode,
        settings: ServerSettings,
        *,
        observer: Observer | None = None,
    ) -> None:
        self._settings = settings
        self.streams = Streams(chaincode, settings, observer or TransactionLog())
        self._servers: list[asyncio.Server] = []
        self._connections: set[Http2Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Listen, and return the address with the real port.

        Raises `SettingsError` when the address, the port or a TLS file cannot be used.
        """
        settings = self._settings
        if not settings.chaincode_id:
            raise SettingsError("CHAINCODE_ID is missing: the package id, label:hash")
        context = server_context(settings)
        sockets, address = listening_sockets(settings.address)
        for listening in sockets:
            server = await asyncio.get_running_loop().create_server(
                lambda: Http2Connection(self._opened, self._connections),
                sock=listening,
                ssl=context,
                ssl_handshake_timeout=None if context is None else _HANDSHAKE_SECONDS,
            )
            self._servers.append(server)
        if context is None:
            _log.warning("TLS is disabled: anyone who reaches the port can read along and call")
        elif settings.client_ca_certificate_file is None:
            _log.warning("no client CA is set: anyone who reaches the port can call")
        return address

    async def ended(self) -> None:
        """Never: a server goes on without peers."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Refuse new work, let running transactions finish (bounded), and end every stream."""
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.refuse_streams()
        await self.streams.drain()
        if self._serving:
            await asyncio.wait(self._serving, timeout=_FLUSH_SECONDS)
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        ends = [connection.lost for connection in self._connections]
        for connection in list(self._connections):
            connection.close()
        if ends:
            await asyncio.wait(ends, timeout=2 * _FLUSH_SECONDS)

    def _opened(self, stream: Http2Stream) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(stream))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, stream: Http2Stream) -> None:
        _log.info("a peer connected", extra={"peer": stream.peer})
        status = INTERNAL
        try:
            await self.streams.serve(stream)
            status = OK
        finally:
            stream.end(status)
            _log.info("a peer disconnected", extra={"peer": stream.peer})
