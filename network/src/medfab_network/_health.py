"""Asking nodes how they are, on their operations endpoints; and waiting until they are well."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from medfab_network._runner import Runner
from medfab_network.errors import NodeFailedError
from medfab_network.topology import HOST, Node

_IS_LEADER = (
    'consensus_etcdraft_is_leader{channel="',
    'consensus_BFT_is_leader{channel="',
)
_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 5.0
START_TIMEOUT = 60.0
"""Seconds; generous, because a loaded machine is not a broken network."""


def tls_context(root: Path, client: Path | None = None) -> ssl.SSLContext:
    """Trust the certificate in `root` alone; `client` is a folder with cert.pem and key.pem."""
    context = ssl.create_default_context(cafile=str(root))
    if client is not None:
        context.load_cert_chain(client / "cert.pem", client / "key.pem")
    return context


async def is_listening(port: int) -> bool:
    """Whether something accepts connections on the port."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


async def _serves(node: Node, port: int, context: ssl.SSLContext) -> bool:
    """Whether the node listens there, be it behind a port that Docker publishes.

    Docker's end of such a port accepts everybody, and hangs up where the node does not listen: so
    a node that listens is one that answers the first words of TLS.
    """
    if node.host == HOST:
        return await is_listening(port)
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            writer.write(_client_hello(context, node.name))
            return bool(await reader.read(1))
    except (TimeoutError, OSError):
        return False
    finally:
        writer.close()


def _client_hello(context: ssl.SSLContext, name: str) -> bytes:
    """The first words of TLS. No more is said: how a handshake ends is not asked here."""
    spoken = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), spoken, server_hostname=name).do_handshake()
    return spoken.read()


async def is_healthy(node: Node, context: ssl.SSLContext) -> bool:
    """One look: operations endpoint for peers and orderers, `/cainfo` for CAs, else the port."""
    if node.kind == "chaincode":
        return await _serves(node, node.port, context)
    path = f"{node.port}/cainfo" if node.kind == "ca" else f"{node.operations_port}/healthz"
    response = await _get(path, context)
    if response is None or response.status_code != 200:
        return False
    if node.kind == "ca":
        return True
    # Peers and orderers answer for their health before they listen where they serve.
    served = [node.port] if node.admin_port is None else [node.port, node.admin_port]
    return all([await _serves(node, port, context) for port in served])


async def leaders(node: Node, context: ssl.SSLContext) -> set[str]:
    """The channels of which this orderer is the leader, by its metrics."""
    response = await _get(f"{node.operations_port}/metrics", context)
    if response is None:
        return set()
    channels = set()
    for line in response.text.splitlines():
        if line.startswith(_IS_LEADER) and line.endswith(" 1"):
            channels.add(line.split('"')[1])
    return channels


async def raft_active_nodes(node: Node, context: ssl.SSLContext, channel: str) -> int | None:
    """How many consenters of the channel this orderer hears of, itself included, by its metrics.

    Only what its leader says counts. None: it gives no answer, or has no raft of this channel.
    """
    found = await counter(node, context, "consensus_etcdraft_active_nodes", channel)
    return None if found is None else int(found)


async def counter(node: Node, context: ssl.SSLContext, name: str, channel: str) -> float | None:
    """A metric of a channel at one node; None: it gives no answer, or has not counted yet."""
    response = await _get(f"{node.operations_port}/metrics", context)
    if response is None:
        return None
    start = f'{name}{{channel="{channel}"}} '
    found = [line for line in response.text.splitlines() if line.startswith(start)]
    return float(found[0].removeprefix(start)) if found else None


async def _get(path: str, context: ssl.SSLContext) -> httpx.Response | None:
    """One request to `<port>/<path>` on this machine; None without an answer.

    When cancelled it is given a moment to end: cut off in a TLS handshake, it would leave its
    socket open.
    """

    async def request() -> httpx.Response | None:
        async with httpx.AsyncClient(verify=context, timeout=5.0, trust_env=False) as client:
            try:
                return await client.get(f"https://{HOST}:{path}")
            except httpx.HTTPError:
                return None

    asking = asyncio.ensure_future(request())
    try:
        return await asyncio.shield(asking)
    except asyncio.CancelledError:
        await asyncio.wait({asking}, timeout=1.0)
        raise


async def wait_until(
    check: Callable[[], Awaitable[bool]],
    *,
    node: str,
    what: str,
    processes: Runner,
    timeout: float = START_TIMEOUT,
) -> None:
    """Ask `check` until it is true; `NodeFailedError` when `node` ends or time is up."""
    deadline = time.monotonic() + timeout
    while not await check():
        processes.check_alive(node)
        if time.monotonic() > deadline:
            reason = f"did not get ready within {timeout:.0f} s ({what})"
            raise NodeFailedError(node, reason, processes.log_tail(node))
        await asyncio.sleep(_POLL_SECONDS)


async def wait_healthy(node: Node, context: ssl.SSLContext, processes: Runner) -> None:
    """Wait until `node` answers well."""

    async def check() -> bool:
        return await is_healthy(node, context)

    await wait_until(check, node=node.name, what="health", processes=processes)
