"""Chaincode as a service on grpc.aio: peers dial in, each stream gets a handler."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio

from medfab_chaincode._address import checked_address
from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._contract import Contract
from medfab_chaincode._grpc_stream import SIZE_OPTIONS, GrpcStream
from medfab_chaincode._observation import Observer, TransactionLog
from medfab_chaincode._settings import ServerSettings
from medfab_chaincode._streams import Streams
from medfab_chaincode._tls import server_credentials
from medfab_chaincode.errors import SettingsError

_log = logging.getLogger("medfab_chaincode.server")

_OPTIONS = (
    *SIZE_OPTIONS,
    # A peer pings every 60 s. gRPC's own minimum is 300 s: it would hang up after the third.
    ("grpc.http2.min_ping_interval_without_data_ms", 500),
    ("grpc.keepalive_permit_without_calls", 1),
    # Our own pings, to notice a peer that vanished without a word.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Otherwise a second server on the same port starts, and gets some of the streams.
    ("grpc.so_reuseport", 0),
)

_FLUSH_SECONDS = 1.0
"""How long after draining gRPC may take to hand the last messages over."""


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
        self._server: grpc.aio.Server | None = None

    async def start(self) -> str:
        """Listen, and return the address with the real port.

        Raises `SettingsError` when the address, the port or a TLS file cannot be used.
        """
        settings = self._settings
        if not settings.chaincode_id:
            raise SettingsError("CHAINCODE_ID is missing: the package id, label:hash")
        host, port = checked_address(settings.address)
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

    async def ended(self) -> None:
        """Never: a server goes on without peers."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Refuse new work, let running transactions finish (bounded), and end every stream."""
        if self._server is None:
            return
        await asyncio.gather(
            self._server.stop(self._settings.drain_seconds + _FLUSH_SECONDS), self.streams.drain()
        )

    async def _connect(self, _: object, call: "grpc.aio.ServicerContext[bytes, bytes]") -> None:
        _log.info("a peer connected", extra={"peer": call.peer()})
        try:
            await self.streams.serve(GrpcStream(call))
        finally:
            _log.info("a peer disconnected", extra={"peer": call.peer()})
