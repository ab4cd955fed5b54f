"""TCP links between nodes that can be slow, cut, or silently lost.

A node listens on a port that nobody knows; the port that everybody dials is the relay's. Who dials
is found in `/proc`, so that a condition holds for one pair of nodes. TLS goes through untouched.
This needs neither root nor a module of the kernel. With a network namespace of our own the packets
of what is cut or lost are dropped besides, so that the ends' TCP has no acknowledgements either.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from faults import firewall
from medfab_network._layout import Layout
from medfab_network._processes import NodeProcesses
from medfab_network.topology import HOST, Topology

CLIENT = "client"
"""Every program that is no node of the network."""
_CHUNK = 16384
_CHUNKS_UNDER_WAY = 64
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Of the links between two nodes, in both directions, whoever has dialled."""

    delay: float = 0.0
    """Seconds, one way."""
    bytes_per_second: float | None = None
    """Of each connection and direction. None: no limit."""
    cut: bool = False
    """Nothing gets through, and nobody is told; what was sent gets through afterwards."""


GOOD = Condition()
_Pair = frozenset[str]


@dataclass(eq=False)
class _Connection:
    pair: _Pair
    flows: tuple[tuple[int, int], ...]
    lost: bool = False
    """Whatever is sent vanishes, and no end hears of the other's."""


@dataclass(eq=False)
class Relay:
    """In front of nodes. `pids`: node → pid, now."""

    pids: Callable[[], Mapping[str, int]]
    _conditions: dict[_Pair, Condition] = field(default_factory=dict)
    _connections: set[_Connection] = field(default_factory=set)
    _doors: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def serve(self, node: str, port: int, inner: int) -> None:
        """Take connections for a node from when it listens on `inner`; a second call is for its
        next life."""
        if node in self._doors:
            self._doors.pop(node).cancel()
        self._doors[node] = asyncio.ensure_future(self._serve(node, port, inner))

    def set(self, first: str, second: str, condition: Condition) -> None:
        pair = frozenset((first, second))
        self._conditions[pair] = condition
        if condition.cut:
            self._drop(c for c in self._connections if c.pair == pair)

    def heal(self) -> None:
        """All links are good again; lost connections stay lost."""
        self._conditions.clear()
        if firewall.why_not() is None:
            firewall.pass_all()
        self._drop(c for c in self._connections if c.lost)

    def lose(self, first: str, second: str) -> int:
        """Lose the connections between two nodes, without a word to either; returns how many."""
        found = [c for c in self._connections if c.pair == frozenset((first, second))]
        for connection in found:
            connection.lost = True
        self._drop(found)
        return len(found)

    def _drop(self, connections: Iterable[_Connection]) -> None:
        """Where it can be done, packets are lost, too: no end's TCP hears of the other's."""
        if firewall.why_not() is None:
            firewall.drop(flow for connection in connections for flow in connection.flows)

    async def close(self) -> None:
        tasks = [*self._doors.values(), *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, node: str, port: int, inner: int) -> None:
        while True:  # as long as it does not listen, nobody does
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, inner)
                writer.transport.abort()
                break
            await asyncio.sleep(_LOOK_SECONDS)

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._connect(node, port, inner, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        server = await asyncio.start_server(accept, HOST, port, backlog=256)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()

    async def _connect(
        self,
        node: str,
        port: int,
        inner: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        source = self._dialler(writer.get_extra_info("peername")[1], port)
        pair = frozenset((source, node))
        try:
            while self._condition(pair).cut:
                await asyncio.sleep(_LOOK_SECONDS)
            inner_reader, inner_writer = await asyncio.open_connection(HOST, inner)
        except BaseException as error:
            _reset(writer)
            if isinstance(error, OSError):
                return
            raise
        flows = [
            (w.get_extra_info("sockname")[1], w.get_extra_info("peername")[1])
            for w in (writer, inner_writer)
        ]
        connection = _Connection(pair, tuple(flows))
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(connection, reader, inner_writer))
                group.create_task(self._pump(connection, inner_reader, writer))
        except* OSError:
            pass  # one end has reset the connection; so the other is told
        finally:
            self._connections.discard(connection)
            _reset(writer)
            _reset(inner_writer)

    async def _pump(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue(_CHUNKS_UNDER_WAY)

        async def read() -> None:
            while True:
                try:
                    data = await reader.read(_CHUNK)
                except OSError:
                    data = None
                await under_way.put((loop.time(), data))
                if not data:
                    return

        reading = asyncio.ensure_future(read())
        try:
            while True:
                sent, data = await under_way.get()
                await self._due(connection, sent, len(data or b""))
                if connection.lost:
                    if not data:
                        await asyncio.Event().wait()  # until the relay's end
                    continue
                if data is None:
                    raise ConnectionResetError
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()
        finally:
            reading.cancel()

    async def _due(self, connection: _Connection, sent: float, size: int) -> None:
        """Until so many bytes, sent then, are through."""
        loop = asyncio.get_running_loop()
        while not connection.lost:
            condition = self._condition(connection.pair)
            early = sent + condition.delay - loop.time()
            if not condition.cut and early <= 0:
                if condition.bytes_per_second:
                    await asyncio.sleep(size / condition.bytes_per_second)
                return
            await asyncio.sleep(_LOOK_SECONDS if condition.cut else early)

    def _condition(self, pair: _Pair) -> Condition:
        return self._conditions.get(pair, GOOD)

    def _dialler(self, its_port: int, port: int) -> str:
        """Whose socket it is that goes from `its_port` to `port`."""
        wanted = _socket(its_port, port)
        for node, pid in self.pids().items():
            with contextlib.suppress(OSError):
                for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                    with contextlib.suppress(OSError):
                        if str(descriptor.readlink()) == wanted:
                            return node
        return CLIENT


class RelayedProcesses(NodeProcesses):
    """Processes that listen behind a relay, at ports of their own."""

    def __init__(self, layout: Layout, topology: Topology) -> None:
        super().__init__(layout.root, layout.logs)
        self._nodes = {node.name: node for node in topology.nodes()}
        self.relay = Relay(self.running)

    def start(
        self,
        node: str,
        command: list[str],
        environment: Mapping[str, str],
        folder: Path,
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        known = self._nodes[node]
        inner = _free_port()
        listens = {
            "peer": {"CORE_PEER_LISTENADDRESS": f"{HOST}:{inner}"},
            "orderer": {"ORDERER_GENERAL_LISTENPORT": str(inner)},
            "chaincode": {"CHAINCODE_SERVER_ADDRESS": f"{HOST}:{inner}"},
        }.get(known.kind)
        if listens:
            self.relay.serve(node, known.port, inner)
        super().start(node, command, environment, folder, {**(listens or {}), **extra})


def _socket(its_port: int, port: int) -> str:
    """The name in `/proc` of the socket that goes from one port of this machine to the other."""
    local, remote = f":{its_port:04X}", f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                words = line.split()
                if words[1].endswith(local) and words[2].endswith(remote):
                    return f"socket:[{words[9]}]"
    return ""


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close at once; an end that is still there is told so."""
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
