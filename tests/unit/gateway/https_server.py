"""A small HTTPS server on loopback that gives canned answers and keeps what it was asked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trustme


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


@dataclass
class HttpsServer:
    url: str
    authority: trustme.CA
    requests: list[Request] = field(default_factory=list)

    @property
    def tls_root(self) -> bytes:
        return self.authority.cert_pem.bytes()


@asynccontextmanager
async def https_server(
    answer: Callable[[Request], Answer | None],
    *,
    client_authority: trustme.CA | None = None,
) -> AsyncIterator[HttpsServer]:
    """Serve at localhost; an answer of None is never sent."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        client_authority.configure_trust(context)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request_line, *lines = head.decode().rstrip().split("\r\n")
                method, target, _ = request_line.split(" ")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                request = Request(method, target, headers, body)
                server.requests.append(request)
                if (reply := answer(request)) is None:
                    await reader.read()
                    return
                writer.write(
                    b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (reply.status, len(reply.body))
                    + reply.body
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = listener.sockets[0].getsockname()[1]
    server = HttpsServer(f"https://localhost:{port}", authority)
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()
