"""A peer's side of the chaincode stream, over a real gRPC channel and an in-memory ledger.

It follows Fabric's `core/chaincode/handler.go`: one outstanding request for each (channel,
transaction) with a second one dropped in silence, range results in batches, writes kept apart
until the transaction is over, and a response of status 400 or more discarding them.
"""

import asyncio
import hashlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
import grpc.aio
from fabric_protos.common import common_pb2
from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import (
    chaincode_pb2,
    chaincode_shim_pb2,
    proposal_pb2,
    proposal_response_pb2,
)

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage
QueryResponse = chaincode_shim_pb2.QueryResponse

TIMESTAMP = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
OPTIONS = (
    ("grpc.max_receive_message_length", 100 * 1024 * 1024),
    ("grpc.max_send_message_length", 100 * 1024 * 1024),
)

TIMEOUT = 60.0
"""Seconds that a transaction may take, on a machine that is busy."""

Key = tuple[str, str]
"""(collection, key); the collection of public state is empty."""


class PeerRefusal(Exception):
    """The chaincode ended a transaction with ERROR, or the stream ended."""


@dataclass(kw_only=True)
class Result:
    """How a transaction ended, and what it asked on the way."""

    status: int
    message: str
    payload: bytes
    event: tuple[str, bytes] | None
    writes: dict[Key, bytes | None]
    """Values written; None for a deletion or a purge."""

    parameters: dict[Key, bytes]
    """Validation parameters written."""

    requests: list[str]
    """The types of the requests, in their order."""


