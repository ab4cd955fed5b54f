"""The HTTP endpoint for operators: health, readiness and metrics. Plain HTTP/1.1, GET only."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from medfab_chaincode._address import listening_sockets

if TYPE_CHECKING:
    from medfab_chaincode._metrics import Metrics

_REQUEST_SECONDS = 5.0
"""How long a client may take to ask and to read."""

_REQUEST_BYTES = 16 * 1024

_Answer = tuple[HTTPStatus, str, bytes]
_JSON = "application/json"


class OperationsServer:
    """Answers `/healthz`, `/readyz` and, with metrics, `/metrics`."""

    def __init__(self, address: str, *, streams: Callable[[], int], metrics: "Metrics | None"):
        self._address = address
        self._streams = streams
        self._metrics = metrics
        self._servers: list[asyncio.Server] = []

    async def start(self) -> str:
        """Listen, and return the address with the real port.

        Raises `SettingsError` when the address cannot be used.
        """
        sockets, address = listening_sockets(self._address)
        for listening in sockets:
            server = await asyncio.start_server(self._serve, sock=listening, limit=_REQUEST_BYTES)
            self._servers.append(server)
        return address

    async def stop(self) -> None:
        """Listen no more."""
        for server in self._servers:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whatever a client does wrong is its own affair: it is hung up on.
        with contextlib.suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                status, kind, body = self._answer(head.partition(b"\r\n")[0])
                writer.write(
                    f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        writer.close()

    def _answer(self, request_line: bytes) -> _Answer:
        method, _, rest = request_line.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, _JSON, b"{}"
        if path == b"/healthz":
            return HTTPStatus.OK, _JSON, b'{"status":"OK"}'
        if path == b"/readyz":
            count = self._streams()
            ready = HTTPStatus.OK if count else HTTPStatus.SERVICE_UNAVAILABLE
            return ready, _JSON, json.dumps({"streams": count}).encode()
        if path == b"/metrics" and self._metrics is not None:
            return HTTPStatus.OK, self._metrics.content_type, self._metrics.exposition()
        return HTTPStatus.NOT_FOUND, _JSON, b"{}"
