"""Asking nodes how they are, on a small HTTPS server; and waiting for them."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from medfab_network import NodeFailedError
from medfab_network._health import (
    is_healthy,
    is_listening,
    leaders,
    tls_context,
    wait_healthy,
    wait_until,
)
from medfab_network._processes import NodeProcesses
from medfab_network.topology import Node

METRICS = """\
# TYPE consensus_etcdraft_is_leader gauge
consensus_etcdraft_is_leader{channel="care"} 1
consensus_etcdraft_is_leader{channel="supply"} 0
consensus_etcdraft_leader_changes{channel="lab"} 1
consensus_etcdraft_is_leader{channel="pay"} 1
"""


class Endpoint:
    """One HTTPS port; `answers` has a body for each path that is served with 200."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.root = folder / "root.pem"
        self.authority.cert_pem.write_to_path(self.root)
        self.answers: dict[str, str] = {}
        self.port = 0

    @property
    def context(self) -> ssl.SSLContext:
        return tls_context(self.root)

    def node(self, kind: str, *, port: int | None = None) -> Node:
        return Node(
            name=f"{kind}0.clinic",
            kind=kind,
            organization="clinic",
            port=self.port if port is None else port,
            operations_port=self.port,
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1").configure_cert(context)
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.decode().split(" ")[1]
            body = self.answers.get(path)
            status = "503 Service Unavailable" if body is None else "200 OK"
            content = (body or "").encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + content
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # a probe that only connects
        finally:
            writer.close()


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    endpoint = Endpoint(tmp_path)
    async with endpoint.serving():
        yield endpoint


@pytest.fixture
def processes(tmp_path: Path) -> NodeProcesses:
    return NodeProcesses(tmp_path, tmp_path / "logs")


async def test_health_of_each_kind(endpoint: Endpoint) -> None:
    kinds = ("ca", "peer", "orderer", "chaincode")
    nodes = {kind: endpoint.node(kind) for kind in kinds}
    expected = {"ca": False, "peer": False, "orderer": False, "chaincode": True}
    for path, kind in ((None, ""), ("/cainfo", "ca"), ("/healthz", "peer")):
        if path:
            endpoint.answers[path] = "{}"
            expected[kind] = True
        expected["orderer"] = expected["peer"]
        found = {kind: await is_healthy(node, endpoint.context) for kind, node in nodes.items()}
        assert found == expected


async def test_a_peer_whose_port_does_not_listen_yet_is_not_healthy(endpoint: Endpoint) -> None:
    endpoint.answers["/healthz"] = "{}"
    assert await is_listening(endpoint.port)
    assert not await is_listening(1)
    assert not await is_healthy(endpoint.node("peer", port=1), endpoint.context)


async def test_an_orderer_is_healthy_once_its_admin_port_listens(endpoint: Endpoint) -> None:
    endpoint.answers["/healthz"] = "{}"
    orderer = endpoint.node("orderer")
    assert await is_healthy(replace(orderer, admin_port=endpoint.port), endpoint.context)
    assert not await is_healthy(replace(orderer, admin_port=1), endpoint.context)


async def test_a_strangers_certificate_is_not_believed(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.answers |= {"/healthz": "{}", "/metrics": METRICS}
    (tmp_path / "other").mkdir()
    other = Endpoint(tmp_path / "other")
    assert not await is_healthy(endpoint.node("peer"), other.context)
    assert await leaders(endpoint.node("orderer"), other.context) == set()


async def test_channels_that_an_orderer_leads(endpoint: Endpoint) -> None:
    assert await leaders(endpoint.node("orderer"), endpoint.context) == set()
    endpoint.answers["/metrics"] = METRICS
    assert await leaders(endpoint.node("orderer"), endpoint.context) == {"care", "pay"}


async def test_waiting_ends_with_health(endpoint: Endpoint, processes: NodeProcesses) -> None:
    waiting = asyncio.create_task(wait_healthy(endpoint.node("peer"), endpoint.context, processes))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    endpoint.answers["/healthz"] = "{}"
    await asyncio.wait_for(waiting, 5)


async def never() -> bool:
    return False


async def test_waiting_ends_when_time_is_up(processes: NodeProcesses) -> None:
    with pytest.raises(NodeFailedError, match=r"peer0 did not get ready within 0 s \(a leader\)"):
        await wait_until(never, node="peer0", what="a leader", processes=processes, timeout=0.2)


async def test_waiting_ends_when_the_node_does(processes: NodeProcesses, tmp_path: Path) -> None:
    processes.start("peer0", ["sh", "-c", "echo 'bad config'; exit 1"], {}, tmp_path)
    began = time.monotonic()
    with pytest.raises(NodeFailedError, match=r"(?s)ended with exit code 1.*bad config"):
        await wait_until(never, node="peer0", what="health", processes=processes)
    assert time.monotonic() - began < 5
