"""Chaincode as a service on grpc.aio: peers dial in, each stream gets a handler."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._contract import Contract
from medfab_chaincode._execution import Executor
from medfab_chaincode._handler import StreamHandler
from medfab_chaincode._router import Router
from medfab_chaincode._settings import ServerSettings
from medfab_chaincode._tls import server_credentials
from medfab_chaincode._transport import MESSAGE_BYTES
from medfab_chaincode.errors import SettingsError

_log = logging.getLogger("medfab_chaincode.server")

_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A peer pings every 60 s. gRPC's own minimum is 300 s: it would hang up after the third.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Our own pings, to notice a peer that vanished without a word.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Otherwise a second server on the same port starts, and gets some of the streams.
    ("grpc.so_reuseport", 0),
)

_FLUSH_SECONDS = 1.0
"""How long after draining gRPC may take to hand the last messages over."""


class _PeerStream:
    """The transport seam over one grpc.aio call."""

    def __init__(self, call: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
        self._call = call

    async def receive(self) -> bytes | None:
        message: Any = await self._call.read()
        return None if message is grpc.aio.EOF else message

    async def send(self, message: bytes) -> None:
        await self._call.write(message)


class ChaincodeServer:
    """One listening address that serves the same chaincode to any number of peers.

    Raises `DefinitionError` where a contract cannot be served.
    """

    def __init__(self, chaincode: Sequence[Contract] | Chaincode, settings: ServerSettings) -> None:
        self._settings = settings
        self._executor = Executor(
            chaincode if isinstance(chaincode, Chaincode) else Router(chaincode)
        )
        self._handlers: set[StreamHandler] = set()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> str:
        """Listen, and return the address with the real port.

        Raises `SettingsError` when the address, the port or a TLS file cannot be used.
        """
        settings = self._settings
        if not settings.chaincode_id:
            raise SettingsError("CHAINCODE_ID is missing: the package id, label:hash")
        host, port = _checked_address(settings.address)
        credentials = server_credentials(settings)
        server = grpc.aio.server(options=_OPTIONS)
        connect: Any = grpc.stream_stream_rpc_method_handler(self._connect)
        service = grpc.method_handlers_generic_handler("protos.Chaincode", {"Connect": connect})
        server.add_generic_rpc_handlers((service,))
        try:
            if credentials is None:
                port = server.add_insecure_port(f"{host}:{port}")
            else:
                port = server.add_secure_port(f"{host}:{port}", credentials)
        except RuntimeError as error:
            raise SettingsError(f"gRPC cannot listen on {settings.address}") from error
        await server.start()
        self._server = server
        if credentials is None:
            _log.warning("TLS is disabled: anyone who reaches the port can read along and call")
        elif settings.client_ca_certificate_file is None:
            _log.warning("no client CA is set: anyone who reaches the port can call")
        return f"{host}:{port}"

    async def stop(self) -> None:
        """Refuse new work, let running transactions finish (bounded), and end every stream."""
        if self._server is None:
            return
        seconds = self._settings.drain_seconds
        await asyncio.gather(
            self._server.stop(seconds + _FLUSH_SECONDS),
            *(handler.drain(seconds) for handler in self._handlers),
        )

    async def _connect(self, _: object, call: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
        handler = StreamHandler(
            _PeerStream(call),
            chaincode_id=self._settings.chaincode_id,
            executor=self._executor,
        )
        self._handlers.add(handler)
        _log.info("a peer connected", extra={"peer": call.peer()})
        try:
            await handler.run()
        finally:
            self._handlers.discard(handler)
            _log.info("a peer disconnected", extra={"peer": call.peer()})


async def serve(
    chaincode: Sequence[Contract] | Chaincode,
    settings: ServerSettings,
    *,
    stop: asyncio.Event | None = None,
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serve contracts, or a `Chaincode`, until `stop` is set or the task is cancelled; then drain.

    `on_listening` is called once with the address when peers can connect; a TCP and TLS
    connection to it is a sufficient health check. The first contract is the default one.
    Raises `SettingsError` or `DefinitionError` if the server cannot be started.
    """
    server = ChaincodeServer(chaincode, settings)
    address = await server.start()
    try:
        if on_listening is not None:
            on_listening(address)
        await (stop or asyncio.Event()).wait()
    finally:
        await server.stop()


def _checked_address(address: str) -> tuple[str, int]:
    """Split `host:port` and try to bind it, because gRPC does not say why it could not."""
    host, _, port_text = address.rpartition(":")
    host = host or "0.0.0.0"  # noqa: S104  `:9999` means every interface, as in Go
    if not port_text.isdecimal() or int(port_text) > 65535:
        raise SettingsError(f"{address!r} is not an address: write host:port")
    port = int(port_text)
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            # Binding alone succeeds beside a listener that allows the address to be reused.
            probe.listen(1)
    except OSError as error:
        raise SettingsError(f"cannot listen on {address}: {error.strerror or error}") from error
    return host, port
