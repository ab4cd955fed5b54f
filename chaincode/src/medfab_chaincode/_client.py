"""Chaincode as a peer's client on grpc.aio: dials `ChaincodeSupport/Register`, as containers do."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio

from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._contract import Contract
from medfab_chaincode._grpc_stream import SIZE_OPTIONS, GrpcStream
from medfab_chaincode._observation import Observer, TransactionLog
from medfab_chaincode._settings import ClientSettings
from medfab_chaincode._streams import Streams
from medfab_chaincode._tls import client_credentials
from medfab_chaincode.errors import SettingsError, StreamLostError

_log = logging.getLogger("medfab_chaincode.client")

_OPTIONS = (
    *SIZE_OPTIONS,
    # The peer takes a ping each minute at most; more often, and it hangs up.
    ("grpc.keepalive_time_ms", 75_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)

_PAUSE_SECONDS = 1.0
"""Between the end of a stream and the next attempt."""

_FLUSH_SECONDS = 1.0
"""How long gRPC may take to hand the last messages over."""


class ChaincodeClient:
    """One stream to one peer, made by us.

    Raises `DefinitionError` where a contract cannot be served.
    """

    def __init__(
        self,
        chaincode: Sequence[Contract] | Chaincode,
        settings: ClientSettings,
        *,
        observer: Observer | None = None,
    ) -> None:
        self._settings = settings
        self.streams = Streams(chaincode, settings, observer or TransactionLog())
        self._credentials: grpc.ChannelCredentials | None = None
        self._serving: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> str:
        """Begin to dial, and return the peer's address.

        Raises `SettingsError` when the address or a TLS file cannot be used.
        """
        settings = self._settings
        if not settings.chaincode_id:
            raise SettingsError("CORE_CHAINCODE_ID_NAME is missing: the package id, label:hash")
        host, _, port = settings.peer_address.rpartition(":")
        if not host or not port.isdecimal():
            raise SettingsError(f"{settings.peer_address!r} is not an address: write host:port")
        self._credentials = client_credentials(settings)
        if self._credentials is None:
            _log.warning("TLS is disabled: anyone on the way to the peer can read along")
        self._serving = asyncio.create_task(self._serve())
        return settings.peer_address

    async def ended(self) -> None:
        """Return when there is no stream any more and none to come.

        Raises `StreamLostError` unless `stop` has been called.
        """
        if self._serving is not None:
            await asyncio.shield(self._serving)

    async def stop(self) -> None:
        """Refuse new work, let running transactions finish (bounded), and end the stream."""
        if self._serving is None:
            return
        self._stopping = True
        if self.streams.count:
            await self.streams.drain()
            await asyncio.wait({self._serving}, timeout=2 * _FLUSH_SECONDS)
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            await self._serve_once()
            if self._stopping:
                return
            if not self._settings.reconnect:
                raise StreamLostError(f"the stream to the peer {self._settings.peer_address} ended")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _serve_once(self) -> None:
        address = self._settings.peer_address
        channel = (
            grpc.aio.insecure_channel(address, options=_OPTIONS)
            if self._credentials is None
            else grpc.aio.secure_channel(address, self._credentials, options=_OPTIONS)
        )
        async with channel:
            register: Any = channel.stream_stream("/protos.ChaincodeSupport/Register")
            call = register()
            await self.streams.serve(GrpcStream(call))
            if not call.done():
                # Our end, after draining. A peer that is told politely reads what is under way.
                await call.done_writing()
                await asyncio.wait({asyncio.create_task(call.code())}, timeout=_FLUSH_SECONDS)
            if call.done():
                status = (await call.code()).name
                reason = await call.details()
                _log.info(
                    "disconnected from the peer",
                    extra={"peer": address, "status": status, "reason": reason},
                )
