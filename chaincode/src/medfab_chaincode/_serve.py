"""Serving chaincode: whichever way the settings choose, with what watches it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._contract import Contract
from medfab_chaincode._observation import Observer, Observers, TransactionLog
from medfab_chaincode._operations import OperationsServer
from medfab_chaincode._server import ChaincodeServer
from medfab_chaincode._settings import ClientSettings, ServerSettings
from medfab_chaincode.errors import SettingsError

if TYPE_CHECKING:
    from medfab_chaincode._client import ChaincodeClient
    from medfab_chaincode._metrics import Metrics

_log = logging.getLogger("medfab_chaincode.operations")


async def serve(
    chaincode: Sequence[Contract] | Chaincode,
    settings: ServerSettings | ClientSettings,
    *,
    stop: asyncio.Event | None = None,
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serve contracts, or a `Chaincode`, until `stop` is set or the task is cancelled; then drain.

    `on_listening` is called once with the address: for `ServerSettings` when peers can connect (a
    TCP and TLS connection to it is a sufficient health check), for `ClientSettings` when the peer
    is dialled. The first contract is the default one.
    Raises `SettingsError` or `DefinitionError` if it cannot be started, and, as a client that
    does not reconnect, `StreamLostError` when the peer has ended the stream.
    """
    observers: list[Observer] = [TransactionLog()]
    metrics = _metrics(settings)
    if metrics is not None:
        observers.append(metrics)
    if settings.telemetry:
        observers.append(_spans())
    observer = Observers(observers)
    endpoint = _endpoint(chaincode, settings, observer)
    async with contextlib.AsyncExitStack() as stack:
        if settings.operations_address is not None:
            operations = OperationsServer(
                settings.operations_address, streams=lambda: endpoint.streams.count, metrics=metrics
            )
            stack.push_async_callback(operations.stop)
            _log.info("operations endpoint", extra={"address": await operations.start()})
        stack.push_async_callback(endpoint.stop)
        address = await endpoint.start()
        if on_listening is not None:
            on_listening(address)
        await _first_of(endpoint.ended(), (stop or asyncio.Event()).wait())


def _endpoint(
    chaincode: Sequence[Contract] | Chaincode,
    settings: ServerSettings | ClientSettings,
    observer: Observer,
) -> "ChaincodeServer | ChaincodeClient":
    if isinstance(settings, ServerSettings):
        return ChaincodeServer(chaincode, settings, observer=observer)
    # Here, because gRPC is a third of a process's start, and a server does without.
    from medfab_chaincode._client import ChaincodeClient

    return ChaincodeClient(chaincode, settings, observer=observer)


async def _first_of(*coroutines: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _metrics(settings: ServerSettings | ClientSettings) -> "Metrics | None":
    if not settings.metrics:
        return None
    if settings.operations_address is None:
        raise SettingsError("metrics need an operations address to be fetched from")
    try:
        from medfab_chaincode._metrics import Metrics
    except ImportError as error:
        raise SettingsError(
            "metrics need prometheus-client: pip install 'medfab-chaincode[metrics]'"
        ) from error
    return Metrics()


def _spans() -> Observer:
    try:
        from medfab_chaincode._telemetry import Spans
    except ImportError as error:
        raise SettingsError(
            "telemetry needs opentelemetry-api: pip install 'medfab-chaincode[telemetry]'"
        ) from error
    return Spans()