@dataclass(kw_only=True)
class Simulation:
    """What the peer keeps for one running transaction."""

    done: asyncio.Future[Any]
    writes: dict[Key, bytes | None] = field(default_factory=dict)
    parameters: dict[Key, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    iterators: dict[str, list[Any]] = field(default_factory=dict)
    busy: bool = False


class FakePeer:
    """One connected peer. Attributes may be changed between transactions."""

    def __init__(self, call: Any, *, batching: bool) -> None:
        self.ledger: dict[Key, bytes] = {}
        self.chaincode_id = ""
        self.refusals: dict[str, str] = {}
        """Request type → the text of the ERROR that it is answered with."""
        self.answers: dict[str, Callable[[bytes], bytes]] = {}
        """Request type → from its payload to that of the RESPONSE, in place of the ledger's."""
        self.silent: set[str] = set()
        """Request types that are never answered."""
        self.swallow_values = False
        """Answer GET_STATE_MULTIPLE with no values, as a peer with a broken database does."""
        self.delay = 0.0
        """Seconds before each answer."""
        self.dropped = 0
        """Requests that came while one was outstanding: Fabric drops them in silence."""
        self.results_per_batch = 2
        self.closed_iterators = 0
        self.echoed = asyncio.Event()
        self.ready = asyncio.Event()
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.terminals: Counter[Key] = Counter()
        """COMPLETED and ERROR messages for each (channel, transaction)."""
        self._batching = batching
        self._call = call
        self._simulations: dict[Key, Simulation] = {}
        self._outbox: asyncio.Queue[Any] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ids = itertools.count()
        self._ended = False

    async def invoke(
        self,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        creator: bytes = b"",
        channel: str = "care",
        transaction_id: str | None = None,
        kind: str = "TRANSACTION",
        proposal: bool = True,
        timeout: float = TIMEOUT,
    ) -> Result:
        """Run one transaction; commit its writes if it succeeds."""
        transaction_id = transaction_id or f"{next(self._ids):064x}"
        if self._ended:
            raise PeerRefusal("the stream has ended")
        key = (channel, transaction_id)
        simulation = Simulation(done=asyncio.get_running_loop().create_future())
        self._simulations[key] = simulation
        call = chaincode_pb2.ChaincodeInput(
            args=[arg.encode() if isinstance(arg, str) else arg for arg in args]
        )
        message = ChaincodeMessage(
            type=kind, payload=call.SerializeToString(), txid=transaction_id, channel_id=channel
        )
        if proposal:
            message.proposal.proposal_bytes = proposal_bytes(
                creator=creator, transient=transient or {}
            )
        self._outbox.put_nowait(message)
        try:
            async with asyncio.timeout(timeout):
                terminal = await simulation.done
        finally:
            if self._simulations.get(key) is simulation:
                del self._simulations[key]
        if terminal.type == ChaincodeMessage.ERROR:
            raise PeerRefusal(terminal.payload.decode())
        response = proposal_response_pb2.Response.FromString(terminal.payload)
        event = terminal.chaincode_event if terminal.HasField("chaincode_event") else None
        if response.status < 400:
            for written, value in simulation.writes.items():
                if value:
                    self.ledger[written] = value
                else:
                    self.ledger.pop(written, None)
        return Result(
            status=response.status,
            message=response.message,
            payload=response.payload,
            event=None if event is None else (event.event_name, event.payload),
            writes=simulation.writes,
            parameters=simulation.parameters,
            requests=simulation.requests,
        )

    def send(self, message: Any) -> None:
        """Send any message, for what a well-behaved peer would not do."""
        self._outbox.put_nowait(message)

    async def run(self) -> None:
        """Serve the stream until the chaincode ends it."""
        writer = asyncio.create_task(self._write())
        try:
            while (raw := await self._call.read()) is not grpc.aio.EOF:
                self._handle(ChaincodeMessage.FromString(raw))
        finally:
            self._ended = True
            writer.cancel()
            for simulation in list(self._simulations.values()):
                if not simulation.done.done():
                    simulation.done.set_exception(PeerRefusal("the stream has ended"))

    async def _write(self) -> None:
        while True:
            message = await self._outbox.get()
            await self._call.write(message.SerializeToString())

    def _handle(self, message: Any) -> None:
        kind = ChaincodeMessage.Type.Name(message.type)
        key = (message.channel_id, message.txid)
        simulation = self._simulations.get(key)
        if kind == "REGISTER":
            self.chaincode_id = chaincode_pb2.ChaincodeID.FromString(message.payload).name
            self._outbox.put_nowait(ChaincodeMessage(type="REGISTERED"))
            announced = chaincode_pb2.ChaincodeAdditionalParams(
                use_write_batch=self._batching,
                max_size_write_batch=3 if self._batching else 0,
                use_get_multiple_keys=self._batching,
                max_size_get_multiple_keys=3 if self._batching else 0,
            )
            self._outbox.put_nowait(
                ChaincodeMessage(type="READY", payload=announced.SerializeToString())
            )
            self.ready.set()
        elif kind == "KEEPALIVE":
            self.echoed.set()
        elif kind in ("COMPLETED", "ERROR"):
            self.terminals[key] += 1
            if simulation is not None and not simulation.done.done():
                simulation.done.set_result(message)
        elif simulation is not None and simulation.busy:
            self.dropped += 1
        else:
            if simulation is not None:
                simulation.busy = True
                simulation.requests.append(kind)
            task = asyncio.create_task(self._respond(kind, message, simulation))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _respond(self, kind: str, message: Any, simulation: Simulation | None) -> None:
        self.asked.put_nowait(kind)
        if kind in self.silent:
            return
        await asyncio.sleep(self.delay)
        answer = ChaincodeMessage(txid=message.txid, channel_id=message.channel_id)
        refusal = "no ledger context" if simulation is None else self.refusals.get(kind)
        if refusal is not None or simulation is None:
            answer.type = ChaincodeMessage.ERROR
            answer.payload = (refusal or "").encode()
        else:
            answer.type = ChaincodeMessage.RESPONSE
            answer.payload = self._answer(kind, message.payload, simulation)
        if simulation is not None:
            simulation.busy = False
        self._outbox.put_nowait(answer)

    def _answer(self, kind: str, payload: bytes, simulation: Simulation) -> bytes:
        shim = chaincode_shim_pb2
        if kind in self.answers:
            return self.answers[kind](payload)
        if kind in ("GET_STATE", "GET_PRIVATE_DATA_HASH"):
            get = shim.GetState.FromString(payload)
            value = self.ledger.get((get.collection, get.key), b"")
            if kind == "GET_PRIVATE_DATA_HASH" and value:
                return hashlib.sha256(value).digest()
            return value
        if kind == "GET_STATE_MULTIPLE":
            many = shim.GetStateMultiple.FromString(payload)
            values = [self.ledger.get((many.collection, key), b"") for key in many.keys]
            result = shim.GetStateMultipleResult(values=[] if self.swallow_values else values)
            return bytes(result.SerializeToString())
        if kind == "WRITE_BATCH_STATE":
            for record in shim.WriteBatchState.FromString(payload).rec:
                if record.type == shim.WriteRecord.PUT_STATE_METADATA:
                    self._put_metadata(record, simulation)
                    continue
                is_put = record.type == shim.WriteRecord.PUT_STATE
                simulation.writes[record.collection, record.key] = record.value if is_put else None
            return b""
        if kind == "PUT_STATE":
            put = shim.PutState.FromString(payload)
            simulation.writes[put.collection, put.key] = put.value
            return b""
        if kind == "PUT_STATE_METADATA":
            self._put_metadata(shim.PutStateMetadata.FromString(payload), simulation)
            return b""
        if kind in ("DEL_STATE", "PURGE_PRIVATE_DATA"):
            deletion = shim.DelState.FromString(payload)
            simulation.writes[deletion.collection, deletion.key] = None
            return b""
        return self._answer_query(kind, payload, simulation)

    @staticmethod
    def _put_metadata(record: Any, simulation: Simulation) -> None:
        assert record.metadata.metakey == "VALIDATION_PARAMETER"
        simulation.parameters[record.collection, record.key] = record.metadata.value

    def _answer_query(self, kind: str, payload: bytes, simulation: Simulation) -> bytes:
        shim = chaincode_shim_pb2
        if kind == "GET_STATE_BY_RANGE":
            query = shim.GetStateByRange.FromString(payload)
            identifier = f"iterator-{next(self._ids)}"
            simulation.iterators[identifier] = [
                shim.QueryResultBytes(
                    resultBytes=kv_query_result_pb2.KV(key=key, value=value).SerializeToString()
                )
                for (collection, key), value in sorted(self.ledger.items())
                if collection == query.collection
                and query.startKey <= key
                and (not query.endKey or key < query.endKey)
            ]
        elif kind == "QUERY_STATE_NEXT":
            identifier = shim.QueryStateNext.FromString(payload).id
        elif kind == "QUERY_STATE_CLOSE":
            identifier = shim.QueryStateClose.FromString(payload).id
            del simulation.iterators[identifier]
            self.closed_iterators += 1
            return bytes(QueryResponse(id=identifier).SerializeToString())
        else:
            raise AssertionError(f"the chaincode sent {kind}")
        left = simulation.iterators[identifier]
        batch = left[: self.results_per_batch]
        del left[: self.results_per_batch]
        has_more = bool(left)
        if not has_more:
            del simulation.iterators[identifier]
        response = QueryResponse(results=batch, has_more=has_more, id=identifier)
        return bytes(response.SerializeToString())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another task brings about. Raises `TimeoutError`."""
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(0.005)


def proposal_bytes(*, creator: bytes, transient: Mapping[str, bytes]) -> bytes:
    """Build the proposal that a client would have signed."""
    channel_header = common_pb2.ChannelHeader()
    channel_header.timestamp.FromDatetime(TIMESTAMP)
    header = common_pb2.Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=common_pb2.SignatureHeader(creator=creator).SerializeToString(),
    )
    payload = proposal_pb2.ChaincodeProposalPayload(TransientMap=transient)
    proposal = proposal_pb2.Proposal(
        header=header.SerializeToString(), payload=payload.SerializeToString()
    )
    return bytes(proposal.SerializeToString())


@asynccontextmanager
async def connect(
    address: str,
    credentials: grpc.ChannelCredentials | None,
    *,
    batching: bool = True,
    options: Sequence[tuple[str, int]] = (),
) -> AsyncIterator[FakePeer]:
    """Dial a chaincode server as a peer does; None for the credentials means plaintext.

    Raises `grpc.aio.AioRpcError` if the server does not let us in.
    """
    options = (*OPTIONS, *options)
    channel = (
        grpc.aio.insecure_channel(address, options=options)
        if credentials is None
        else grpc.aio.secure_channel(address, credentials, options=options)
    )
    async with channel:
        call: Any = channel.stream_stream("/protos.Chaincode/Connect")()
        peer = FakePeer(call, batching=batching)
        run = asyncio.create_task(peer.run())
        ready = asyncio.create_task(peer.ready.wait())
        await asyncio.wait({run, ready}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        try:
            if not ready.done():
                if run.done():
                    await run
                raise TimeoutError("the chaincode did not register")
            yield peer
        finally:
            call.cancel()
            ready.cancel()
            run.cancel()
            await asyncio.gather(run, ready, return_exceptions=True)


@asynccontextmanager
async def listen(
    credentials: grpc.ServerCredentials | None, address: str = "127.0.0.1:0"
) -> AsyncIterator[tuple[str, "asyncio.Queue[FakePeer]"]]:
    """Wait for chaincode that dials the peer: the address, and a peer for each registration."""
    registered: asyncio.Queue[FakePeer] = asyncio.Queue()

    async def register(_: object, call: Any) -> None:
        peer = FakePeer(call, batching=True)
        run = asyncio.create_task(peer.run())
        await peer.ready.wait()
        registered.put_nowait(peer)
        await run

    server = grpc.aio.server(options=(*OPTIONS, ("grpc.so_reuseport", 0)))
    method: Any = grpc.stream_stream_rpc_method_handler(register)
    handler = grpc.method_handlers_generic_handler("protos.ChaincodeSupport", {"Register": method})
    server.add_generic_rpc_handlers((handler,))
    port = (
        server.add_insecure_port(address)
        if credentials is None
        else server.add_secure_port(address, credentials)
    )
    await server.start()
    try:
        yield f"{address.rpartition(':')[0]}:{port}", registered
    finally:
        await server.stop(None)
