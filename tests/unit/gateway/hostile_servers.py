"""Servers on loopback that do not behave, each in its own way."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import trustme

from medfab_gateway import Endpoint

UNARY = (
    "/gateway.Gateway/Evaluate",
    "/gateway.Gateway/Endorse",
    "/gateway.Gateway/Submit",
    "/gateway.Gateway/CommitStatus",
    "/protos.Endorser/ProcessProposal",
)
STREAMS = (
    "/gateway.Gateway/ChaincodeEvents",
    "/protos.Deliver/Deliver",
    "/protos.Deliver/DeliverFiltered",
    "/protos.Deliver/DeliverWithPrivateData",
)

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _Answers(grpc.GenericRpcHandler):
    """The same bytes to every call."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method in UNARY:
            return grpc.unary_unary_rpc_method_handler(self._one)
        if handler_call_details.method in STREAMS:
            return grpc.stream_stream_rpc_method_handler(self._stream)
        return None

    async def _one(self, request: bytes, context: Any) -> bytes:
        return self._answer

    async def _stream(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        yield self._answer
        await asyncio.Event().wait()


@asynccontextmanager
async def answering(
    answer: bytes,
    *,
    made_out_to: str = "localhost",
    expired: bool = False,
    trusted: bool = True,
    plaintext: bool = False,
) -> AsyncIterator[Endpoint]:
    """A gRPC server whose answers are `answer`, whatever they should be."""
    authority = trustme.CA()
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    issued = authority.issue_cert(made_out_to, not_after=yesterday if expired else None)
    credentials = grpc.ssl_server_credentials(
        [(issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes())]
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Answers(answer),))
    if plaintext:
        port = server.add_insecure_port("localhost:0")
    else:
        port = server.add_secure_port("localhost:0", credentials)
    await server.start()
    roots = (authority if trusted else trustme.CA()).cert_pem.bytes()
    try:
        yield Endpoint(f"localhost:{port}", tls_root_certificates=roots)
    finally:
        await server.stop(grace=0)


@asynccontextmanager
async def talking(talk: Talk, *, tls: bool = True) -> AsyncIterator[Endpoint]:
    """A server that does `talk` on every connection, over TLS (with gRPC's ALPN) or without.

    It accepts by itself, because `asyncio.Server` forgets the connections whose handshake is under
    way when it is closed: they would come about after the end of the test.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    connections: dict[asyncio.Task[None], socket.socket] = {}

    def accept() -> None:
        connection, _ = listening.accept()
        connection.setblocking(False)
        serving = loop.create_task(_serve(connection, talk, context if tls else None))
        connections[serving] = connection

    with socket.create_server(("127.0.0.1", 0)) as listening:
        loop.add_reader(listening, accept)
        address = f"localhost:{listening.getsockname()[1]}"
        try:
            yield Endpoint(address, tls_root_certificates=authority.cert_pem.bytes())
        finally:
            loop.remove_reader(listening)
            for serving in connections:
                serving.cancel()
            await asyncio.gather(*connections, return_exceptions=True)
            for connection in connections.values():
                connection.close()  # of what was cancelled before it began


async def _serve(connection: socket.socket, talk: Talk, context: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
        try:
            await talk(reader, asyncio.StreamWriter(transport, protocol, reader, loop))
        finally:
            transport.abort()
    except OSError:
        pass  # the client has gone
    finally:
        while connection.fileno() != -1:  # the transport closes it in a later turn of the loop
            await asyncio.sleep(0)


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def say_garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff not HTTP/2 at all \r\n" * 50)
    await writer.drain()
    await asyncio.Event().wait()


async def speak_http_1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    await asyncio.Event().wait()


async def send_headers_without_end(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """To the first request, headers that go on and on (CONTINUATION frames, RFC 9113)."""
    stream = await _first_request(reader, writer)
    header = b"\x00\x03x-a\x7f\x02" + b"v" * 129  # literal without indexing
    kind = 0x1  # HEADERS, and no END_HEADERS
    while True:
        writer.write(_frame(kind, 0, stream, header * 20))
        await writer.drain()
        await asyncio.sleep(0.01)
        kind = 0x9  # CONTINUATION


async def stop_in_a_message(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """To the first request, the beginning of a message of 900 kB. Pings are not answered."""
    stream = await _first_request(reader, writer)
    status_200, content_type = b"\x88", b"\x00\x0ccontent-type\x10application/grpc"
    writer.write(_frame(0x1, 0x4, stream, status_200 + content_type))
    writer.write(_frame(0x0, 0, stream, b"\x00" + (900_000).to_bytes(4, "big") + b"begin"))
    await writer.drain()
    await asyncio.Event().wait()


async def _first_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """The number of the stream of the first request, after the settings were exchanged."""
    await reader.readexactly(24)  # the client's preface
    writer.write(_frame(0x4, 0, 0, b""))
    while True:
        head = await reader.readexactly(9)
        await reader.readexactly(int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == 0x4 and not flags:
            writer.write(_frame(0x4, 0x1, 0, b""))  # settings seen
        if kind == 0x1:
            return stream


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    head = len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + content
